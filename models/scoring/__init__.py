"""A snapshot scored: probabilities, links, rings and labels."""
