"""A snapshot as PyG's HeteroData: accounts, identifiers, edges between them, and candidate pairs.

Edges point to the account that receives the message: from a shared identifier, or from the other account. Row numbers
are the snapshot's, so the same snapshot gives the same tensors.
"""

import numpy as np
import torch
from torch_geometric.data import HeteroData

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.models.common.memory import hold_no_freed_memory
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.features.account import Columns
from ringwatch.models.features.encoding import encode_accounts, encode_edges, encode_identifiers
from ringwatch.models.features.pairs import candidate_pairs
from ringwatch.models.features.relations import Relation, account_relations, shared_relations

PAIR = (ACCOUNT.label, "MAY_BE_ONE_OPERATOR", ACCOUNT.label)


def to_hetero_data(snapshot: Snapshot) -> HeteroData:
    """Graph with `x [n, n_inputs] float32`, and per edge type `edge_index [2, n_edges]` and `edge_attr float32`.

    Accounts have the snapshot's rows; their inputs are ranks, NaN where unknown. Of identifiers there are only those
    that somebody shares, in the same order. Every store names its inputs, in `inputs`. Pairs are the edge type `PAIR`.
    """
    hold_no_freed_memory()
    data = HeteroData()
    _put(data[ACCOUNT.label], "x", encode_accounts(snapshot))
    for relation in shared_relations(snapshot):
        shared, other = np.unique(relation.other, return_inverse=True)
        _put(data[relation.far.label], "x", encode_identifiers(snapshot, relation.far, shared))
        _put_edges(data, relation, other)
    for relation in account_relations(snapshot):
        _put_edges(data, relation, relation.other)
    pairs = candidate_pairs(snapshot)
    data[PAIR].edge_index = torch.from_numpy(np.stack([pairs.one, pairs.other]))
    _put(data[PAIR], "edge_attr", pairs.columns)
    return data


def _put_edges(data: HeteroData, relation: Relation, other: np.ndarray) -> None:
    store = data[relation.far.label, relation.name, ACCOUNT.label]
    store.edge_index = torch.from_numpy(np.stack([other, relation.account]))
    _put(store, "edge_attr", encode_edges(relation))


def _put(store: "HeteroData", name: str, columns: Columns) -> None:
    store[name] = torch.from_numpy(np.ascontiguousarray(columns.values))
    store.inputs = columns.names
