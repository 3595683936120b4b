"""The network: links before accounts.

Two rounds in which every account hears the others on its identifiers, and those it deals with. Then each pair that may
have one operator is judged, and each account hears those it is linked to, by how sure the link is: an operator's
accounts are told by each other, far better than by communities of whatever is shared.

Known labels are heard too, but by others only: an account never hears its own in one step. Training hides some of the
labels and asks for those, so the network learns to draw on labels it is shown, on whichever platform, without a step
of learning there.

Inductive (nothing is learnt per account or identifier) and hub-aware: a word from an identifier with n accounts is
damped by 1 / sqrt(n - 1), so a campus says little and a card that two accounts share says much.
"""

import warnings
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch_geometric.data import HeteroData
from torch_geometric.nn import HeteroConv, MessagePassing
from torch_geometric.utils import scatter

from graph_schema.graph import ACCOUNT
from models.graph_data import PAIR
from models.shape import N_LABEL_INPUTS, EdgeType, Shape

_WIDTH, _N_ROUNDS, _DROPOUT = 32, 2, 0.2
_N_LINK_SUMS = 6
_FEW = 1e-3  # of a link, so that the log of none is finite


class Said(NamedTuple):
    """What the network says, as logits.

    Attributes:
        fake: `[n_accounts]`, that an account is fake.
        unlinked: `[n_accounts]`, the same before links are heard.
        link: `[n_pairs]`, that a pair of fakes has one operator.
    """

    fake: Tensor
    unlinked: Tensor
    link: Tensor


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
        width = accounts.shape[1]
        of_account, of_context = self.say.weight[:, :width], self.say.weight[:, width:]
        # An account speaks on many edges; what it says is worked out once for all of them.
        said = (linear(accounts, of_account)[account] + linear(context, of_context, self.say.bias)).relu()
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
        width = x.shape[1]
        of_self, of_other = self.hear.weight[:, :width], self.hear.weight[:, width : 2 * width]
        dealing = linear(edge_attr, self.hear.weight[:, 2 * width :], self.hear.bias)
        heard: Tensor = self.propagate(edge_index, own=linear(x, of_self), other=linear(x, of_other), dealing=dealing)
        return heard

    def message(self, own_i: Tensor, other_j: Tensor, dealing: Tensor) -> Tensor:
        """`[n_edges, width]`: the other (j), beside oneself (i)."""
        return (own_i + other_j + dealing).relu()


class Round(nn.Module):
    """One round of hearing; an account's own state is kept apart and added to."""

    def __init__(self, width: int, shape: Shape, dropout: float) -> None:
        """Weights of one round."""
        super().__init__()
        convs: dict[EdgeType, MessagePassing] = {}
        for edge_type, inputs in shape.edges.items():
            if edge_type[0] == ACCOUNT.label:
                convs[edge_type] = DealingsConv(width, len(inputs))
            else:
                convs[edge_type] = OthersConv(width, len(inputs) + len(shape.identifiers[edge_type[0]]))
        # Every relation has its own weights before the sum, so nothing is lost by adding them up.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="There exist node types")  # identifiers only pass on what is said
            self.listen = HeteroConv(convs, aggr="sum")
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.LayerNorm(width), nn.ReLU(), nn.Dropout(dropout))

    def forward(self, state: Tensor, told: Tensor, data: HeteroData) -> Tensor:
        """An account's state and what it tells others of itself, `[n_accounts, width]` each → its new state."""
        x = data.x_dict | {ACCOUNT.label: told}
        heard = self.listen(x, data.edge_index_dict, data.edge_attr_dict).get(ACCOUNT.label, torch.zeros_like(state))
        updated: Tensor = state + self.update(torch.cat([state, heard], dim=1))
        return updated


class LinkRound(nn.Module):
    """Judges pairs, and lets each account hear whom it is linked to."""

    def __init__(self, width: int, n_pair_inputs: int, dropout: float) -> None:
        """Weights for accounts of `width`."""
        super().__init__()
        self.judge = nn.Sequential(
            nn.Linear(3 * width + 2 + n_pair_inputs, 2 * width), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 1),
        )  # fmt: skip
        self.hear = nn.Sequential(
            nn.Linear(3 * width + N_LABEL_INPUTS + _N_LINK_SUMS, width), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(width, 1),
        )  # fmt: skip

    def forward(
        self, own: Tensor, state: Tensor, logit: Tensor, seen: Tensor, pairs: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Accounts `[n_accounts, ...]` and pairs → the change of each account's logit, and the logit of each pair."""
        (one, other), attr = pairs
        a, b, logit_a, logit_b = state[one], state[other], logit[one, None], logit[other, None]
        both = torch.cat([(a - b).abs(), a * b, a + b, logit_a + logit_b, (logit_a - logit_b).abs(), attr], dim=1)
        link = self.judge(both).squeeze(1)
        account, linked = torch.cat([one, other]), torch.cat([other, one])  # each pair both ways round
        sure = link.sigmoid().repeat(2)[:, None]

        def heard(values: Tensor, reduce: str = "sum") -> Tensor:
            said: Tensor = scatter(values, account, dim_size=state.shape[0], reduce=reduce)
            return said

        n_links = heard(sure)  # [n_accounts, 1], expected number
        per_link = n_links + 0.1
        sums = torch.cat(
            [
                n_links.log1p(), (n_links + _FEW).log(), (n_links**2).log1p(), heard(sure, "max"),
                heard(sure * logit[linked, None]) / per_link, logit[:, None],
            ], dim=1,
        )  # fmt: skip
        ear = [own, state, heard(sure * state[linked]) / per_link, heard(sure * seen[linked]).log1p(), sums]
        return self.hear(torch.cat(ear, dim=1)).squeeze(1), link


class RingGNN(nn.Module):
    """Which accounts of a graph are fake, and which pairs of them have one operator."""

    def __init__(self, shape: Shape, *, width: int, n_rounds: int, dropout: float) -> None:
        """Weights for graphs of this shape."""
        super().__init__()
        self.enter = nn.Sequential(nn.Linear(len(shape.accounts), width), nn.ReLU(), nn.Dropout(dropout))
        self.tell = nn.Linear(N_LABEL_INPUTS, width, bias=False)
        self.rounds = nn.ModuleList(Round(width, shape, dropout) for _ in range(n_rounds))
        self.leave = nn.Linear(2 * width, 1)
        self.links = LinkRound(width, len(shape.pairs), dropout)

    def forward(self, data: HeteroData, seen: Tensor) -> Said:
        """Logits of a graph, where the labels of some accounts are `seen`, `[n_accounts, 2]` zeros and ones."""
        own = self.enter(data[ACCOUNT.label].x)  # [n_accounts, width]
        state = own
        for round_ in self.rounds:
            state = round_(state, state + self.tell(seen), data)
        unlinked = self.leave(torch.cat([own, state], dim=1)).squeeze(1)
        change, link = self.links(own, state, unlinked, seen, (data[PAIR].edge_index, data[PAIR].edge_attr))
        return Said(unlinked + change, unlinked, link)


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
