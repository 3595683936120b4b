"""Connected components: whoever is linked, by whatever, to a known fake is accused. The baseline that accuses most."""

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


def accused_by_component(snapshot: Snapshot, is_known_fake: np.ndarray, *, max_sharing: int) -> np.ndarray:
    """Accounts in a component with a known fake, `[n_accounts] bool`."""
    component = components(snapshot, max_sharing=max_sharing)
    return np.isin(component, component[is_known_fake])
