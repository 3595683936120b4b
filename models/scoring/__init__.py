"""Scoring and detection: probabilities, links, rings and labels of a snapshot."""
