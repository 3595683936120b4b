"""The graph neural network: it predicts links first, then accounts.

Two message passing layers aggregate, for every account, the other accounts on its identifiers and the accounts it
interacts with. A link head then scores each candidate pair, and each account aggregates the accounts it is linked to,
weighted by the probability of the link: the accounts of one operator are recognised by each other, far better than by
communities of whatever is shared.

Known labels are inputs too, but only of messages: no account receives its own label within one layer. Training hides
some of the labels and predicts those, so the network uses whatever labels it is given, without fine-tuning.

Inductive (no parameter belongs to an account or an identifier) and hub-aware: messages over an identifier with n
accounts are scaled by 1 / sqrt(n - 1), so a campus counts little and a card that two accounts share counts much.
"""

import warnings
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch_geometric.data import HeteroData
from torch_geometric.nn import HeteroConv
from torch_geometric.nn.aggr import MultiAggregation
from torch_geometric.utils import scatter

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.models.features.piecewise_linear import PiecewiseLinearEncoding
from ringwatch.models.gnn.chunking import add_rows, checkpointed, chunks, group_chunks, is_one_chunk, map_chunks
from ringwatch.models.gnn.hetero import PAIR
from ringwatch.models.gnn.input_schema import N_LABEL_INPUTS, EdgeType, InputSchema

_WIDTH, _N_LAYERS, _DROPOUT = 32, 2, 0.2
_N_LINK_SUMS = 6
_EPSILON = 1e-3  # links, so that the log of none is finite


class Output(NamedTuple):
    """Logits of a graph.

    Attributes:
        fake: `[n_accounts]`, that an account is fake.
        fake_without_links: `[n_accounts]`, the same before the aggregation over links.
        link: `[n_pairs]`, that two accounts are fakes of one operator.
    """

    fake: Tensor
    fake_without_links: Tensor
    link: Tensor


class SharedIdentifierConv(nn.Module):
    """Message passing from the other accounts on an account's identifiers of one kind: mean and max aggregation.

    The account itself is left out of both. It sends over more edges than it receives over: those that came before it
    on an identifier do not hear it (features/order.py). Not a PyG `MessagePassing`: a message depends on all edges of
    an identifier, and messages are computed in chunks.
    """

    def __init__(self, width: int, n_context: int) -> None:
        """Weights for accounts of `width` and `n_context` inputs of an edge and its identifier."""
        super().__init__()
        self.lin_message = nn.Linear(width + n_context + 1, width)
        self.lin_update = nn.Linear(2 * width + n_context + 1, width)

    def forward(
        self, x: tuple[Tensor, Tensor], edge_index: Tensor, edge_attr: Tensor, receives: Tensor | None = None
    ) -> Tensor:
        """`x`: identifiers `[n_identifiers, n]`, accounts `[n_accounts, width]` → `[n_accounts, width]`.

        `receives`, `[n_edges] bool`, are the edges over which their accounts receive; None: all.
        """
        identifiers, accounts = x
        identifier, account = edge_index
        n_on = torch.bincount(identifier, minlength=identifiers.shape[0])
        width = accounts.shape[1]
        # An account sends messages on many edges; its own share of them is computed once.
        projected = linear(accounts, self.lin_message.weight[:, :width])
        out = torch.zeros_like(accounts)
        for rows, first, after in group_chunks(identifier, identifiers.shape[0]):
            on = (identifiers[first:after], n_on[first:after], identifier[rows] - first)
            edges = (account[rows], edge_attr, rows)
            is_whole = isinstance(rows, slice)
            receiving = slice(None) if receives is None else receives[rows].nonzero().squeeze(1)
            messages = checkpointed(self._aggregate, projected, *on, *edges, receiving, is_whole=is_whole)
            out = add_rows(out, account[rows][receiving], messages)
        return out

    def _aggregate(
        self,
        projected: Tensor,
        identifiers: Tensor,
        n_on: Tensor,
        identifier: Tensor,
        account: Tensor,
        edge_attr: Tensor,
        rows: Tensor | slice,
        receiving: Tensor | slice,
    ) -> Tensor:
        """What arrives over the receiving ones of some edges, which are all those of their identifiers."""
        n_others = n_on[identifier].to(projected.dtype)[:, None] - 1
        context = torch.cat([edge_attr[rows], identifiers[identifier], n_others.log1p()], dim=1)
        of_edge = linear(context, self.lin_message.weight[:, projected.shape[1] :], self.lin_message.bias)
        message = (projected[account] + of_edge).relu()
        total = scatter(message, identifier, dim_size=len(identifiers), reduce="sum")[identifier]
        largest = _max_of_others(message, identifier, len(identifiers))
        heard = torch.cat([(total - message) / n_others, largest, context], dim=1)[receiving]
        arrived: Tensor = self.lin_update(heard).relu()
        return arrived * n_others[receiving].rsqrt()


class AccountConv(nn.Module):
    """Message passing between accounts that interact, in one direction: mean and max aggregation.

    Not a PyG `MessagePassing` either: that writes generated code into the temporary folder and imports it from there.
    """

    def __init__(self, width: int, n_edge_inputs: int) -> None:
        """Weights for accounts of `width`."""
        super().__init__()
        self.aggregate = MultiAggregation(["mean", "max"], mode="sum")
        self.lin_message = nn.Linear(2 * width + n_edge_inputs, width)

    def forward(self, x: Tensor, edge_index: Tensor, edge_attr: Tensor) -> Tensor:
        """`[n_accounts, width]` → `[n_accounts, width]`."""
        out = torch.zeros_like(x)
        if not edge_index.shape[1]:
            return out
        width, weight = x.shape[1], self.lin_message.weight
        weight_target, weight_source = weight[:, :width], weight[:, width : 2 * width]
        of_edge = linear(edge_attr, weight[:, 2 * width :], self.lin_message.bias)
        # Few accounts interact: the rest need no numbers here.
        (senders, source), (receivers, target) = (ends.unique(return_inverse=True) for ends in edge_index)
        of_target, of_source = linear(x[receivers], weight_target), linear(x[senders], weight_source)
        of_target, of_source = of_target.index_select(0, target), of_source.index_select(0, source)
        message = (of_target + of_source + of_edge).relu()  # [n_edges, width]
        aggregated = self.aggregate(message, target, dim_size=len(receivers))
        return out.index_copy_(0, receivers, aggregated)


class HeteroLayer(nn.Module):
    """One layer of message passing over all edge types, with a skip connection for the account's own state."""

    def __init__(self, width: int, inputs: InputSchema, dropout: float) -> None:
        """Weights of one layer."""
        super().__init__()
        convs: dict[EdgeType, nn.Module] = {}
        for edge_type, edge_inputs in inputs.edges.items():
            if edge_type[0] == ACCOUNT.label:
                convs[edge_type] = AccountConv(width, len(edge_inputs))
            else:
                n_context = len(edge_inputs) + len(inputs.identifiers[edge_type[0]])
                convs[edge_type] = SharedIdentifierConv(width, n_context)
        # Every edge type has its own weights before the sum, so nothing is lost by adding them up.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="There exist node types")  # identifiers only pass messages on
            self.conv = HeteroConv(convs, aggr="sum")
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.LayerNorm(width), nn.ReLU(), nn.Dropout(dropout))

    def forward(self, state: Tensor, sent: Tensor, data: HeteroData) -> Tensor:
        """Hidden state of the accounts and what they send, `[n_accounts, width]` each → their new hidden state."""
        aggregated, is_whole = torch.zeros_like(state), is_one_chunk(len(state))
        # One edge type after the other: `HeteroConv.forward` would hold the outputs of all of them at once.
        for edge_type, conv in self.conv.convs.items():
            if edge_type in data.edge_types:
                far, edges = edge_type[0], data[edge_type]
                inputs = [edges.edge_index, edges.edge_attr]
                if far == ACCOUNT.label:
                    inputs = [sent, *inputs]
                else:
                    inputs = [(data[far].x, sent), *inputs, edges.get("receives")]
                aggregated = aggregated + checkpointed(conv, *inputs, is_whole=is_whole)
        return map_chunks(self._update, state, aggregated)

    def _update(self, state: Tensor, aggregated: Tensor) -> Tensor:
        updated: Tensor = state + self.update(torch.cat([state, aggregated], dim=1))
        return updated


class LinkLayer(nn.Module):
    """Scores candidate pairs, and aggregates over the links: each account's linked accounts, by link probability."""

    def __init__(self, width: int, n_pair_inputs: int, dropout: float) -> None:
        """Weights for accounts of `width`."""
        super().__init__()
        self.link_head = nn.Sequential(
            nn.Linear(3 * width + 2 + n_pair_inputs, 2 * width), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 1),
        )  # fmt: skip
        self.update = nn.Sequential(
            nn.Linear(3 * width + N_LABEL_INPUTS + _N_LINK_SUMS, width), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(width, 1),
        )  # fmt: skip

    def forward(
        self, own: Tensor, state: Tensor, logit: Tensor, seen: Tensor, pairs: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Accounts `[n_accounts, ...]` and pairs → the change of each account's logit, and the logit of each pair."""
        (account, linked), attr = pairs  # who hears, and who is heard
        link = map_chunks(partial(self._link, state, logit), account, linked, attr)
        probability = link.sigmoid()[:, None]

        def aggregate(values: Tensor, reduce: str = "sum") -> Tensor:
            aggregated: Tensor = scatter(values, account, dim_size=state.shape[0], reduce=reduce)
            return aggregated

        n_links = aggregate(probability)  # [n_accounts, 1], expected number
        per_link = n_links + 0.1
        sums = torch.cat(
            [
                n_links.log1p(), (n_links + _EPSILON).log(), (n_links**2).log1p(), aggregate(probability, "max"),
                aggregate(probability * logit[linked, None]) / per_link, logit[:, None],
            ], dim=1,
        )  # fmt: skip
        of_linked = torch.zeros_like(state)
        for rows in chunks(len(account)):
            weighted = checkpointed(
                _weighted_rows, state, probability[rows], linked[rows], is_whole=is_one_chunk(len(account))
            )
            of_linked = add_rows(of_linked, account[rows], weighted)
        labels = aggregate(probability * seen[linked]).log1p()
        return map_chunks(self._change, own, state, of_linked / per_link, labels, sums), link

    def _change(self, *inputs: Tensor) -> Tensor:
        """The change of the logits of some accounts, `[n_accounts]`."""
        change: Tensor = self.update(torch.cat(inputs, dim=1)).squeeze(1)
        return change

    def _link(self, state: Tensor, logit: Tensor, one: Tensor, other: Tensor, attr: Tensor) -> Tensor:
        """The logits of some pairs, `[n_pairs]`."""
        a, b, logit_a, logit_b = state[one], state[other], logit[one, None], logit[other, None]
        both = torch.cat([(a - b).abs(), a * b, a + b, logit_a + logit_b, (logit_a - logit_b).abs(), attr], dim=1)
        link: Tensor = self.link_head(both).squeeze(1)
        return link


class RingGNN(nn.Module):
    """Node and link prediction on one graph: which accounts are fake, and which pairs have one operator."""

    def __init__(self, inputs: InputSchema, *, width: int, n_layers: int, dropout: float) -> None:
        """Weights for graphs with these inputs."""
        super().__init__()
        self.encoding = PiecewiseLinearEncoding(inputs.accounts)
        self.input_projection = nn.Sequential(nn.Linear(len(inputs.accounts), width), nn.ReLU(), nn.Dropout(dropout))
        self.label_embedding = nn.Linear(N_LABEL_INPUTS, width, bias=False)
        self.layers = nn.ModuleList(HeteroLayer(width, inputs, dropout) for _ in range(n_layers))
        self.output_head = nn.Linear(2 * width, 1)
        self.link_layer = LinkLayer(width, len(inputs.pairs), dropout)

    def forward(self, data: HeteroData, seen: Tensor) -> Output:
        """Logits of a graph, given the known labels of some accounts: `seen`, `[n_accounts, 2]` zeros and ones."""
        ranks = data[ACCOUNT.label].x  # [n_accounts, n_ranks]
        own = state = map_chunks(self._project, ranks)  # [n_accounts, width]
        for layer in self.layers:
            state = layer(state, state + self.label_embedding(seen), data)
        without_links = self.output_head(torch.cat([own, state], dim=1)).squeeze(1)
        pairs = (data[PAIR].edge_index, data[PAIR].edge_attr)
        change, link = self.link_layer(own, state, without_links, seen, pairs)
        return Output(without_links + change, without_links, link)

    def _project(self, ranks: Tensor) -> Tensor:
        projected: Tensor = self.input_projection(self.encoding(ranks))
        return projected


def make_network(inputs: InputSchema) -> RingGNN:
    """An untrained network of the size that Ringwatch uses; weights by torch's seed."""
    return RingGNN(inputs, width=_WIDTH, n_layers=_N_LAYERS, dropout=_DROPOUT)


def _weighted_rows(state: Tensor, probability: Tensor, linked: Tensor) -> Tensor:
    return probability * state[linked]


def _max_of_others(message: Tensor, identifier: Tensor, n_identifiers: int) -> Tensor:
    """For each edge the largest value, per channel, among the other edges of its identifier: `[n_edges, width]`."""
    largest = scatter(message, identifier, dim_size=n_identifiers, reduce="max")[identifier]
    is_largest = message == largest
    n_largest = scatter(is_largest.to(message.dtype), identifier, dim_size=n_identifiers, reduce="sum")[identifier]
    # Values are never negative (ReLU), so 0 is as good as leaving the largest out.
    runner_up = scatter(message.masked_fill(is_largest, 0.0), identifier, dim_size=n_identifiers, reduce="max")
    return torch.where(is_largest & (n_largest == 1), runner_up[identifier], largest)
