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
from ringwatch.models.features.encoding import encode_accounts, encode_columns, encode_identifiers
from ringwatch.models.features.pairs import candidate_pairs
from ringwatch.models.features.relations import heard_accounts, heard_relations

PAIR = (ACCOUNT.label, "MAY_BE_ONE_OPERATOR", ACCOUNT.label)


def to_hetero_data(snapshot: Snapshot) -> HeteroData:
    """Graph with `x [n, n_inputs] float32`, and per edge type `edge_index [2, n_edges]` and `edge_attr float32`.

    Accounts have the snapshot's rows; their inputs are ranks, NaN where unknown. Of identifiers there are only those
    that somebody shares, one node for each slot in which somebody begins to use it (features/order.py); `receives`,
    `[n_edges] bool`, says over which edges an account receives messages as well. Every store names its inputs, in
    `inputs`. Pairs are the edge type `PAIR`, from the account that hears to the one that is heard.
    """
    hold_no_freed_memory()
    data = HeteroData()
    _put(data[ACCOUNT.label], "x", encode_accounts(snapshot))
    every_heard = list(heard_relations(snapshot))
    for heard in every_heard:
        _put(data[heard.far.label], "x", encode_identifiers(snapshot, heard.far, heard.identifier))
        store = data[heard.far.label, heard.name, ACCOUNT.label]
        store.edge_index = torch.from_numpy(np.stack([heard.node, heard.account]))
        store.receives = torch.from_numpy(heard.receives)
        _put(store, "edge_attr", encode_columns(heard.columns))
    for relation in heard_accounts(snapshot):
        store = data[ACCOUNT.label, relation.name, ACCOUNT.label]
        store.edge_index = torch.from_numpy(np.stack([relation.other, relation.account]))
        _put(store, "edge_attr", encode_columns(relation.columns))
    pairs = candidate_pairs(snapshot, every_heard)
    data[PAIR].edge_index = torch.from_numpy(np.stack([pairs.receiver, pairs.sender]))
    _put(data[PAIR], "edge_attr", pairs.columns)
    return data


def _put(store: "HeteroData", name: str, columns: Columns) -> None:
    store[name] = torch.from_numpy(np.ascontiguousarray(columns.values))
    store.inputs = columns.names
