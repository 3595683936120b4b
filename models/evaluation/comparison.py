"""Rankings compared on the same accounts: the baselines and metrics of every evaluation."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ringwatch.models.common.metrics import paired_bootstrap
from ringwatch.models.data.labels import Labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.evaluation.baselines import boosted_scores, propagated_labels
from ringwatch.models.evaluation.metrics import account_metrics, precision_recall, reliability

OURS, _TREES = "ours", "trees, neighbour aggregates"


def label_baselines(snapshot: Snapshot, labels: Labels, *, seed: int) -> dict[str, np.ndarray]:
    """Scores of baselines fitted to the same labels, `[n_accounts] float64` each."""
    return {
        _TREES: boosted_scores(snapshot, labels.is_known, has_neighbours=True, seed=seed),
        "trees, account features": boosted_scores(snapshot, labels.is_known, has_neighbours=False, seed=seed),
        "label propagation": propagated_labels(snapshot, labels),
    }


def compare_rankings(
    scores: Mapping[str, np.ndarray], is_fake: np.ndarray, rows: np.ndarray, *, seed: int
) -> dict[str, Any]:
    """Metrics of every ranking on the accounts at `rows`, `[n_accounts] bool`, `OURS` and the baselines among them.

    Args:
        scores: by name, `[n_accounts] float64` each.
        is_fake: `[n_accounts] bool`.
        rows: the accounts to evaluate.
        seed: of the bootstrap.
    """
    target = is_fake[rows]
    return {
        "metrics": {name: account_metrics(target, values[rows]) for name, values in scores.items()},
        "precision_recall": {name: precision_recall(target, values[rows]) for name, values in scores.items()},
        "reliability": reliability(target, scores[OURS][rows]),
        "ours_less_trees": paired_bootstrap(target, scores[OURS][rows], scores[_TREES][rows], seed=seed),
    }
