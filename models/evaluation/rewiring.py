"""Ablations of the edges: a network that relies on them must lose by it."""

import numpy as np
import pyarrow as pa

from ringwatch.graph_schema.graph import ACCOUNT, RELATIONSHIPS
from ringwatch.models.data.snapshot import Snapshot, make_snapshot


def shuffled(snapshot: Snapshot, *, seed: int) -> Snapshot:
    """The same accounts and identifiers, as many edges at each, but assigned at random: who shares with whom is lost.

    An account keeps the number of its edges and their columns; where the assignment gives it an identifier twice, one
    edge goes.
    """
    rng = np.random.default_rng(seed)
    relationships = dict(snapshot.relationships)
    for relationship in RELATIONSHIPS:
        if relationship.start is ACCOUNT:
            table = relationships[relationship.type]
            ends = table["end_id"].take(pa.array(rng.permutation(table.num_rows)))
            assigned = table.set_column(table.column_names.index("end_id"), "end_id", ends)
            relationships[relationship.type] = assigned.take(pa.array(_first_of_each(assigned)))
    return make_snapshot(snapshot.date, snapshot.nodes, relationships, snapshot.labels)


def without_edges(snapshot: Snapshot) -> Snapshot:
    """The same accounts, sharing nothing: each edge has an identifier of its own, and none interacts with another."""
    nodes, relationships = dict(snapshot.nodes), dict(snapshot.relationships)
    for relationship in RELATIONSHIPS:
        if relationship.start is not ACCOUNT:
            continue
        table = relationships[relationship.type]
        if relationship.end is ACCOUNT:
            relationships[relationship.type] = table.slice(0, 0)
            continue
        position = snapshot.ends[relationship.type].end
        names = pa.array([f"{row:09d}" for row in range(table.num_rows)])
        own = nodes[relationship.end.label].take(pa.array(position))
        nodes[relationship.end.label] = own.set_column(0, "id", names)
        relationships[relationship.type] = table.set_column(table.column_names.index("end_id"), "end_id", names)
    relationships["IN_SUBNET"] = relationships["IN_SUBNET"].slice(0, 0)
    return make_snapshot(snapshot.date, nodes, relationships, snapshot.labels)


def _first_of_each(table: pa.Table) -> np.ndarray:
    pairs = [table[name].combine_chunks().dictionary_encode().indices.to_numpy() for name in ("start_id", "end_id")]
    return np.sort(np.unique(np.stack(pairs), axis=1, return_index=True)[1])
