"""Evaluation of a past night by labels that became known after it: what a platform can measure without the truth.

Only accounts whose label came later are evaluated, and those are a biased sample: what looked bad was reviewed first.
Audit samples among the labels correct for that.
"""

from typing import Any

import numpy as np

from ringwatch.models.data.labels import Labels, known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.evaluation.comparison import OURS, compare_rankings, label_baselines
from ringwatch.models.evaluation.component_baseline import accused_by_component

MIN_EVALUATED = 20  # fakes, and legitimate accounts, that became known later


def evaluate_night(snapshot: Snapshot, scores_then: np.ndarray, later: Labels, *, seed: int) -> dict[str, Any] | None:
    """Metrics of that night's scores and of baselines with its labels; None where too little was or became known.

    Args:
        snapshot: the night.
        scores_then: `[n_accounts] float64`, the scores of that night.
        later: what is known now of its accounts, in their order.
        seed: of trees and bootstrap.
    """
    labels = known_labels(snapshot)
    rows = later.is_known & ~labels.is_known
    is_fake = later.is_fake[rows]
    has_both_labels = (
        labels.is_fake.any() and (labels.target == 0).any()
    )  # without both, the baselines cannot be fitted
    if not has_both_labels or is_fake.sum() < MIN_EVALUATED or (~is_fake).sum() < MIN_EVALUATED:
        return None
    scores = {
        OURS: scores_then,
        **label_baselines(snapshot, labels, seed=seed),
        "components": accused_by_component(snapshot, labels.is_fake, max_sharing=100).astype(np.float64),
    }
    return {"n_judged": int(rows.sum()), **compare_rankings(scores, later.is_fake, rows, seed=seed)}


def labels_of_others(snapshot: Snapshot, newest: Snapshot) -> Labels:
    """What the newest snapshot knows of an earlier one's accounts, in their order."""
    known, row = known_labels(newest), newest.account_codes(snapshot.accounts["id"])
    is_there = row >= 0
    return Labels(
        target=np.where(is_there, known.target[row], -1).astype(np.int8),
        confidence=np.where(is_there, known.confidence[row], 0.0),
        known_at=np.where(is_there, known.known_at[row], np.datetime64("NaT", "us")),
    )
