"""Networks of a platform's own, trained from nothing on its labels, with boosted trees beside them."""

from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression
from torch_geometric.data import HeteroData

from ringwatch.models.data.labels import Labels, known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.ensemble.trees import Trees, grow, said_by_trees, tree_inputs
from ringwatch.models.gnn.hetero import PAIR, to_hetero_data
from ringwatch.models.scoring.held_out import Networks, held_out
from ringwatch.models.training.fitting import Lesson, Pace, Progress, part_of, teach

_UNLABELLED_WEIGHT = 0.1
_PACE = Pace(n_epochs=40, learning_rate=2e-2, weight_decay=5e-2, shown=(0.0, 0.5))


def own_networks(
    data: HeteroData, labels: Labels, fold: np.ndarray, *, seed: int, progress: Progress = lambda share: None
) -> Networks:
    """Networks trained from nothing, with trees beside them, one a fold, each on the labels of the other folds.

    An unlabelled account counts as legitimate with a small weight. Nearly all of them are, and without them a world
    whose labels are mostly fakes would look mostly fake; but some are fakes not found yet, and at full weight they
    would teach the network to miss their like.
    """
    n_folds = int(fold.max()) + 1
    members = tuple(
        teach([_lesson(data, labels, fold != held)], _PACE, seed=seed + held, progress=part_of(progress, held, n_folds))
        for held in range(n_folds)
    )
    of_networks = held_out(data, labels, fold, [[member] for member in members])
    inputs, confidence = tree_inputs(data), np.where(labels.is_known, labels.confidence, 0.0)
    texts = tuple(grow(inputs, labels.is_fake, confidence * (fold != held), seed=seed) for held in range(n_folds))
    of_trees = np.empty(fold.size)
    for held, text in enumerate(texts):
        of_trees[fold == held] = said_by_trees((text,), inputs)[fold == held]
    share = _share_of_trees(of_networks, of_trees, labels)
    return Networks(members, (1 - share) * of_networks + share * of_trees, Trees(texts, share), None)


def teach_an_epoch(snapshot: Snapshot) -> None:
    """One pass over a night's labels, to see what it takes; what is learnt is thrown away."""
    data, labels = to_hetero_data(snapshot), known_labels(snapshot)
    everyone = np.ones(snapshot.n_accounts, dtype=bool)
    teach([_lesson(data, labels, everyone)], replace(_PACE, n_epochs=1), seed=0, progress=lambda share: None)


def _share_of_trees(of_networks: np.ndarray, of_trees: np.ndarray, labels: Labels) -> float:
    """How much trees weigh against networks, by a logistic regression of the known labels on both held-out logits."""
    known = labels.is_known
    logits = np.stack([of_networks, of_trees], axis=1)[known]
    fitted = LogisticRegression().fit(logits, labels.is_fake[known], sample_weight=labels.confidence[known])
    networks, trees = np.maximum(fitted.coef_[0], 0.0) + 1e-9
    return float(trees / (networks + trees))


def _lesson(data: HeteroData, labels: Labels, is_told: np.ndarray) -> Lesson:
    """What the labels of the accounts where `is_told` teach; a pair teaches something when both its ends are known."""
    weight = is_told * np.where(labels.is_known, labels.confidence, _UNLABELLED_WEIGHT)
    one, other = data[PAIR].edge_index.numpy()
    is_shown = labels.is_known & is_told
    return Lesson(
        data=data,
        labels=labels._replace(target=np.where(is_told, labels.target, -1)),
        fake=labels.is_fake.astype(np.float32),
        weight=_balanced(weight, labels.is_fake),
        one_operator=(labels.is_fake[one] & labels.is_fake[other]).astype(np.float32),
        pair_weight=(is_shown[one] & is_shown[other]).astype(np.float32),
    )


def _balanced(weight: np.ndarray, is_fake: np.ndarray) -> np.ndarray:
    """Fakes count for more, by the square root of their rarity: `[n_accounts] float32`."""
    fakes = max(weight[is_fake].sum(), 1e-9)  # without any, none is weighed
    return np.where(is_fake, weight * np.sqrt((weight.sum() - fakes) / fakes), weight).astype(np.float32)
