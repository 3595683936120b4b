"""Means over an account's neighbours: those it shares identifiers with, and those it deals with.

Edges are `[2, n_edges]`: what is heard (an identifier, or another account), then the account that hears.
"""

from collections.abc import Iterable

import numpy as np
from scipy.sparse import csr_array


class Sharing:
    """Means over those an account shares identifiers with: on each the others' mean, then the mean of those.

    By way of the identifiers, and never as a matrix of accounts: a free-mail domain would fill it.
    """

    def __init__(self, n_accounts: int, edges: Iterable[np.ndarray]) -> None:
        """Edges of one kind of identifier at a time."""
        self.uses = [_matrix(n_accounts, int(each[0].max(initial=0)) + 1, each) for each in edges]
        self.n_shared = sum((np.diff(uses.indptr) for uses in self.uses), np.zeros(n_accounts))

    def mean(self, values: np.ndarray) -> np.ndarray:
        """`[n_accounts, n_features]` to the same; 0 for an account that shares nothing."""
        total = np.zeros(values.shape)
        for uses in self.uses:
            n_others = np.asarray(uses.sum(axis=0)).ravel() - 1.0  # [n_identifiers]
            damped = uses * np.divide(1.0, n_others, out=np.zeros_like(n_others), where=n_others > 0)
            of_others = damped @ (uses.T @ values) - np.asarray(damped.sum(axis=1)).ravel()[:, None] * values
            total += of_others
        return _ratio(total, self.n_shared)


class Dealing:
    """Means over those an account deals with, either way."""

    def __init__(self, n_accounts: int, edges: Iterable[np.ndarray]) -> None:
        """Edges of one kind of dealing at a time."""
        kinds = (_matrix(n_accounts, n_accounts, each) for each in edges)
        self.dealings = sum(kinds, csr_array((n_accounts, n_accounts)))
        self.n_dealings = np.asarray(self.dealings.sum(axis=1)).ravel()

    def mean(self, values: np.ndarray) -> np.ndarray:
        """`[n_accounts, n_features]` to the same; 0 for an account that deals with nobody."""
        return _ratio(self.dealings @ values, self.n_dealings)


def _matrix(n_accounts: int, n_heard: int, edges: np.ndarray) -> csr_array:
    heard, account = edges
    return csr_array((np.ones(account.size), (account, heard)), shape=(n_accounts, n_heard))


def _ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.asarray(total * np.divide(1.0, count, out=np.zeros(count.size), where=count > 0)[:, None])
