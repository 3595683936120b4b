"""Partners' indicators: taken in, checked, kept, and matched with accounts."""
