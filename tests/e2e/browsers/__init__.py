"""Three browsers at work by a seeded script, and what they show judged: `python -m tests.e2e.browsers`."""
