"""A snapshot in memory, with what is known about its accounts."""
