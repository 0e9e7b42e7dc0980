"""The two stores, and how rows lie in them; nothing else speaks to AWS."""
