"""How strongly two accounts hang together: a weighted graph over the rare identifiers that they share.

An identifier on d accounts ties each two of them with strength / max(d - 1, 6). What it is worth to an account does not
grow with the crowd on it (Newman 2001, "Scientific collaboration networks II", which divides a paper among its authors
so); nor with how few they are, else the pairs that any crowd has, a couple's card or a device sold on, would outweigh
rings and chain them together. The sum is multiplied by the number of independent families of evidence, as one shared
thing has many innocent causes and three have few. A payment or a referral between two accounts counts as a family of
its own, but only where they share something: people pay strangers all day.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from models.identifiers import SharedKind
from models.snapshot import Snapshot

_DIRECT_TYPES = ("SENT_MONEY_TO", "REFERRED_BY")
_DIRECT_STRENGTH = 0.3
_FEWEST_OTHERS = 6


def sharing_graph(
    snapshot: Snapshot, kinds: Sequence[SharedKind], among: np.ndarray | None = None
) -> sparse.csr_matrix:
    """Ties between accounts, `[n_accounts, n_accounts]` float32, symmetric, without a diagonal.

    Args:
        snapshot: the night's graph.
        kinds: its shared identifiers.
        among: `[n_accounts]` bool, the only accounts to tie (degrees stay those of the whole graph); all if None.
    """
    n_accounts = snapshot.n_accounts
    graph = sparse.csr_matrix((n_accounts, n_accounts), dtype=np.float32)
    n_families = graph.copy()
    for family in sorted({kind.evidence.family for kind in kinds}):
        ties = graph_of_family([kind for kind in kinds if kind.evidence.family == family], n_accounts, among)
        graph = graph + ties
        n_families = n_families + _ones_like(ties)
    direct = _direct_ties(snapshot).multiply(_ones_like(graph)).tocsr()
    graph = graph + _DIRECT_STRENGTH * direct
    n_families = n_families + direct
    return _canonical(graph.multiply(n_families))


def graph_of_family(kinds: Sequence[SharedKind], n_accounts: int, among: np.ndarray | None = None) -> sparse.csr_matrix:
    """Ties through one family of identifiers, `[n_accounts, n_accounts]` float32, without a diagonal."""
    ties = sparse.csr_matrix((n_accounts, n_accounts), dtype=np.float32)
    for kind in kinds:
        if among is not None:
            kind = kind.select(among[kind.account])
        weight = kind.evidence.strength / np.maximum(kind.degree[kind.identifier] - 1, _FEWEST_OTHERS)
        incidence = kind.incidence(n_accounts, np.sqrt(weight).astype(np.float32))
        ties = ties + incidence @ incidence.T
    ties.setdiag(0)
    return _canonical(ties)


def reached_accounts(kinds: Sequence[SharedKind], start: np.ndarray) -> np.ndarray:
    """Those accounts and all that share an identifier with one of them, `[n_accounts]` bool."""
    reached = start.copy()
    for kind in kinds:
        touched = np.zeros(kind.degree.size, dtype=bool)
        touched[kind.identifier[start[kind.account]]] = True
        reached[kind.account[touched[kind.identifier]]] = True
    return reached


def _direct_ties(snapshot: Snapshot) -> sparse.csr_matrix:
    ends = [snapshot.ends[type_] for type_ in _DIRECT_TYPES]
    start, end = (np.concatenate(side) for side in zip(*ends, strict=True))
    shape = (snapshot.n_accounts, snapshot.n_accounts)
    ties = sparse.csr_matrix((np.ones(start.size, dtype=np.float32), (start, end)), shape=shape)
    return _ones_like(_canonical(ties + ties.T))


def _ones_like(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones_like(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)


def _canonical(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Sorted, without stored zeros, so that the same graph is the same arrays."""
    matrix = matrix.tocsr()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix
