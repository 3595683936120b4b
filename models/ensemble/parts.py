"""The parts of a platform's model that are trees, each with inputs of its own, and how their logits are combined.

Trees on a few inputs err on different accounts than trees on all of them, and than the network: their sum ranks better
abroad than any of them (models/README.md). Which is worth how much is fitted to held-out labels (training/stacking.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from torch_geometric.data import HeteroData

from ringwatch.models.data.links import Links
from ringwatch.models.ensemble.evidence import SharedEvidence, network_inputs, sharing_inputs
from ringwatch.models.ensemble.trees import REPEATABLE, predict_tree_logits, tree_inputs
from ringwatch.models.features.account import Columns

# Small and random, as a platform has some fifty fakes: half of the trees draw their splits as well as their inputs
# (Geurts et al. 2006, "Extremely randomized trees"), and weigh both classes alike.
_SHARED_PARAMETERS = {
    **REPEATABLE,
    "num_iterations": 200,
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_data_in_leaf": 5,
    "lambda_l2": 5.0,
    "feature_fraction": 0.15,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
}
_VARIANTS: tuple[dict[str, bool], ...] = ({"extra_trees": True, "is_unbalance": True}, {}) * 2
_MANY_ROWS, _LEAVES_OF_MANY = 4000, 16


@dataclass(frozen=True)
class TreePart:
    """Trees on some of the inputs.

    Attributes:
        name: of its inputs, a key of `part_inputs`.
        model_strings: each model in LightGBM's text format; the part's logit is their mean.
    """

    name: str
    model_strings: tuple[str, ...]


def part_inputs(data: HeteroData, logits: np.ndarray, links: Links, shared: SharedEvidence) -> dict[str, Columns]:
    """Inputs of each part, `[n_accounts, n_inputs] float32` each.

    Args:
        data: the graph.
        logits: `[n_accounts]` of the network, with all labels hidden.
        links: of the same.
        shared: what the candidate pairs share.
    """
    blocks = (network_inputs(logits, links), sharing_inputs(data, links, shared), tree_inputs(data))
    names = tuple(name for block in blocks for name in block.names)
    values = np.concatenate([block.values for block in blocks], axis=1)
    of_network, of_both = len(blocks[0].names), len(blocks[0].names) + len(blocks[1].names)
    # Views of one matrix, which is 1.5 GB at a million accounts.
    return {
        "network": Columns(names[:of_both], values[:, :of_both]),
        "all": Columns(names, values),
        "activity": Columns(names[of_network:], values[:, of_network:]),
    }


def fit_part(name: str, inputs: Columns, is_fake: np.ndarray, weight: np.ndarray, *, seed: int) -> TreePart:
    """A part fitted to the accounts with a weight, `[n_accounts]`; the same inputs and seed give the same strings."""
    rows = np.flatnonzero(weight > 0)
    more_leaves = {"num_leaves": _LEAVES_OF_MANY} if rows.size >= _MANY_ROWS else {}
    training = lightgbm.Dataset(
        inputs.values[rows], is_fake[rows], weight=weight[rows], feature_name=list(inputs.names), free_raw_data=False
    )
    model_strings = (
        lightgbm.train({**_SHARED_PARAMETERS, **more_leaves, **variant, "seed": seed + number}, training)
        for number, variant in enumerate(_VARIANTS)
    )
    return TreePart(name, tuple(str(each.model_to_string()) for each in model_strings))


def part_logits(
    parts: Sequence[TreePart], inputs: Mapping[str, Columns], rows: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Logit of each part, `[n_rows] float64`, at some rows of its inputs or all of them."""
    for part in parts:
        columns = inputs[part.name] if rows is None else _taken(inputs[part.name], rows)
        yield predict_tree_logits(part.model_strings, columns)


def _taken(columns: Columns, rows: np.ndarray) -> Columns:
    return Columns(columns.names, columns.values[rows])
