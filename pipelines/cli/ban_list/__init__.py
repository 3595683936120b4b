"""Commands of the ban list."""
