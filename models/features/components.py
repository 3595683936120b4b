"""Connected components of accounts over shared identifiers."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.features.relations import n_sharing, shared_relations


def components(snapshot: Snapshot, *, kinds: tuple[str, ...] | None = None, max_sharing: int | None) -> np.ndarray:
    """Component of every account over shared identifiers, `[n_accounts] int64` from 0.

    Args:
        snapshot: a night's graph.
        kinds: names of the relations that link; by default all.
        max_sharing: leave out identifiers with more accounts than this; None: none.
    """
    starts, ends, n_nodes = [], [], snapshot.n_accounts
    for relation in shared_relations(snapshot):
        if kinds is not None and relation.name not in kinds:
            continue
        keep = n_sharing(relation) <= (snapshot.n_accounts if max_sharing is None else max_sharing)
        starts.append(relation.account[keep])
        ends.append(relation.other[keep] + n_nodes)
        n_nodes += snapshot.nodes[relation.far.label].num_rows
    edges = (np.concatenate(starts), np.concatenate(ends))
    graph = coo_array((np.ones(edges[0].size, dtype=np.int8), edges), shape=(n_nodes, n_nodes))
    part = connected_components(graph, directed=False)[1][: snapshot.n_accounts]
    return np.asarray(np.unique(part, return_inverse=True)[1])
