"""Communities of accounts by predicted links: candidate rings, before they are classified.

Communities, not components: the constant Potts model (Traag, Van Dooren and Nesterov 2011, "Narrow scope for
resolution-limit-free community detection") joins two groups only if the links between them are as dense as
`MIN_DENSITY` asks of a ring. A chain of accounts, or two groups that one wrong link joins, is not dense however long it
grows; and what is a group here does not depend on how large the rest of the graph is, as with modularity.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sknetwork.clustering import Louvain

from ringwatch.models.data.links import Links

MIN_DENSITY = 0.01  # mean probability of a link between two members; of a ring of 100, each has a link for certain
_MIN_LINK = 0.1  # a group may be certain where no single link is
MIN_ACCOUNTS = 3
_MIN_MEMBERSHIP = 0.1


@dataclass(frozen=True)
class Groups:
    """Disjoint groups of at least `MIN_ACCOUNTS` accounts, numbered by their first account.

    Attributes:
        group: `[n_accounts]` int64 number of the account's group, -1 for none.
        membership: `[n_accounts]` float64 in 0..1, 0 outside all groups: the share of an account's ties that lie in its
            group, times 1 - exp(-their sum), as a single thin tie holds nobody.
    """

    group: np.ndarray
    membership: np.ndarray

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.group.max(initial=-1)) + 1


def link_graph(links: Links) -> sparse.csr_matrix:
    """Links that are not unlikely, `[n_accounts, n_accounts]`, symmetric: the larger probability of both directions."""
    likely = links.probability >= _MIN_LINK
    ends = (links.receiver[likely], links.sender[likely])
    heard = sparse.csr_matrix((links.probability[likely], ends), shape=(links.n_accounts, links.n_accounts))
    return heard.maximum(heard.T).tocsr()


def among(graph: sparse.csr_matrix, keep: np.ndarray) -> sparse.csr_matrix:
    """Only the ties between accounts at `keep`, `[n_accounts] bool`."""
    ties = graph.tocoo()
    kept = keep[ties.row] & keep[ties.col]
    return sparse.csr_matrix((ties.data[kept], (ties.row[kept], ties.col[kept])), shape=graph.shape)


def find_groups(graph: sparse.csr_matrix) -> Groups:
    """Dense groups of a symmetric weighted graph, `[n_accounts, n_accounts]`, the same ones for the same graph."""
    group = _communities(graph)
    group[_membership(graph, group) < _MIN_MEMBERSHIP] = -1
    group = _numbered_by_first(_connected_parts(graph, group))
    return Groups(group, _membership(graph, group))


def keep_groups(groups: Groups, keep: np.ndarray) -> Groups:
    """Only the groups at `keep`, `[n_groups]` bool, numbered anew."""
    kept = np.append(keep, False)[groups.group]
    return Groups(_numbered_by_first(np.where(kept, groups.group, -1)), np.where(kept, groups.membership, 0.0))


def _communities(graph: sparse.csr_matrix) -> np.ndarray:
    """Community of each account that has a tie, `[n_accounts]` int64, -1 for the others."""
    community = np.full(graph.shape[0], -1, dtype=np.int64)
    tied = np.flatnonzero(np.diff(graph.indptr))
    if tied.size:
        ties = graph[tied][:, tied].astype(np.float64)
        # Louvain, for scikit-network's Leiden draws from the C library's unseeded rand(). Unshuffled, it is exact to
        # repeat. Its Potts model weighs a tie w as w / total against resolution / n^2.
        louvain = Louvain(
            resolution=MIN_DENSITY * tied.size**2 / ties.sum(),
            modularity="potts",
            tol_optimization=1e-9,
            tol_aggregation=1e-9,
            return_probs=False,
            return_aggregate=False,
        )
        community[tied] = louvain.fit_predict(ties)
    return community


def _inner_ties(graph: sparse.csr_matrix, group: np.ndarray) -> sparse.coo_matrix:
    """Ties between two accounts of one group."""
    ties = graph.tocoo()
    inner = (group[ties.row] == group[ties.col]) & (group[ties.row] >= 0)
    return sparse.coo_matrix((ties.data[inner], (ties.row[inner], ties.col[inner])), shape=graph.shape)


def _membership(graph: sparse.csr_matrix, group: np.ndarray) -> np.ndarray:
    inner = _inner_ties(graph, group)
    within = np.bincount(inner.row, weights=inner.data, minlength=group.size)
    rows = np.repeat(np.arange(group.size), np.diff(graph.indptr))
    total = np.bincount(rows, weights=graph.data, minlength=group.size)
    share = np.divide(within, total, out=np.zeros(group.size), where=total > 0)
    return np.asarray(share * -np.expm1(-within))


def _connected_parts(graph: sparse.csr_matrix, group: np.ndarray) -> np.ndarray:
    """Groups as connected parts of at least `MIN_ACCOUNTS`: neither Louvain nor the loss of a member keeps them so."""
    _, part = sparse.csgraph.connected_components(_inner_ties(graph, group), directed=False)
    part = part.astype(np.int64)
    too_small = np.bincount(part, minlength=1)[part] < MIN_ACCOUNTS
    part[too_small | (group < 0)] = -1
    return np.asarray(part)


def _numbered_by_first(group: np.ndarray) -> np.ndarray:
    """The same groups, numbered from 0 in the order of their first accounts."""
    in_group = group >= 0
    _, first, number = np.unique(group[in_group], return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    numbered = np.full(group.size, -1, dtype=np.int64)
    numbered[in_group] = rank[number]
    return numbered
