"""Metrics of a ranking, on accounts whose label is known."""

from typing import TypedDict

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

_N_DRAWS = 200


def ranking_metrics(is_fake: np.ndarray, score: np.ndarray) -> dict[str, float]:
    """AP, AUROC, prevalence and counts of `[n]` scores at the prevalence given, which is never rebalanced."""
    return {
        "average_precision": float(average_precision_score(is_fake, score)),
        "auroc": float(roc_auc_score(is_fake, score)),
        "prevalence": float(np.mean(is_fake)),
        "n_fake": int(np.sum(is_fake)),
        "n_legitimate": int(np.sum(~np.asarray(is_fake, dtype=bool))),
    }


def calibration_error(is_fake: np.ndarray, probability: np.ndarray, weight: np.ndarray, *, n_bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015) over bins with equal numbers of accounts; 0 is perfect."""
    order = np.argsort(probability, kind="stable")
    error = 0.0
    for rows in np.array_split(order, min(n_bins, order.size)):
        gap = np.average(is_fake[rows], weights=weight[rows]) - np.average(probability[rows], weights=weight[rows])
        error += abs(float(gap)) * float(weight[rows].sum())
    return error / float(weight.sum())


class Difference(TypedDict):
    """AP of one ranking less that of another, its standard error, and the share of draws in which it is above 0."""

    average_precision: float
    standard_error: float
    share_above_0: float


def paired_bootstrap(
    is_fake: np.ndarray, ours: np.ndarray, theirs: np.ndarray, *, seed: int, group: np.ndarray | None = None
) -> Difference:
    """Paired bootstrap over `[n]` accounts, fakes and others drawn apart.

    Fakes that become known together are one observation: with `group`, `[n] int64`, whole groups of fakes are drawn.
    """
    rng = np.random.default_rng(seed)
    fakes, others = np.flatnonzero(is_fake), np.flatnonzero(~is_fake)
    _, number = np.unique(fakes if group is None else group[fakes], return_inverse=True)
    rings = np.split(fakes[np.argsort(number, kind="stable")], np.cumsum(np.bincount(number))[:-1])

    def difference(rows: np.ndarray) -> float:
        target = is_fake[rows]
        return float(average_precision_score(target, ours[rows]) - average_precision_score(target, theirs[rows]))

    def draw() -> np.ndarray:
        drawn = [rings[each] for each in rng.choice(len(rings), len(rings))]
        return np.concatenate([*drawn, rng.choice(others, others.size)])

    draws = np.array([difference(draw()) for _ in range(_N_DRAWS)])
    return Difference(
        average_precision=difference(np.arange(is_fake.size)),
        standard_error=float(draws.std()),
        share_above_0=float((draws > 0).mean()),
    )
