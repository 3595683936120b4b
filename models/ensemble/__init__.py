"""Boosted trees beside the networks, and the thresholds on their probabilities."""
