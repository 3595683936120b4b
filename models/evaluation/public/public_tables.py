"""Evaluation of a platform's own ensemble on a published table, by the split that figures were published for.

A table has rows in place of accounts: crowd workers, transactions. The default model does not apply to them, so an
ensemble trained from scratch is evaluated (training/own_networks.py), trained on the training rows
alone. Boosted trees are given the same inputs in the same run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from torch_geometric.data import HeteroData

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.models.common.metrics import ranking_metrics
from ringwatch.models.data.labels import Labels
from ringwatch.models.ensemble.trees import tree_inputs
from ringwatch.models.evaluation.baselines import fit_boosting
from ringwatch.models.scoring.networks import predict_logits
from ringwatch.models.training.calibration import calibrate
from ringwatch.models.training.fitting import Progress, part_of
from ringwatch.models.training.own_networks import own_networks
from ringwatch.models.training.splits import assign_folds

_N_FOLDS = 3


@dataclass(frozen=True)
class Split:
    """Training rows and test rows, `[n_rows] bool` each."""

    is_training: np.ndarray
    is_test: np.ndarray


@dataclass(frozen=True)
class PublicTable:
    """A published table as a graph.

    Attributes:
        data: its rows are the accounts of it.
        is_fake: `[n_rows] bool`.
        splits: the published ones first.
        published: metrics of others' models by their names, as their authors report them.
        component: `[n_rows] int64`, where the splits keep components whole, as those within the training rows then do.
    """

    data: HeteroData
    is_fake: np.ndarray
    splits: Sequence[Split]
    published: Mapping[str, Mapping[str, float]]
    component: np.ndarray | None = None


def evaluate_table(table: PublicTable, *, progress: Progress = lambda share: None) -> dict[str, Any]:
    """Metrics of our model and of boosted trees on every split.

    Returns:
        `{"published": ..., "splits": [{model: metrics}]}`: AP, AUROC, and F1 (mean of both classes) at probability 1/2.
    """
    n_splits = len(table.splits)
    return {
        "published": table.published,
        "splits": [
            _evaluate_split(table, split, number, part_of(progress, number, n_splits))
            for number, split in enumerate(table.splits)
        ],
    }


def _evaluate_split(table: PublicTable, split: Split, seed: int, progress: Progress) -> dict[str, dict[str, float]]:
    own, with_neighbours = table.data[ACCOUNT.label].x.numpy(), tree_inputs(table.data).values
    probability = {
        "ours": _our_probability(table, split, seed, progress),
        "trees, own columns": _tree_probability(own, table, split, seed),
        "trees, neighbour aggregates": _tree_probability(with_neighbours, table, split, seed),
    }
    is_fake = table.is_fake[split.is_test]
    return {
        name: {**ranking_metrics(is_fake, score), "f1": float(f1_score(is_fake, score >= 0.5, average="macro"))}
        for name, score in ((name, values[split.is_test]) for name, values in probability.items())
    }


def _our_probability(table: PublicTable, split: Split, seed: int, progress: Progress) -> np.ndarray:
    labels = Labels(
        target=np.where(split.is_training, table.is_fake, -1).astype(np.int8),
        confidence=split.is_training.astype(np.float64),
        known_at=np.full(table.is_fake.size, np.datetime64("NaT", "us")),
    )
    fold = _inner_folds(table, labels, seed)
    networks = own_networks(table.data, labels, fold, seed=seed, progress=progress)
    calibration = calibrate(networks.held_out, labels.is_fake, labels.confidence)
    logits, _ = predict_logits(networks.members, networks.trees, table.data, labels, labels.is_known)
    return calibration.apply(logits)


def _inner_folds(table: PublicTable, labels: Labels, seed: int) -> np.ndarray:
    """Folds that the trees and networks are weighed by, `[n_rows] int64`."""
    if table.component is not None:
        return assign_folds(table.component, labels.is_fake, n_folds=_N_FOLDS, seed=seed)
    fold = np.empty(table.is_fake.size, dtype=np.int64)
    folds = StratifiedKFold(_N_FOLDS, shuffle=True, random_state=seed).split(table.is_fake, labels.target)
    for number, (_, held) in enumerate(folds):
        fold[held] = number
    return fold


def _tree_probability(values: np.ndarray, table: PublicTable, split: Split, seed: int) -> np.ndarray:
    trees = fit_boosting(values[split.is_training], table.is_fake[split.is_training], seed=seed)
    return np.asarray(trees.predict_proba(values)[:, 1])
