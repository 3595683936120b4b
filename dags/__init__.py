"""Carries the files in the wheel; the scheduler finds each of them as a file."""
