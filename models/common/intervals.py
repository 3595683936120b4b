"""How sure a share is that was counted on few."""

from math import sqrt

_Z = 1.96  # 95 in 100


def wilson(n_right: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), of at least one counted."""
    share, z2 = n_right / n, _Z**2
    middle, half = share + z2 / (2 * n), _Z * sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    return max(0.0, (middle - half) / (1 + z2 / n)), min(1.0, (middle + half) / (1 + z2 / n))
