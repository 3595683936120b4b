"""Processes that outlive their command, and their ports."""
