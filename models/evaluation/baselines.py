"""Gradient-boosted trees as baselines: on an account's own features, and with those of its neighbours.

The second is the "XGBGraph" recipe of GADBench (Tang et al., arXiv 2306.12251): mean features of the neighbours one and
two steps away, here separately for shared identifiers and for direct interaction.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.models.data.labels import Labels, known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.features.account import Vocabulary, account_columns, category_columns, fit_vocabulary
from ringwatch.models.features.neighbours import DirectNeighbours, SharedIdentifierNeighbours
from ringwatch.models.features.relations import Relation, account_relations, n_sharing, shared_relations

_N_SPREADS, _DAMPING = 20, 0.85  # of label propagation


@dataclass(frozen=True)
class BoostedFeatures:
    """The features of boosted trees, selected on one snapshot so that a model can score another.

    Attributes:
        vocabulary: words of the categories.
        keep: `[n_features] bool`, those that vary among the training accounts.
        has_neighbours: whether those of neighbours are among them.
    """

    vocabulary: Vocabulary
    keep: np.ndarray
    has_neighbours: bool

    def of(self, snapshot: Snapshot) -> np.ndarray:
        """`[n_accounts, n_kept] float32`, NaN where unknown."""
        return _all_features(snapshot, self.vocabulary, self.has_neighbours)[:, self.keep]


def fit_features(snapshot: Snapshot, is_training: np.ndarray, *, has_neighbours: bool) -> BoostedFeatures:
    """Select the features on the training accounts, `[n_accounts] bool`.

    What the network's accounts start from; with neighbours also the means over those one and two steps away, and how
    many there are of each kind.
    """
    vocabulary = fit_vocabulary(snapshot, ACCOUNT, np.flatnonzero(is_training))
    training = np.nan_to_num(_all_features(snapshot, vocabulary, has_neighbours)[is_training], nan=-1e9)
    return BoostedFeatures(vocabulary, training.min(axis=0) < training.max(axis=0), has_neighbours)


def boosted_scores(snapshot: Snapshot, is_training: np.ndarray, *, has_neighbours: bool, seed: int) -> np.ndarray:
    """Scores of trees trained on the known labels of `is_training` accounts, `[n_accounts] float64`."""
    values = fit_features(snapshot, is_training, has_neighbours=has_neighbours).of(snapshot)
    model = fit_boosting(values[is_training], known_labels(snapshot).is_fake[is_training], seed=seed)
    return np.asarray(model.predict_proba(values)[:, 1])


def fit_boosting(features: np.ndarray, target: np.ndarray, *, seed: int) -> HistGradientBoostingClassifier:
    """Boosted trees with fixed, moderate settings, on `[n_training, n_features]` and 0/1 targets."""
    model = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=20, l2_regularization=1.0,
        random_state=seed,
    )  # fmt: skip
    return model.fit(features, target)


def _all_features(snapshot: Snapshot, vocabulary: Vocabulary, has_neighbours: bool) -> np.ndarray:
    own = np.concatenate(
        [account_columns(snapshot).values, category_columns(snapshot, ACCOUNT, vocabulary).values], axis=1
    )
    return np.concatenate([own, *_of_neighbours(snapshot, own)], axis=1).astype(np.float32) if has_neighbours else own


def _of_neighbours(snapshot: Snapshot, own: np.ndarray) -> Iterator[np.ndarray]:
    known = np.nan_to_num(own)
    shared, direct = list(shared_relations(snapshot)), list(account_relations(snapshot))
    sharing = SharedIdentifierNeighbours(snapshot.n_accounts, map(_both_ways, shared))
    for neighbours in (sharing, DirectNeighbours(snapshot.n_accounts, map(_edges, direct))):
        one_step = neighbours.mean(known)
        yield one_step
        yield neighbours.mean(one_step)
    for relation in (*shared, *direct):
        yield np.bincount(relation.account, minlength=snapshot.n_accounts)[:, None]
    for relation in shared:
        yield np.bincount(relation.account, n_sharing(relation) - 1, minlength=snapshot.n_accounts)[:, None]


def _both_ways(relation: Relation) -> tuple[np.ndarray, np.ndarray]:
    """Edges over which accounts send and receive: a baseline hears whoever shares, in whatever order."""
    return _edges(relation), _edges(relation)


def _edges(relation: Relation) -> np.ndarray:
    return np.stack([relation.other, relation.account])


def propagated_labels(snapshot: Snapshot, labels: Labels) -> np.ndarray:
    """Label propagation (Zhu and Ghahramani 2002) over shared identifiers, `[n_accounts] float64`.

    A known label stays what it is, and each other account takes the damped mean of those it shares with.
    """
    sharing = SharedIdentifierNeighbours(snapshot.n_accounts, map(_both_ways, shared_relations(snapshot)))
    score = labels.is_fake.astype(np.float64)[:, None]
    for _ in range(_N_SPREADS):
        score = np.where(labels.is_known[:, None], labels.is_fake[:, None], _DAMPING * sharing.mean(score))
    return score[:, 0]
