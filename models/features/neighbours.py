"""Mean aggregation over an account's neighbours: those it shares identifiers with, and those it interacts with.

Edges are `[2, n_edges]`, from a source (an identifier, or another account) to an account.
"""

from collections.abc import Iterable

import numpy as np
from scipy.sparse import csr_array


class SharedIdentifierNeighbours:
    """Mean over the accounts that share identifiers with an account: per identifier over the others, then over these.

    Computed through the identifiers, never as a matrix of accounts by accounts: a free-mail domain would fill it.
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


class DirectNeighbours:
    """Mean over the accounts that an account interacts with, in either direction."""

    def __init__(self, n_accounts: int, edges: Iterable[np.ndarray]) -> None:
        """Edges of one relationship at a time."""
        kinds = (_matrix(n_accounts, n_accounts, each) for each in edges)
        self.adjacency = sum(kinds, csr_array((n_accounts, n_accounts)))
        self.n_edges = np.asarray(self.adjacency.sum(axis=1)).ravel()

    def mean(self, values: np.ndarray) -> np.ndarray:
        """`[n_accounts, n_features]` to the same; 0 for an account that interacts with nobody."""
        return _ratio(self.adjacency @ values, self.n_edges)


def _matrix(n_accounts: int, n_sources: int, edges: np.ndarray) -> csr_array:
    source, account = edges
    return csr_array((np.ones(account.size), (account, source)), shape=(n_accounts, n_sources))


def _ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.asarray(total * np.divide(1.0, count, out=np.zeros(count.size), where=count > 0)[:, None])
