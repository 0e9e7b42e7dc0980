"""Deploying: the template, and the local cloud that runs it."""
