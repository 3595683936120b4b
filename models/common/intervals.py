"""Confidence intervals of shares that were counted on few."""

import math

_CONFIDENCE = 0.9500042097035591  # 95 %, with its normal quantile rounded to 1.96 as is the custom


def wilson(n_right: int, n: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share (Wilson 1927), of at least one counted."""
    from scipy.stats import binomtest  # takes .6 s to import, which commands that only read should not

    interval = binomtest(n_right, n).proportion_ci(_CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def upper_limit(n_wrong: int, n: int, *, confidence: float = 0.95) -> float:
    """The exact one-sided upper confidence limit of a share (Clopper and Pearson 1934); 1 where nothing was counted."""
    if n_wrong >= n:
        return 1.0
    from scipy.stats import beta  # late, as above

    return float(beta.ppf(confidence, n_wrong + 1, n - n_wrong))


def n_to_certify(share: float, *, confidence: float = 0.95) -> int:
    """How many have to be checked, none of them wrong, for the upper limit of the share of wrong ones to be `share`."""
    return math.ceil(math.log(1 - confidence) / math.log1p(-share))
