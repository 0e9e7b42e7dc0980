"""The log of a room: what happened, one entry after the other."""
