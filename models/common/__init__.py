"""Metrics, determinism and memory: what every part of the models uses."""
