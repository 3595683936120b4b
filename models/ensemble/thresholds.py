"""Probability thresholds between the labels suspicious, watch and clear."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Thresholds:
    """An account at or above `suspicious` is suspicious, else at or above `watch` it is watched, else clear."""

    suspicious: float
    watch: float


def lowest_cut(probability: np.ndarray, precision: float) -> float:
    """The lowest cut above which calibrated probabilities, `[n]`, promise a precision; that itself where none does."""
    falling = np.sort(probability)[::-1]
    promised = np.cumsum(falling) / np.arange(1, falling.size + 1)
    good = np.flatnonzero(promised >= precision)
    return float(falling[good[-1]]) if good.size else precision
