"""The steps of a night, and the night as a whole: load, snapshot, train, detect, write back."""
