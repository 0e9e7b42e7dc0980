"""What a process needs to run: time, turns, locks, outages, background work, and the guarded ways out. Nothing here
knows a store or a noun."""
