"""A snapshot as PyG's HeteroData: accounts, identifiers, and who hears whom.

Edges point to the account that hears. An edge of a shared identifier runs from the identifier, one between accounts
from the other account. Row numbers are the snapshot's, so the same snapshot gives the same tensors.
"""

import numpy as np
import torch
from torch_geometric.data import HeteroData

from graph_schema.graph import ACCOUNT
from models.encoding import Encoding
from models.features import category_columns
from models.relations import Relation, account_relations, shared_relations
from models.snapshot import Snapshot


def to_hetero_data(snapshot: Snapshot, encoding: Encoding) -> HeteroData:
    """Graph with `x [n, n_inputs] float32`, and per edge type `edge_index [2, n_edges]` and `edge_attr float32`.

    Accounts have the snapshot's rows. Of identifiers there are only those that somebody shares, in the same order.
    """
    data = HeteroData()
    data[ACCOUNT.label].x = torch.from_numpy(encoding.encode_accounts(snapshot))
    for relation in shared_relations(snapshot):
        shared, other = np.unique(relation.other, return_inverse=True)
        categories = category_columns(snapshot, relation.far, encoding.vocabulary).values
        data[relation.far.label].x = torch.from_numpy(categories[shared])
        _add_edges(data, relation, other, encoding)
    for relation in account_relations(snapshot):
        _add_edges(data, relation, relation.other, encoding)
    return data


def _add_edges(data: HeteroData, relation: Relation, other: np.ndarray, encoding: Encoding) -> None:
    store = data[relation.far.label, relation.name, ACCOUNT.label]
    store.edge_index = torch.from_numpy(np.stack([other, relation.account]))
    store.edge_attr = torch.from_numpy(encoding.encode_edges(relation))
