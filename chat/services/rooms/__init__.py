"""Rooms, and who is in them."""
