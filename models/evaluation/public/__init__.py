"""Published data sets, by the protocols that their figures were published for."""
