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

    def __init__(self, n_accounts: int, edges: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
        """Of one kind of identifier at a time the edges over which accounts send, and those over which they receive.

        The second are among the first: whoever receives over an edge is left out of what it receives.
        """
        self.uses = []
        for sending, receiving in edges:
            n_identifiers = int(sending[0].max(initial=0)) + 1
            self.uses.append(tuple(_matrix(n_accounts, n_identifiers, each) for each in (sending, receiving)))
        self.n_shared = sum((np.diff(receiving.indptr) for _, receiving in self.uses), np.zeros(n_accounts))

    def mean(self, values: np.ndarray) -> np.ndarray:
        """`[n_accounts, n_features]` to the same; 0 for an account that shares nothing."""
        total = np.zeros(values.shape)
        for sending, receiving in self.uses:
            n_others = np.asarray(sending.sum(axis=0)).ravel() - 1.0  # [n_identifiers]
            damped = receiving * np.divide(1.0, n_others, out=np.zeros_like(n_others), where=n_others > 0)
            of_others = damped @ (sending.T @ values) - np.asarray(damped.sum(axis=1)).ravel()[:, None] * values
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
