"""Confidence intervals of shares that were counted on few."""

_CONFIDENCE = 0.9500042097035591  # 95 %, with its normal quantile rounded to 1.96 as is the custom


def wilson(n_right: int, n: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share (Wilson 1927), of at least one counted."""
    from scipy.stats import binomtest  # takes .6 s to import, which commands that only read should not

    interval = binomtest(n_right, n).proportion_ci(_CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)
