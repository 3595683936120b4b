"""Metrics, intervals, determinism, memory and errors: what several folders use."""
