"""Gradient-boosted trees of the ensemble, and thresholds on probabilities."""
