"""What a process needs to run: time, turns, locks, outages. Nothing here knows a store or a noun."""
