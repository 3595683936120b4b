"""The input schema of a network: names of inputs per node and edge type, and the known labels as a tensor."""

from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import HeteroData
from torch_geometric.data.storage import BaseStorage

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.models.data.labels import Labels
from ringwatch.models.features.piecewise_linear import PiecewiseLinearEncoding, encoded_names
from ringwatch.models.gnn.hetero import PAIR

EdgeType = tuple[str, str, str]
N_LABEL_INPUTS = 2  # known to be fake, known to be legitimate


class InputSchema(NamedTuple):
    """Names of the inputs per node and edge type: they determine the shapes of a network's weights."""

    accounts: tuple[str, ...]
    edges: dict[EdgeType, tuple[str, ...]]
    identifiers: dict[str, tuple[str, ...]]  # by label
    pairs: tuple[str, ...]


def input_schema_of(graphs: Sequence[HeteroData]) -> InputSchema:
    """Input schema of a network that is trained on some graphs.

    A relation without edges gets no weights, nor does an input that never varies: nothing could be learnt from either,
    and weights that were never trained would pass a later value on as noise.
    """
    first = graphs[0]
    in_use = [type_ for type_ in first.edge_types if type_ != PAIR and any(graph[type_].num_edges for graph in graphs)]
    return InputSchema(
        _varying_encoded([graph[ACCOUNT.label] for graph in graphs]),
        {type_: _varying([graph[type_] for graph in graphs], "edge_attr") for type_ in in_use},
        {
            label: _varying([graph[label] for graph in graphs], "x")
            for label in first.node_types
            if label != ACCOUNT.label
        },
        _varying([graph[PAIR] for graph in graphs], "edge_attr"),
    )


def _varying(stores: Sequence[BaseStorage], name: str) -> tuple[str, ...]:
    rows = torch.cat([store[name] for store in stores])
    varies = (rows != rows[:1]).any(dim=0).tolist() if len(rows) else []
    return tuple(input_ for input_, does in zip(stores[0].inputs, varies, strict=False) if does)


def _varying_encoded(stores: Sequence[BaseStorage]) -> tuple[str, ...]:
    """Encoded inputs of the accounts' ranks, encoded a rank at a time."""
    varying = set[str]()
    for position, name in enumerate(stores[0].inputs):
        rank = torch.cat([store.x[:, [position]] for store in stores])
        names = encoded_names([name])
        columns = PiecewiseLinearEncoding(names)(rank)
        varies = (columns != columns[:1]).any(dim=0).tolist() if len(columns) else []
        varying |= {input_ for input_, does in zip(names, varies, strict=False) if does}
    return tuple(input_ for input_ in encoded_names(stores[0].inputs) if input_ in varying)


def aligned(data: HeteroData, schema: InputSchema) -> HeteroData:
    """The graph with the inputs that a network of this schema takes: by name, 0 for one that the graph lacks.

    Accounts have the ranks that the network encodes. A signal declared since the network was trained is left out (see
    `ignored_inputs`), and one that is gone counts as unknown.
    """
    taken = copy(data)  # of the stores: what is not replaced below is the same tensor
    accounts = data[ACCOUNT.label]
    ranks = PiecewiseLinearEncoding(schema.accounts).names
    taken[ACCOUNT.label].x = _by_name(accounts.x, accounts.inputs, ranks, lacking=torch.nan)
    for label, inputs in schema.identifiers.items():
        if label in data.node_types:
            taken[label].x = _by_name(data[label].x, data[label].inputs, inputs)
    for edge_type, inputs in {**schema.edges, PAIR: schema.pairs}.items():
        if edge_type in data.edge_types:
            taken[edge_type].edge_attr = _by_name(data[edge_type].edge_attr, data[edge_type].inputs, inputs)
    return taken


def ignored_inputs(data: HeteroData, schema: InputSchema) -> list[str]:
    """Relations and columns that carry something in this graph, and that a network of this schema does not take.

    They were declared after it was trained, or were constant then. A relation stands for its columns.
    """
    relations = {
        type_[1].removeprefix("rev_")
        for type_ in data.edge_types
        if type_ not in schema.edges and type_ != PAIR and data[type_].num_edges
    }
    known = PiecewiseLinearEncoding(schema.accounts).names
    columns = [(ACCOUNT.label, name) for name in _varying_unknown(data[ACCOUNT.label], "x", known)]
    for label, names in schema.identifiers.items():
        if label in data.node_types:
            columns += [(label, name) for name in _varying_unknown(data[label], "x", names)]
    for edge_type, names in {**schema.edges, PAIR: schema.pairs}.items():
        if edge_type in data.edge_types:
            columns += [(edge_type[1], name) for name in _varying_unknown(data[edge_type], "edge_attr", names)]
    of_columns = {f"{of}.{name}" for of, name in columns if name.partition(".")[0] not in relations}
    return sorted(relations | of_columns)


def _varying_unknown(store: BaseStorage, attribute: str, known: Sequence[str]) -> list[str]:
    unknown = [(position, name) for position, name in enumerate(store.inputs) if name not in known]
    return [name for position, name in unknown if _varies(store[attribute][:, position])]


def _varies(column: Tensor) -> bool:
    values = column[~column.isnan()]
    return bool((values != values[:1]).any())


def _by_name(values: Tensor, names: tuple[str, ...], wanted: tuple[str, ...], *, lacking: float = 0.0) -> Tensor:
    if names == wanted:
        return values
    position = {name: number for number, name in enumerate(names)}
    columns = [
        values[:, position[name]] if name in position else values.new_full((len(values),), lacking) for name in wanted
    ]
    return torch.stack(columns, dim=1) if columns else values.new_zeros((len(values), 0))


def seen_labels(labels: Labels, is_seen: np.ndarray) -> Tensor:
    """The known labels of the accounts where `is_seen`, as the network takes them: `[n_accounts, 2] float32`."""
    seen = np.stack([is_seen & (labels.target == 1), is_seen & (labels.target == 0)], axis=1)
    return torch.from_numpy(seen.astype(np.float32))
