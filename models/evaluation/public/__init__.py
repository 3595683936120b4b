"""Published tables, by the protocols that their figures were published for."""
