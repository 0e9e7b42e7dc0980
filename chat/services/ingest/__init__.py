"""Rows that others put."""
