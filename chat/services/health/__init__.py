"""Which workers there are, and whether this one may be asked."""
