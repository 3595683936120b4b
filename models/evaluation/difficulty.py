"""Difficulty of a simulated world: metrics of simple baselines and of an oracle.

A useful world is neither solved by single accounts' features nor unsolvable: trees on those fail, trees with neighbour
aggregates do better, connected components accuse ordinary accounts, and an oracle (trees trained on another world's
complete truth, scores averaged over the true groups) finds nearly all fakes.
"""

from typing import Any

import numpy as np

from ringwatch.models.common.metrics import ranking_metrics
from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.data.truth import Truth
from ringwatch.models.evaluation.baselines import boosted_scores, fit_boosting, fit_features
from ringwatch.models.evaluation.component_baseline import accused_by_component

_MAX_SHARING = 100


def difficulty(
    snapshot: Snapshot, truth: Truth, elsewhere: Snapshot, truth_elsewhere: Truth, *, seed: int
) -> dict[str, Any]:
    """Baselines and oracle on the accounts that are not yet labelled, at the world's own prevalence.

    Args:
        snapshot: the night to be scored, with the labels known by then.
        truth: the truth about it.
        elsewhere: a night of another world, for the oracle to learn from.
        truth_elsewhere: the complete truth about that.
        seed: of the trees.
    """
    labels = known_labels(snapshot)
    rows = truth.is_evaluated & ~labels.is_known
    scores = {
        "account_features": boosted_scores(snapshot, labels.is_known, has_neighbours=False, seed=seed),
        "neighbour_aggregates": boosted_scores(snapshot, labels.is_known, has_neighbours=True, seed=seed),
        "oracle": oracle_scores(snapshot, truth, elsewhere, truth_elsewhere, seed=seed),
    }
    accused = accused_by_component(snapshot, labels.is_fake, max_sharing=_MAX_SHARING)
    return {
        "n_accounts": snapshot.n_accounts,
        "n_fakes_known": int(labels.is_fake.sum()),
        "n_legitimate_known": int((labels.target == 0).sum()),
        "average_precision": {
            name: ranking_metrics(truth.is_fake[rows], score[rows])["average_precision"]
            for name, score in scores.items()
        },
        "by_kind": {name: _by_kind(truth, rows, score) for name, score in scores.items()},
        "n_fakes_judged": int(truth.is_fake[rows].sum()),
        "components": {
            "ordinary_accused": int((accused & ~truth.is_fake & truth.is_evaluated).sum()),
            "fakes_accused": int((accused & truth.is_fake).sum()),
        },
    }


def oracle_scores(
    snapshot: Snapshot, truth: Truth, elsewhere: Snapshot, truth_elsewhere: Truth, *, seed: int
) -> np.ndarray:
    """Trees with neighbour aggregates, trained on the complete truth elsewhere, averaged over the true groups here."""
    features = fit_features(elsewhere, truth_elsewhere.is_evaluated, has_neighbours=True)
    rows = truth_elsewhere.is_evaluated
    model = fit_boosting(features.of(elsewhere)[rows], truth_elsewhere.is_fake[rows], seed=seed)
    single = model.predict_proba(features.of(snapshot))[:, 1]
    total = np.bincount(truth.group, single)
    return np.asarray((total / np.maximum(np.bincount(truth.group), 1))[truth.group])


def _by_kind(truth: Truth, rows: np.ndarray, score: np.ndarray) -> dict[str, float]:
    """AP of each kind of campaign by itself, among all ordinary accounts."""
    found = {}
    for kind in np.unique(truth.kind[rows & truth.is_fake]):
        only = rows & (~truth.is_fake | (truth.kind == kind))
        found[str(kind)] = ranking_metrics(truth.is_fake[only], score[only])["average_precision"]
    return found
