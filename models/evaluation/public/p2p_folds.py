"""Evaluation on the P2P payment data: the network against boosted trees, on the same five folds.

Folds are whole components over cards and devices; transfers and referrals between folds are removed, so nothing of a
test fold is seen in training but the shape of its own graph. Each model is trained on four folds' labels and evaluated
on the labelled accounts of the fifth, at the prevalence found there.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.graph import ACCOUNT, RELATIONSHIPS_BY_TYPE
from ringwatch.models.common.metrics import ranking_metrics
from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.evaluation.baselines import boosted_scores
from ringwatch.models.scoring.scoring import score
from ringwatch.models.training.fitting import Progress, part_of
from ringwatch.models.training.splits import component_folds
from ringwatch.models.training.training import train

if TYPE_CHECKING:
    from collections.abc import Callable

_N_FOLDS = 5
_CROSSING = ("SENT_MONEY_TO", "REFERRED_BY")


def evaluate_folds(
    snapshot: Snapshot, *, seeds: tuple[int, ...], progress: Progress = lambda share: None
) -> dict[str, Any]:
    """AP and AUROC of each model, by fold and pooled, for each seed (which settles folds and models).

    Returns:
        `{"n_fakes_charged_back": ..., "seeds": {seed: {model: {"folds": [metrics], "pooled": metrics}}}}`: the first is
        how many of the labelled frauds had a chargeback by that night already, so that no rank was needed to find them.
    """
    labels = known_labels(snapshot)
    report: dict[str, Any] = {
        "date": snapshot.date.isoformat(),
        "n_fakes": int(labels.is_fake.sum()),
        "n_fakes_charged_back": _n_charged_back(snapshot),
        "seeds": {},
    }
    for position, seed in enumerate(seeds):
        report["seeds"][seed] = _evaluate_seed(snapshot, seed, part_of(progress, position, len(seeds)))
    return report


def _evaluate_seed(snapshot: Snapshot, seed: int, progress: Progress) -> dict[str, Any]:
    labels = known_labels(snapshot)
    fold = component_folds(
        snapshot, labels.is_fake, n_folds=_N_FOLDS, seed=seed, kinds=("PAID_WITH", "USED_DEVICE"), is_capped=False
    )
    apart = without_crossings(snapshot, fold)
    models: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "ours": lambda is_test: _gnn_scores(apart, is_test, seed),
        "trees, account features": lambda is_test: boosted_scores(
            apart, labels.is_known & ~is_test, has_neighbours=False, seed=seed
        ),
        "trees, neighbour aggregates": lambda is_test: boosted_scores(
            apart, labels.is_known & ~is_test, has_neighbours=True, seed=seed
        ),
    }
    scores = {name: np.full(snapshot.n_accounts, np.nan) for name in models}
    for held in range(_N_FOLDS):
        is_test = fold == held
        for name, model in models.items():
            scores[name][is_test] = model(is_test)[is_test]
        progress((held + 1) / _N_FOLDS)
    return {name: _report(values, labels.is_known, labels.is_fake, fold) for name, values in scores.items()}


def without_crossings(snapshot: Snapshot, fold: np.ndarray) -> Snapshot:
    """The snapshot without transfers and referrals between accounts of different folds, `[n_accounts] int64`."""
    kept = {
        type_: snapshot.relationships[type_].filter(
            pa.array(fold[snapshot.ends[type_].start] == fold[snapshot.ends[type_].end])
        )
        for type_ in _CROSSING
    }
    return replace(snapshot, relationships=snapshot.relationships | kept)


def only_accounts(snapshot: Snapshot, keep: np.ndarray) -> Snapshot:
    """The snapshot as if the other accounts had never been, `[n_accounts] bool`; no relationship may cross over."""
    kept = {
        type_: table.filter(pa.array(keep[snapshot.ends[type_].start]))
        for type_, table in snapshot.relationships.items()
        if RELATIONSHIPS_BY_TYPE[type_].start is ACCOUNT
    }
    return replace(
        snapshot,
        nodes=snapshot.nodes | {ACCOUNT.label: snapshot.accounts.filter(pa.array(keep))},
        relationships=snapshot.relationships | kept,
        labels=snapshot.labels.filter(pa.array(keep[snapshot.account_codes(snapshot.labels["account_id"])])),
    )


def _gnn_scores(snapshot: Snapshot, is_test: np.ndarray, seed: int) -> np.ndarray:
    return score(train(only_accounts(snapshot, ~is_test), seed=seed).model, snapshot).fake


def _report(score: np.ndarray, is_known: np.ndarray, is_fake: np.ndarray, fold: np.ndarray) -> dict[str, Any]:
    folds = [is_known & (fold == held) for held in range(_N_FOLDS)]
    return {
        "folds": [ranking_metrics(is_fake[rows], score[rows]) for rows in folds],
        "pooled": ranking_metrics(is_fake[is_known], score[is_known]),
    }


def _n_charged_back(snapshot: Snapshot) -> int:
    labels = snapshot.labels
    rows = pc.and_(pc.equal(labels["source"], "chargeback"), pc.equal(labels["label"], "fake"))
    return int(pc.sum(rows).as_py() or 0)
