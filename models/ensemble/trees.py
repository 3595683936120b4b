"""Boosted trees beside a platform's own networks: they take from few labels what an account does by itself.

A tree cuts columns where a network has to bend; on payments and on crowd work it ranks better alone, while the network
sees who is with whom. Each errs elsewhere, so their logits are weighed together (training.py), by held-out labels.
"""

from dataclasses import dataclass

import lightgbm
import numpy as np
from torch_geometric.data import HeteroData

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.models.features.account import Columns
from ringwatch.models.features.neighbours import Dealing, Sharing
from ringwatch.models.gnn.hetero import PAIR

_PARAMETERS = {
    "objective": "binary",
    "num_iterations": 150,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 20,
    "lambda_l2": 1.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,  # the order of a sum over threads differs between machines
    "verbosity": -1,
}


@dataclass(frozen=True)
class Trees:
    """Boosted trees of the ensemble.

    Attributes:
        members: each model in LightGBM's text format, which any later version reads.
        share: weight of their mean logit against the networks', in 0..1.
    """

    members: tuple[str, ...]
    share: float


def tree_inputs(data: HeteroData) -> Columns:
    """Inputs of every account, `[n_accounts, n_inputs] float32`, NaN where unknown.

    Its ranks; their means over those one and two steps away, apart for sharing and for dealing; how many edges of each
    kind it has.
    """
    store, own_kinds = data[ACCOUNT.label], [type_ for type_ in data.edge_types if type_ != PAIR]
    own, names = store.x.numpy(), tuple(store.inputs)
    known = np.nan_to_num(own, nan=0.5)
    edges = {type_: data[type_].edge_index.numpy() for type_ in own_kinds}
    shared = [each for type_, each in edges.items() if type_[0] != ACCOUNT.label]
    dealings = [each for type_, each in edges.items() if type_[0] == ACCOUNT.label]
    blocks, inputs = [own], list(names)
    for word, neighbours in (("shares", Sharing(len(own), shared)), ("deals", Dealing(len(own), dealings))):
        one_step = neighbours.mean(known)
        blocks += [one_step, neighbours.mean(one_step)]
        inputs += [f"{name}~{word}{n_steps}" for n_steps in (1, 2) for name in names]
    for (_, kind, _), each in edges.items():
        blocks.append(np.bincount(each[1], minlength=len(own))[:, None])
        inputs.append(f"n~{kind}")
    return Columns(tuple(inputs), np.concatenate(blocks, axis=1).astype(np.float32))


def grow(inputs: Columns, is_fake: np.ndarray, weight: np.ndarray, *, seed: int) -> str:
    """Trees taught the accounts with a weight, `[n_accounts]`; the same inputs and seed give the same text."""
    rows = np.flatnonzero(weight > 0)
    taught = lightgbm.Dataset(
        inputs.values[rows], is_fake[rows], weight=weight[rows], feature_name=list(inputs.names), free_raw_data=True
    )
    return str(lightgbm.train({**_PARAMETERS, "seed": seed}, taught).model_to_string())


def said_by_trees(members: tuple[str, ...], inputs: Columns) -> np.ndarray:
    """Mean logit of some trees, `[n_accounts] float64`; an input that the graph lacks is unknown."""
    position = {name: number for number, name in enumerate(inputs.names)}
    unknown = np.full((len(inputs.values), 1), np.nan, dtype=np.float32)
    every = np.concatenate([inputs.values, unknown], axis=1)
    total = np.zeros(len(every))
    for text in members:
        model = lightgbm.Booster(model_str=text)
        taken = [position.get(name, -1) for name in model.feature_name()]
        total += model.predict(every[:, taken], raw_score=True, num_threads=1)
    return total / len(members)
