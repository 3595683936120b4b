"""A snapshot in memory, its labels, links and shared identifiers."""
