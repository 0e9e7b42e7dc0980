"""Where people are: what they have read, and whether they write."""
