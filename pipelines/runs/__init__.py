"""What each night found, kept as files, and whether drift holds its ban list."""
