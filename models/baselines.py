"""Gradient boosting, which a graph network has to beat: on an account's own features, and with those of its neighbours.

The second is the "XGBGraph" recipe of GADBench (Tang et al., arXiv 2306.12251): mean features of the neighbours one and
two steps away, here apart for those who share an identifier and those who deal with each other.
"""

from collections.abc import Iterable

import numpy as np
from scipy.sparse import csr_array
from sklearn.ensemble import HistGradientBoostingClassifier

from graph_schema.graph import ACCOUNT
from models.features import account_columns, category_columns, fit_vocabulary
from models.relations import Relation, account_relations, n_sharing, shared_relations
from models.snapshot import Snapshot


def own_features(snapshot: Snapshot, is_training: np.ndarray) -> np.ndarray:
    """What the network's accounts start from, `[n_accounts, n_features] float32`, NaN where unknown."""
    vocabulary = fit_vocabulary(snapshot, ACCOUNT, np.flatnonzero(is_training))
    values = [account_columns(snapshot).values, category_columns(snapshot, ACCOUNT, vocabulary).values]
    return _varying(np.concatenate(values, axis=1), is_training)


def neighbour_features(snapshot: Snapshot, is_training: np.ndarray) -> np.ndarray:
    """Own features, then means over neighbours one and two steps away, then how many there are of each kind."""
    own = own_features(snapshot, is_training)
    known = np.nan_to_num(own)
    shared, dealings = list(shared_relations(snapshot)), list(account_relations(snapshot))
    blocks = [own]
    for adjacency in (_sharing(snapshot.n_accounts, shared), _dealing(snapshot.n_accounts, dealings)):
        one_step = adjacency @ known
        blocks += [one_step, adjacency @ one_step]
    for relation in (*shared, *dealings):
        blocks.append(np.bincount(relation.account, minlength=snapshot.n_accounts)[:, None])
    for relation in shared:
        others = np.bincount(relation.account, n_sharing(relation) - 1, minlength=snapshot.n_accounts)
        blocks.append(others[:, None])
    return _varying(np.concatenate(blocks, axis=1).astype(np.float32), is_training)


def fit_boosting(features: np.ndarray, target: np.ndarray, *, seed: int) -> HistGradientBoostingClassifier:
    """Boosted trees with fixed, moderate settings, on `[n_training, n_features]` and 0/1 targets."""
    model = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=20, l2_regularization=1.0,
        random_state=seed,
    )  # fmt: skip
    return model.fit(features, target)


def _sharing(n_accounts: int, relations: Iterable[Relation]) -> csr_array:
    """Others met, by 1 / (n - 1) on an identifier of n accounts; `[n_accounts, n_accounts]`, rows sum to 1."""
    total = csr_array((n_accounts, n_accounts))
    for relation in relations:
        shape = (n_accounts, int(relation.other.max(initial=0)) + 1)
        uses = csr_array((np.ones(relation.account.size), (relation.account, relation.other)), shape=shape)
        damped = csr_array((1.0 / (n_sharing(relation) - 1), (relation.account, relation.other)), shape=shape)
        total = total + damped @ uses.T
    total.setdiag(0)
    return _row_normalised(total)


def _dealing(n_accounts: int, relations: Iterable[Relation]) -> csr_array:
    total = csr_array((n_accounts, n_accounts))
    for relation in relations:
        ones = np.ones(relation.account.size)
        total = total + csr_array((ones, (relation.account, relation.other)), shape=(n_accounts, n_accounts))
    return _row_normalised(total)


def _row_normalised(weights: csr_array) -> csr_array:
    total = np.asarray(weights.sum(axis=1)).ravel()
    scale = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    return csr_array(weights.multiply(scale[:, None]))


def _varying(values: np.ndarray, is_training: np.ndarray) -> np.ndarray:
    training = np.nan_to_num(values[is_training], nan=-1e9)
    return values[:, training.min(axis=0) < training.max(axis=0)]
