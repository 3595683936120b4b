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
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch_geometric.data import HeteroData
from torch_geometric.nn import HeteroConv, MessagePassing
from torch_geometric.utils import scatter

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.models.features.piecewise_linear import Unfolding
from ringwatch.models.gnn.chunking import add_rows, in_parts, is_one_part, parts, sparingly, whole_groups
from ringwatch.models.gnn.hetero import PAIR
from ringwatch.models.gnn.input_schema import N_LABEL_INPUTS, EdgeType, Shape

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


class OthersConv(nn.Module):
    """What an account hears of the others, itself left out, on its identifiers of one kind: mean and loudest.

    Not a MessagePassing, for a message depends on all edges of an identifier, and is worked out in parts.
    """

    def __init__(self, width: int, n_context: int) -> None:
        """Weights for accounts of `width` and `n_context` inputs of an edge and its identifier."""
        super().__init__()
        self.say = nn.Linear(width + n_context + 1, width)
        self.hear = nn.Linear(2 * width + n_context + 1, width)

    def forward(self, x: tuple[Tensor, Tensor], edge_index: Tensor, edge_attr: Tensor) -> Tensor:
        """`x`: identifiers `[n_identifiers, n]`, accounts `[n_accounts, width]` → `[n_accounts, width]`."""
        identifiers, accounts = x
        identifier, account = edge_index
        n_on = torch.bincount(identifier, minlength=identifiers.shape[0])
        width = accounts.shape[1]
        # An account speaks on many edges; what it says is worked out once for all of them.
        spoken = linear(accounts, self.say.weight[:, :width])
        damped = torch.zeros_like(accounts)
        for rows, first, after in whole_groups(identifier, identifiers.shape[0]):
            on = (identifiers[first:after], n_on[first:after], identifier[rows] - first)
            edges = (account[rows], edge_attr, rows)
            is_whole = isinstance(rows, slice)
            heard = sparingly(self._heard, spoken, *on, *edges, is_whole=is_whole)
            damped = add_rows(damped, account[rows], heard)
        return damped

    def _heard(
        self,
        spoken: Tensor,
        identifiers: Tensor,
        n_on: Tensor,
        identifier: Tensor,
        account: Tensor,
        edge_attr: Tensor,
        rows: Tensor | slice,
    ) -> Tensor:
        """What is heard on each of some edges, all those of their identifiers: `[n_edges, width]`."""
        n_others = n_on[identifier].to(spoken.dtype)[:, None] - 1
        context = torch.cat([edge_attr[rows], identifiers[identifier], n_others.log1p()], dim=1)
        said = (spoken[account] + linear(context, self.say.weight[:, spoken.shape[1] :], self.say.bias)).relu()
        total = scatter(said, identifier, dim_size=len(identifiers), reduce="sum")[identifier]
        loudest = _max_of_others(said, identifier, len(identifiers))
        heard: Tensor = self.hear(torch.cat([(total - said) / n_others, loudest, context], dim=1)).relu()
        return heard * n_others.rsqrt()


class DealingsConv(MessagePassing):  # type: ignore[misc]
    """What an account hears of the accounts that it deals with in one direction: their mean and the loudest."""

    def __init__(self, width: int, n_edge_inputs: int) -> None:
        """Weights for accounts of `width`."""
        super().__init__(aggr=["mean", "max"], aggr_kwargs={"mode": "sum"})
        self.hear = nn.Linear(2 * width + n_edge_inputs, width)

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor) -> Tensor:
        """`[n_accounts, width]` → `[n_accounts, width]`."""
        heard = torch.zeros_like(x)
        if not edge_index.shape[1]:
            return heard
        width = x.shape[1]
        of_self, of_other = self.hear.weight[:, :width], self.hear.weight[:, width : 2 * width]
        dealing = linear(edge_attr, self.hear.weight[:, 2 * width :], self.hear.bias)
        # Few accounts deal with others: the rest need no numbers here.
        (speaking, source), (hearing, target) = (ends.unique(return_inverse=True) for ends in edge_index)
        of_hearing = self.propagate(
            torch.stack([source, target]),
            own=(None, linear(x[hearing], of_self)),
            other=(linear(x[speaking], of_other), None),
            dealing=dealing,
            size=(len(speaking), len(hearing)),
        )
        return heard.index_copy_(0, hearing, of_hearing)

    def message(self, own_i: Tensor, other_j: Tensor, dealing: Tensor) -> Tensor:
        """`[n_edges, width]`: the other (j), beside oneself (i)."""
        return (own_i + other_j + dealing).relu()


class Round(nn.Module):
    """One round of hearing; an account's own state is kept apart and added to."""

    def __init__(self, width: int, shape: Shape, dropout: float) -> None:
        """Weights of one round."""
        super().__init__()
        convs: dict[EdgeType, nn.Module] = {}
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
        heard, is_whole = torch.zeros_like(state), is_one_part(len(state))
        # One after the other: `listen` itself would hold the answers of all relations at once.
        for edge_type, listen in self.listen.convs.items():
            if edge_type in data.edge_types:
                far, edges = edge_type[0], data[edge_type]
                x = told if far == ACCOUNT.label else (data[far].x, told)
                heard = heard + sparingly(listen, x, edges.edge_index, edges.edge_attr, is_whole=is_whole)
        return in_parts(self._update, state, heard)

    def _update(self, state: Tensor, heard: Tensor) -> Tensor:
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
        link = in_parts(partial(self._link, state, logit), one, other, attr)
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
        of_others = torch.zeros_like(state)
        for rows in parts(len(account)):
            said = sparingly(_by_sureness, state, sure[rows], linked[rows], is_whole=is_one_part(len(one)))
            of_others = add_rows(of_others, account[rows], said)
        ear = [own, state, of_others / per_link, heard(sure * seen[linked]).log1p(), sums]
        return in_parts(self._change, *ear), link

    def _change(self, *ear: Tensor) -> Tensor:
        """How far the logits of some accounts are moved by all that each hears."""
        change: Tensor = self.hear(torch.cat(ear, dim=1)).squeeze(1)
        return change

    def _link(self, state: Tensor, logit: Tensor, one: Tensor, other: Tensor, attr: Tensor) -> Tensor:
        """The logit of each of some pairs."""
        a, b, logit_a, logit_b = state[one], state[other], logit[one, None], logit[other, None]
        both = torch.cat([(a - b).abs(), a * b, a + b, logit_a + logit_b, (logit_a - logit_b).abs(), attr], dim=1)
        judged: Tensor = self.judge(both).squeeze(1)
        return judged


def _by_sureness(state: Tensor, sure: Tensor, linked: Tensor) -> Tensor:
    return sure * state[linked]


class RingGNN(nn.Module):
    """Which accounts of a graph are fake, and which pairs of them have one operator."""

    def __init__(self, shape: Shape, *, width: int, n_rounds: int, dropout: float) -> None:
        """Weights for graphs of this shape."""
        super().__init__()
        self.unfold = Unfolding(shape.accounts)
        self.enter = nn.Sequential(nn.Linear(len(shape.accounts), width), nn.ReLU(), nn.Dropout(dropout))
        self.tell = nn.Linear(N_LABEL_INPUTS, width, bias=False)
        self.rounds = nn.ModuleList(Round(width, shape, dropout) for _ in range(n_rounds))
        self.leave = nn.Linear(2 * width, 1)
        self.links = LinkRound(width, len(shape.pairs), dropout)

    def forward(self, data: HeteroData, seen: Tensor) -> Said:
        """Logits of a graph, where the labels of some accounts are `seen`, `[n_accounts, 2]` zeros and ones."""
        ranks = data[ACCOUNT.label].x
        own = state = in_parts(self._enter, ranks)
        for round_ in self.rounds:
            state = round_(state, state + self.tell(seen), data)
        unlinked = self.leave(torch.cat([own, state], dim=1)).squeeze(1)
        change, link = self.links(own, state, unlinked, seen, (data[PAIR].edge_index, data[PAIR].edge_attr))
        return Said(unlinked + change, unlinked, link)

    def _enter(self, ranks: Tensor) -> Tensor:
        entered: Tensor = self.enter(self.unfold(ranks))  # [n_accounts, width]
        return entered


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
