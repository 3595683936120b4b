"""Gradient-boosted trees in an ensemble with a platform's own networks: few labels suffice for an account's activity.

Trees rank better alone on payments and on crowd work, while the network uses the edges. They err on different accounts,
so their logits are averaged with weights from held-out labels (training/own_networks.py).
"""

from dataclasses import dataclass

import lightgbm
import numpy as np
from torch_geometric.data import HeteroData
from torch_geometric.data.storage import EdgeStorage

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.models.features.account import Columns
from ringwatch.models.features.neighbours import DirectNeighbours, SharedIdentifierNeighbours
from ringwatch.models.gnn.hetero import PAIR

REPEATABLE = {
    "objective": "binary",
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,  # the order of a sum over threads differs between machines
    "verbosity": -1,
}
_PARAMETERS = {
    **REPEATABLE,
    "num_iterations": 150,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 20,
    "lambda_l2": 1.0,
}

_CHUNK_ROWS = 100_000


@dataclass(frozen=True)
class Trees:
    """Boosted trees of the ensemble.

    Attributes:
        model_strings: each model in LightGBM's text format, which any later version reads.
        share: weight of their mean logit in the ensemble, in 0..1; the networks have the rest.
    """

    model_strings: tuple[str, ...]
    share: float


def tree_inputs(data: HeteroData) -> Columns:
    """Inputs of every account, `[n_accounts, n_inputs] float32`, NaN where unknown.

    Its ranks; their means over neighbours one and two steps away, apart for shared identifiers and for direct
    interaction; its number of edges of each type.
    """
    store, own_kinds = data[ACCOUNT.label], [type_ for type_ in data.edge_types if type_ != PAIR]
    own, names = store.x.numpy(), tuple(store.inputs)
    known = np.nan_to_num(own, nan=0.5)
    edges = {type_: data[type_].edge_index.numpy() for type_ in own_kinds}
    receiving = {type_: each[:, _receives(data[type_])] for type_, each in edges.items()}
    shared = [(each, receiving[type_]) for type_, each in edges.items() if type_[0] != ACCOUNT.label]
    direct = [each for type_, each in edges.items() if type_[0] == ACCOUNT.label]
    blocks, inputs = [own], list(names)
    for word, neighbours in (
        ("shares", SharedIdentifierNeighbours(len(own), shared)),
        ("deals", DirectNeighbours(len(own), direct)),
    ):
        one_step = neighbours.mean(known)
        blocks += [one_step, neighbours.mean(one_step)]
        inputs += [f"{name}~{word}{n_steps}" for n_steps in (1, 2) for name in names]
    for (_, kind, _), each in receiving.items():
        blocks.append(np.bincount(each[1], minlength=len(own))[:, None])
        inputs.append(f"n~{kind}")
    return Columns(tuple(inputs), np.concatenate(blocks, axis=1).astype(np.float32))


def _receives(edges: EdgeStorage) -> np.ndarray:
    """Over which edges an account receives: all of them where nobody came first."""
    return edges.receives.numpy() if "receives" in edges else np.ones(edges.num_edges, dtype=bool)


def fit_trees(inputs: Columns, is_fake: np.ndarray, weight: np.ndarray, *, seed: int) -> str:
    """Trees fitted to the accounts with a weight, `[n_accounts]`; the same inputs and seed give the same string."""
    rows = np.flatnonzero(weight > 0)
    training = lightgbm.Dataset(
        inputs.values[rows], is_fake[rows], weight=weight[rows], feature_name=list(inputs.names), free_raw_data=True
    )
    return str(lightgbm.train({**_PARAMETERS, "seed": seed}, training).model_to_string())


def predict_tree_logits(model_strings: tuple[str, ...], inputs: Columns) -> np.ndarray:
    """Mean logit of some trees, `[n_accounts] float64`; an input that the graph lacks is unknown."""
    position = {name: number for number, name in enumerate(inputs.names)}
    models = [lightgbm.Booster(model_str=each) for each in model_strings]
    total = np.zeros(len(inputs.values))
    for begin in range(0, total.size, _CHUNK_ROWS):
        rows = slice(begin, begin + _CHUNK_ROWS)
        values = inputs.values[rows]
        every = np.concatenate([values, np.full((len(values), 1), np.nan, dtype=np.float32)], axis=1)
        for model in models:
            taken = [position.get(name, -1) for name in model.feature_name()]
            # A row's logit is added up by one thread, so their number changes no bit.
            total[rows] += model.predict(every[:, taken], raw_score=True, num_threads=0)
    return total / len(models)
