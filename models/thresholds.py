"""The two probabilities that part accounts into suspicious, watch and clear."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """An account at or above `suspicious` is suspicious, else at or above `watch` it is watched, else clear."""

    suspicious: float
    watch: float
