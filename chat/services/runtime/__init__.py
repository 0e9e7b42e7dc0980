"""Greenlet helpers without I/O, and the guarded ways out."""
