"""What happens in a world each day, as the rows of the landing zone."""
