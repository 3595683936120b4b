"""Random draws that the whole simulator makes: by weights, and evenly on the logarithm."""

import numpy as np


def cumulated(weights: np.ndarray) -> np.ndarray:
    """Shares in proportion to weights, summed up along each row: `[n, k]` to the same."""
    return np.asarray(np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1))


def choose(cumulated_shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One choice a row, `[n, k]` of what `cumulated` gives to `[n] int64`."""
    return np.asarray((rng.random(len(cumulated_shares))[:, None] > cumulated_shares[:, :-1]).sum(axis=1))


def log_even(ranges: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A number from each range, `[n, 2]` to `[n]`, spread evenly on the logarithm; 0 where it ends at 0."""
    low, high = np.maximum(ranges, 1e-9).T
    return np.where(ranges[:, 1] > 0, low * (high / low) ** rng.random(len(ranges)), 0.0)
