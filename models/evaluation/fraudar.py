"""Fraudar: the densest block of accounts and identifiers, camouflage discounted. A baseline that needs no labels."""

import heapq

import numpy as np

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.features.relations import shared_relations

_LOG_OFFSET = 5.0  # the paper's, in 1 / log(degree + 5)


def fraudar_scores(snapshot: Snapshot) -> np.ndarray:
    """How late an account is peeled off, `[n_accounts] float64` in 0..1 (Hooi et al., KDD 2016, "Fraudar").

    Whoever adds least to the density is taken off, one after the other; an identifier's edges weigh
    1 / log(degree + 5), so that sharing what everybody shares hides nothing. The densest block found goes first in the
    ranking, and the order of peeling settles the rest.
    """
    account, identifier, weight, n_nodes = _edges(snapshot)
    neighbours = _by_node(np.concatenate([account, identifier]), np.concatenate([identifier, account]), n_nodes)
    weights = _by_node(np.concatenate([account, identifier]), np.tile(weight, 2), n_nodes)
    left = np.bincount(account, weight, n_nodes) + np.bincount(identifier, weight, n_nodes)
    heap = [(float(value), node) for node, value in enumerate(left)]
    heapq.heapify(heap)
    is_gone, order = np.zeros(n_nodes, dtype=bool), np.zeros(n_nodes)
    total, best, best_step = float(weight.sum()), 0.0, 0
    for step in range(n_nodes):
        node = _next(heap, left, is_gone)
        density = total / (n_nodes - step)
        if density > best:
            best, best_step = density, step
        is_gone[node], order[node] = True, step
        total -= left[node]
        for other, edge in zip(neighbours[node], weights[node], strict=True):
            if not is_gone[other]:
                left[other] -= edge
                heapq.heappush(heap, (float(left[other]), int(other)))
    rank = order[: snapshot.n_accounts]
    return np.asarray((rank + (rank >= best_step) * n_nodes) / (2 * n_nodes))


def _next(heap: list[tuple[float, int]], left: np.ndarray, is_gone: np.ndarray) -> int:
    """The node that adds least; entries that later ones replaced are passed over."""
    while True:
        value, node = heapq.heappop(heap)
        if not is_gone[node] and value <= left[node] + 1e-9:
            return node


def _edges(snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Account, identifier (numbered after the accounts) and weight of each edge, and the number of nodes."""
    accounts, identifiers, weights, n_nodes = [], [], [], snapshot.n_accounts
    for relation in shared_relations(snapshot):
        used, position = np.unique(relation.other, return_inverse=True)
        degree = np.bincount(position)
        accounts.append(relation.account)
        identifiers.append(position + n_nodes)
        weights.append(1 / np.log(degree[position] + _LOG_OFFSET))
        n_nodes += used.size
    return np.concatenate(accounts), np.concatenate(identifiers), np.concatenate(weights), n_nodes


def _by_node(node: np.ndarray, values: np.ndarray, n_nodes: int) -> list[np.ndarray]:
    order = np.argsort(node, kind="stable")
    return np.split(values[order], np.cumsum(np.bincount(node, minlength=n_nodes))[:-1])
