"""Metrics of detection, against a truth that only simulated worlds have.

Accounts are evaluated at true prevalence. Rings are compared with the true groups by B-cubed precision and recall
(Bagga and Baldwin 1998; Amigo et al. 2009): of an account's ring, how many are of its group, and of its group, how many
are in its ring, over all accounts that are fake or in a ring; an ordinary account's group is itself.
"""

from typing import TypedDict

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from ringwatch.models.common.metrics import calibration_error

CAMPAIGN_FOUND = 0.5  # share of its members that are suspicious
_LARGE_CAMPAIGN = 20
_N_POINTS = 200


class AccountMetrics(TypedDict):
    """How well accounts are ranked, and how true their probabilities are."""

    average_precision: float
    auroc: float
    recall_at_precision_99: float
    recall_at_precision_95: float
    recall_at_k: float
    calibration_error: float
    prevalence: float
    n_fakes: int


class RingMetrics(TypedDict):
    """How well rings are the true groups; purity is the share of a ring's accounts that are fakes of one campaign."""

    b_cubed_precision: float
    b_cubed_recall: float
    b_cubed_f1: float
    purity: float
    n_rings: int


def account_metrics(is_fake: np.ndarray, probability: np.ndarray) -> AccountMetrics:
    """Metrics of `[n]` accounts; K of recall@K is the number of fakes."""
    precision, recall, _ = precision_recall_curve(is_fake, probability)
    n_fakes = int(is_fake.sum())
    top = np.argsort(-probability, kind="stable")[:n_fakes]
    return AccountMetrics(
        average_precision=float(average_precision_score(is_fake, probability)),
        auroc=float(roc_auc_score(is_fake, probability)),
        recall_at_precision_99=float(recall[precision >= 0.99].max(initial=0.0)),
        recall_at_precision_95=float(recall[precision >= 0.95].max(initial=0.0)),
        recall_at_k=float(is_fake[top].mean()),
        calibration_error=calibration_error(is_fake, probability, np.ones(is_fake.size)),
        prevalence=float(is_fake.mean()),
        n_fakes=n_fakes,
    )


def ring_metrics(ring: np.ndarray, is_fake: np.ndarray, group: np.ndarray, campaign: np.ndarray) -> RingMetrics:
    """Metrics of rings, `[n_accounts] int64`, -1 outside, against the group and campaign of each account."""
    rows = is_fake | (ring >= 0)
    if not rows.any():
        return RingMetrics(b_cubed_precision=1.0, b_cubed_recall=1.0, b_cubed_f1=1.0, purity=1.0, n_rings=0)
    alone = np.arange(ring.size) + 1 + max(ring.max(initial=0), group.max(initial=0))  # a group of one, for each
    found = np.where(ring >= 0, ring, alone)[rows]
    true = np.where(is_fake, group, alone)[rows]
    _, both = np.unique(np.stack([found, true]), axis=1, return_inverse=True)
    n_both = np.bincount(both)[both]
    precision = float(np.mean(n_both / _size_of_own(found)))
    recall = float(np.mean(n_both / _size_of_own(true)))
    rings = np.unique(ring[ring >= 0])
    return RingMetrics(
        b_cubed_precision=precision,
        b_cubed_recall=recall,
        b_cubed_f1=2 * precision * recall / max(precision + recall, 1e-9),
        purity=float(np.mean([_purity(campaign[ring == one]) for one in rings])) if rings.size else 1.0,
        n_rings=int(rings.size),
    )


def precision_recall(is_fake: np.ndarray, probability: np.ndarray) -> tuple[list[float], list[float]]:
    """Recall and precision along the ranking, at most `_N_POINTS` points of it."""
    precision, recall, _ = precision_recall_curve(is_fake, probability)
    kept = np.unique(np.linspace(0, recall.size - 1, _N_POINTS).astype(int))
    # Points lie dense where nothing is found any more: half of them by recall.
    kept = np.union1d(kept, np.searchsorted(-recall, -np.linspace(0, 1, _N_POINTS)).clip(0, recall.size - 1))
    return recall[kept].tolist(), precision[kept].tolist()


def reliability(is_fake: np.ndarray, probability: np.ndarray) -> tuple[list[float], list[float], list[int]]:
    """Mean probability, share of fakes and number of accounts, for each tenth of the scale that has accounts."""
    tenth = np.minimum((probability * 10).astype(int), 9)
    predicted, true, size = [], [], []
    for each in np.unique(tenth):
        rows = tenth == each
        predicted.append(float(probability[rows].mean()))
        true.append(float(is_fake[rows].mean()))
        size.append(int(rows.sum()))
    return predicted, true, size


def campaigns_found(is_suspicious: np.ndarray, is_fake: np.ndarray, campaign: np.ndarray) -> dict[str, float]:
    """Share of each campaign's active members that are suspicious."""
    names = np.unique(campaign[is_fake])
    return {str(name): float(is_suspicious[is_fake & (campaign == name)].mean()) for name in names}


def large_campaigns(is_fake: np.ndarray, campaign: np.ndarray) -> set[str]:
    """Campaigns with enough active members that they must be found."""
    names, n_members = np.unique(campaign[is_fake], return_counts=True)
    return set(names[n_members >= _LARGE_CAMPAIGN].tolist())


def _size_of_own(cluster: np.ndarray) -> np.ndarray:
    _, position, size = np.unique(cluster, return_inverse=True, return_counts=True)
    return np.asarray(size[position])


def _purity(campaigns: np.ndarray) -> float:
    """Share of the largest campaign; `""` is no campaign."""
    names, counts = np.unique(campaigns[campaigns != ""], return_counts=True)
    return float(counts.max(initial=0) / campaigns.size) if names.size else 0.0
