"""The network: two rounds in which every account hears the others on its identifiers, and those it deals with.

Inductive (nothing is learnt per account or identifier) and hub-aware: a word from an identifier with n accounts is
damped by 1 / sqrt(n - 1), so a campus says little and a card that two accounts share says much.
"""

import warnings
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch_geometric.data import HeteroData
from torch_geometric.nn import HeteroConv, MessagePassing
from torch_geometric.utils import scatter

from graph_schema.graph import ACCOUNT

EdgeType = tuple[str, str, str]
_WIDTH, _N_ROUNDS, _DROPOUT = 32, 2, 0.3


class Shape(NamedTuple):
    """Sizes of a graph's inputs, which settle the network's weights."""

    n_account_inputs: int
    n_edge_inputs: dict[EdgeType, int]
    n_far_inputs: dict[str, int]  # by label of an identifier


def shape_of(data: HeteroData) -> Shape:
    """Sizes of the inputs in a graph. A relation without edges gets no weights: nothing could be learnt of it."""
    in_use = [edge_type for edge_type in data.edge_types if data[edge_type].num_edges]
    return Shape(
        data[ACCOUNT.label].x.shape[1],
        {edge_type: data[edge_type].edge_attr.shape[1] for edge_type in in_use},
        {label: data[label].x.shape[1] for label in data.node_types if label != ACCOUNT.label},
    )


class OthersConv(MessagePassing):  # type: ignore[misc]
    """What an account hears of the others, itself left out, on its identifiers of one kind: mean and loudest."""

    def __init__(self, width: int, n_context: int) -> None:
        """Weights for accounts of `width` and `n_context` inputs of an edge and its identifier."""
        super().__init__(aggr="sum")
        self.say = nn.Linear(width + n_context + 1, width)
        self.hear = nn.Linear(2 * width + n_context + 1, width)

    def forward(self, x: tuple[Tensor, Tensor], edge_index: Tensor, edge_attr: Tensor) -> Tensor:
        """`x`: identifiers `[n_identifiers, n]`, accounts `[n_accounts, width]` → `[n_accounts, width]`."""
        identifiers, accounts = x
        identifier, account = edge_index
        n_identifiers = identifiers.shape[0]
        n_others = torch.bincount(identifier, minlength=n_identifiers)[identifier].to(accounts.dtype)[:, None] - 1
        context = torch.cat([edge_attr, identifiers[identifier], n_others.log1p()], dim=1)
        said = self.say(torch.cat([accounts[account], context], dim=1)).relu()  # [n_edges, width]
        total = scatter(said, identifier, dim_size=n_identifiers, reduce="sum")[identifier]
        loudest = _max_of_others(said, identifier, n_identifiers)
        heard = self.hear(torch.cat([(total - said) / n_others, loudest, context], dim=1)).relu()
        size = (n_identifiers, accounts.shape[0])
        damped: Tensor = self.propagate(edge_index, heard=heard * n_others.rsqrt(), size=size)
        return damped

    def message(self, heard: Tensor) -> Tensor:
        """`[n_edges, width]`, computed beforehand, since it depends on all edges of an identifier."""
        return heard


class DealingsConv(MessagePassing):  # type: ignore[misc]
    """What an account hears of the accounts that it deals with in one direction: their mean and the loudest."""

    def __init__(self, width: int, n_edge_inputs: int) -> None:
        """Weights for accounts of `width`."""
        super().__init__(aggr=["mean", "max"], aggr_kwargs={"mode": "sum"})
        self.hear = nn.Linear(2 * width + n_edge_inputs, width)

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor) -> Tensor:
        """`[n_accounts, width]` → `[n_accounts, width]`."""
        heard: Tensor = self.propagate(edge_index, x=x, edge_attr=edge_attr)
        return heard

    def message(self, x_i: Tensor, x_j: Tensor, edge_attr: Tensor) -> Tensor:
        """`[n_edges, width]`: the other (j), beside oneself (i)."""
        return torch.relu(self.hear(torch.cat([x_i, x_j, edge_attr], dim=1)))


class Round(nn.Module):
    """One round of hearing; an account's own state is kept apart and added to."""

    def __init__(self, width: int, shape: Shape, dropout: float) -> None:
        """Weights of one round."""
        super().__init__()
        convs: dict[EdgeType, MessagePassing] = {}
        for edge_type, n_edge_inputs in shape.n_edge_inputs.items():
            if edge_type[0] == ACCOUNT.label:
                convs[edge_type] = DealingsConv(width, n_edge_inputs)
            else:
                convs[edge_type] = OthersConv(width, n_edge_inputs + shape.n_far_inputs[edge_type[0]])
        # Every relation has its own weights before the sum, so nothing is lost by adding them up.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="There exist node types")  # identifiers only pass on what is said
            self.listen = HeteroConv(convs, aggr="sum")
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.LayerNorm(width), nn.ReLU(), nn.Dropout(dropout))

    def forward(self, accounts: Tensor, data: HeteroData) -> Tensor:
        """`[n_accounts, width]` → `[n_accounts, width]`."""
        x = data.x_dict | {ACCOUNT.label: accounts}
        heard = self.listen(x, data.edge_index_dict, data.edge_attr_dict).get(ACCOUNT.label, torch.zeros_like(accounts))
        updated: Tensor = accounts + self.update(torch.cat([accounts, heard], dim=1))
        return updated


class RingGNN(nn.Module):
    """Logit of being fake, for every account of a graph."""

    def __init__(self, shape: Shape, *, width: int, n_rounds: int, dropout: float) -> None:
        """Weights for graphs of this shape."""
        super().__init__()
        self.enter = nn.Sequential(nn.Linear(shape.n_account_inputs, width), nn.ReLU(), nn.Dropout(dropout))
        self.rounds = nn.ModuleList(Round(width, shape, dropout) for _ in range(n_rounds))
        self.leave = nn.Linear(2 * width, 1)

    def forward(self, data: HeteroData) -> Tensor:
        """`[n_accounts]` logits."""
        own = self.enter(data[ACCOUNT.label].x)  # [n_accounts, width]
        state = own
        for round_ in self.rounds:
            state = round_(state, data)
        logits: Tensor = self.leave(torch.cat([own, state], dim=1)).squeeze(1)
        return logits


def make_network(shape: Shape) -> RingGNN:
    """An untrained network of the size that Ringwatch uses; weights by torch's seed."""
    return RingGNN(shape, width=_WIDTH, n_rounds=_N_ROUNDS, dropout=_DROPOUT)


def _max_of_others(said: Tensor, identifier: Tensor, n_identifiers: int) -> Tensor:
    """For each edge the largest value, per channel, among the other edges of its identifier: `[n_edges, width]`."""
    largest = scatter(said, identifier, dim_size=n_identifiers, reduce="max")[identifier]
    is_largest = said == largest
    n_largest = scatter(is_largest.to(said.dtype), identifier, dim_size=n_identifiers, reduce="sum")[identifier]
    # Values are never negative (ReLU), so 0 is as good as leaving the largest out.
    runner_up = scatter(said.masked_fill(is_largest, 0.0), identifier, dim_size=n_identifiers, reduce="max")
    return torch.where(is_largest & (n_largest == 1), runner_up[identifier], largest)
