"""An ensemble of a platform's own: networks trained from scratch on its labels, and gradient-boosted trees."""

from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from torch_geometric.data import HeteroData

from ringwatch.models.data.labels import Labels, known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.ensemble.trees import Trees, fit_trees, predict_tree_logits, tree_inputs
from ringwatch.models.gnn.hetero import PAIR, to_hetero_data
from ringwatch.models.scoring.held_out import Networks, held_out_logits
from ringwatch.models.training.fitting import Progress, TrainingGraph, TrainingSchedule, fit, part_of

_UNLABELLED_WEIGHT = 0.1
_SCHEDULE = TrainingSchedule(n_epochs=40, learning_rate=2e-2, weight_decay=5e-2, visible_shares=(0.0, 0.5))


def own_networks(
    data: HeteroData, labels: Labels, fold: np.ndarray, *, seed: int, progress: Progress = lambda share: None
) -> Networks:
    """Networks and trees trained from scratch, one of each a fold, on the labels of the other folds.

    An unlabelled account counts as legitimate with a small weight. Nearly all of them are, and without them a world
    whose labels are mostly fakes would look mostly fake; but some are fakes not found yet, and at full weight the
    network would learn to miss others like them.
    """
    n_folds = int(fold.max()) + 1
    members = tuple(
        fit(
            [_training_graph(data, labels, fold != held)],
            _SCHEDULE,
            seed=seed + held,
            progress=part_of(progress, held, n_folds),
        )
        for held in range(n_folds)
    )
    of_networks = held_out_logits(data, labels, fold, [[member] for member in members])
    inputs, confidence = tree_inputs(data), np.where(labels.is_known, labels.confidence, 0.0)
    model_strings = tuple(
        fit_trees(inputs, labels.is_fake, confidence * (fold != held), seed=seed) for held in range(n_folds)
    )
    of_trees = np.empty(fold.size)
    for held, model_string in enumerate(model_strings):
        of_trees[fold == held] = predict_tree_logits((model_string,), inputs)[fold == held]
    share = _share_of_trees(of_networks, of_trees, labels)
    return Networks(members, (1 - share) * of_networks + share * of_trees, Trees(model_strings, share))


def fit_one_epoch(snapshot: Snapshot) -> None:
    """One epoch on a night's labels, to measure what it takes; the network is discarded."""
    data, labels = to_hetero_data(snapshot), known_labels(snapshot)
    everyone = np.ones(snapshot.n_accounts, dtype=bool)
    fit([_training_graph(data, labels, everyone)], replace(_SCHEDULE, n_epochs=1), seed=0, progress=lambda share: None)


def _share_of_trees(of_networks: np.ndarray, of_trees: np.ndarray, labels: Labels) -> float:
    """Weight of the trees in the ensemble, by a logistic regression of the known labels on both held-out logits.

    All of it where the trees alone rank those labels better: where an account's own columns tell nearly everything, a
    network adds noise.
    """
    known = labels.is_known
    logits, is_fake = np.stack([of_networks, of_trees], axis=1)[known], labels.is_fake[known]
    fitted = LogisticRegression().fit(logits, is_fake, sample_weight=labels.confidence[known])
    networks, trees = np.maximum(fitted.coef_[0], 0.0) + 1e-9
    share = float(trees / (networks + trees))
    of_sum, alone = (average_precision_score(is_fake, logits @ [1 - each, each]) for each in (share, 1.0))
    return share if of_sum >= alone else 1.0


def _training_graph(data: HeteroData, labels: Labels, is_training: np.ndarray) -> TrainingGraph:
    """The labels of the accounts where `is_training`; a pair has weight in the loss when both its ends are known."""
    weight = is_training * np.where(labels.is_known, labels.confidence, _UNLABELLED_WEIGHT)
    one, other = data[PAIR].edge_index.numpy()
    is_known = labels.is_known & is_training
    return TrainingGraph(
        data=data,
        labels=labels._replace(target=np.where(is_training, labels.target, -1)),
        fake=labels.is_fake.astype(np.float32),
        weight=_balanced(weight, labels.is_fake),
        one_operator=(labels.is_fake[one] & labels.is_fake[other]).astype(np.float32),
        pair_weight=(is_known[one] & is_known[other]).astype(np.float32),
    )


def _balanced(weight: np.ndarray, is_fake: np.ndarray) -> np.ndarray:
    """Class weights: fakes count for more, by the square root of their rarity, `[n_accounts] float32`."""
    fakes = max(weight[is_fake].sum(), 1e-9)  # without any, none is weighted
    return np.where(is_fake, weight * np.sqrt((weight.sum() - fakes) / fakes), weight).astype(np.float32)
