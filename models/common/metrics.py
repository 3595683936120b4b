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
    for rows in np.array_split(order, min(n_bins, order.size)):
        gap = np.average(is_fake[rows], weights=weight[rows]) - np.average(probability[rows], weights=weight[rows])
        error += abs(float(gap)) * float(weight[rows].sum())
    return error / float(weight.sum())
