"""How good a ranking is, on accounts whose label is known."""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score


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
    for rows in np.array_split(order, n_bins):
        gap = np.average(is_fake[rows], weights=weight[rows]) - np.average(probability[rows], weights=weight[rows])
        error += abs(float(gap)) * float(weight[rows].sum())
    return error / float(weight.sum())


def lowest_cut(is_fake: np.ndarray, score: np.ndarray, weight: np.ndarray, *, precision: float) -> float | None:
    """The lowest score such that those at or above it are fake with at least this precision; None if there is none.

    A cut with fewer than five accounts above it proves nothing and is passed over.
    """
    order = np.argsort(-score, kind="stable")
    score, fake = score[order], (is_fake * weight)[order]
    reached = np.cumsum(fake) / np.cumsum(weight[order])
    is_last_of_ties = np.append(score[1:] < score[:-1], True)
    good = np.flatnonzero((reached >= precision) & is_last_of_ties & (np.arange(score.size) >= 4))
    return float(score[good[-1]]) if good.size else None
