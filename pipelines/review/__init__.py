"""People's decisions: what to ask them next, what they see, how they decide, and how that is kept."""
