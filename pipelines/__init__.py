"""The steps of a night as plain functions: extract, check, stage, load, snapshot, train, detect, ban list."""
