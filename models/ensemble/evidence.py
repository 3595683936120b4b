"""Evidence beside an account's own activity: what the network makes of it, and what it shares beyond chance.

A platform's trees learn from these what they are worth there. The network's numbers are made with every label hidden,
so that they say the same of an account whether or not somebody has looked at it yet.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np
from scipy import sparse
from torch_geometric.data import HeteroData

from ringwatch.models.data.links import Links
from ringwatch.models.ensemble.surprise import pair_surprise
from ringwatch.models.features.account import Columns
from ringwatch.models.gnn.hetero import PAIR

_NETWORK = "network"  # the family of evidence that strangers share most: addresses and subnets
_LIKELY, _HARDLY = 0.5, 0.3  # probabilities of links
_NONE = 1e-3  # links, so that the log of none is finite
_RARE = (2, 3, 5)  # accounts on an identifier


class SharedEvidence(NamedTuple):
    """What pairs of accounts share beyond chance, `[n_pairs]` each.

    Attributes:
        surprise: by family of evidence, float64.
        n_families: int64, in which the pair shares something beyond chance.
        n_beyond_network: int64, the same without addresses and subnets.
    """

    surprise: dict[str, np.ndarray]
    n_families: np.ndarray
    n_beyond_network: np.ndarray


def shared_evidence(data: HeteroData) -> SharedEvidence:
    """What the candidate pairs of a graph share beyond chance."""
    surprise, nothing = pair_surprise(data), np.zeros(data[PAIR].num_edges, dtype=np.int64)
    is_shared = {family: values > 0 for family, values in surprise.items()}
    return SharedEvidence(
        surprise,
        sum(is_shared.values(), nothing),
        sum((each for family, each in is_shared.items() if family != _NETWORK), nothing),
    )


def network_inputs(logits: np.ndarray, links: Links) -> Columns:
    """What the network makes of every account and its links, `[n_accounts, n_inputs] float32`, NaN where unknown.

    Args:
        logits: `[n_accounts]` of the network, with all labels hidden.
        links: of the same.
    """
    return _stacked(_of_network(logits, links))


def sharing_inputs(data: HeteroData, links: Links, shared: SharedEvidence) -> Columns:
    """What every account shares beyond chance, and how far that reaches: the same shape.

    Args:
        data: the graph.
        links: for their pairs; the probabilities are not used.
        shared: what the pairs share.
    """
    return _stacked(chain(_of_surprise(links, shared), _of_reach(data, links, shared)))


def _stacked(columns: Iterable[tuple[str, np.ndarray]]) -> Columns:
    by_name = dict(columns)
    return Columns(tuple(by_name), np.column_stack(list(by_name.values())).astype(np.float32))


def _of_network(logits: np.ndarray, links: Links) -> Iterator[tuple[str, np.ndarray]]:
    """The account's logit, its links, and the logits of those it is linked to."""
    receiver, sender, probability, n_accounts = links.receiver, links.sender, links.probability, links.n_accounts
    n_links = np.bincount(receiver, probability, minlength=n_accounts)
    yield "logit", logits
    yield "links", np.log(n_links + _NONE)
    yield "strongest_link", _largest(receiver, probability, n_accounts)
    yield "likely_links", np.log1p(np.bincount(receiver, probability > _LIKELY, minlength=n_accounts))
    yield "logit_of_linked", np.bincount(receiver, probability * logits[sender], minlength=n_accounts) / (n_links + 0.1)
    is_linked = probability > _HARDLY
    yield (
        "largest_logit_of_linked",
        _largest(receiver[is_linked], logits[sender[is_linked]], n_accounts, lacking=np.nan),
    )
    yield "links_of_linked", np.log(np.bincount(receiver, probability * n_links[sender], minlength=n_accounts) + _NONE)


def _of_surprise(links: Links, shared: SharedEvidence) -> Iterator[tuple[str, np.ndarray]]:
    """By family and in all: how surprising is what the account shares, the most with one other, and with how many."""
    receiver, n_accounts = links.receiver, links.n_accounts
    every = sum(shared.surprise.values(), np.zeros(receiver.size))
    for family, values in (*shared.surprise.items(), ("all", every)):
        yield f"{family}.surprise", np.log1p(np.bincount(receiver, values, minlength=n_accounts))
        yield f"{family}.largest_surprise", _largest(receiver, values, n_accounts)
        yield f"{family}.n_sharing", np.log1p(np.bincount(receiver, values > 0, minlength=n_accounts))
    for name, n_shared in (("families", shared.n_families), ("beyond_network", shared.n_beyond_network)):
        for least in (1, 2, 3):
            n_such = np.bincount(receiver, n_shared >= least, minlength=n_accounts)
            yield f"sharing_{least}_{name}", np.log1p(n_such)


def _of_reach(data: HeteroData, links: Links, shared: SharedEvidence) -> Iterator[tuple[str, np.ndarray]]:
    """How many accounts are within two steps over strong pairs, and how far apart those next to it were born."""
    column = dict(zip(data[PAIR].inputs, data[PAIR].edge_attr.numpy().T, strict=True))
    kinds = [name.removesuffix(".n") for name in column if name.endswith(".n")]
    rarest = np.zeros(links.receiver.size)
    for kind in kinds:
        n_shared = np.expm1(column[f"{kind}.n"])
        each = np.divide(column[f"{kind}.rarity"], n_shared, out=np.zeros(rarest.size), where=n_shared > 0)
        rarest = np.maximum(rarest, each)
    strong = {
        "2_families": shared.n_families >= 2,
        "3_families": shared.n_families >= 3,
        "2_beyond_network": shared.n_beyond_network >= 2,
        **{f"rare_{most}": rarest >= (most - 1.0) ** -0.5 - 1e-3 for most in _RARE},
    }
    apart = column["days_between_births"]
    for name, is_strong in strong.items():
        receiver, sender = links.receiver[is_strong], links.sender[is_strong]
        ties = sparse.csr_matrix(
            (np.ones(receiver.size, dtype=np.float32), (receiver, sender)), shape=(links.n_accounts,) * 2
        )
        within_two = (ties + ties @ ties).tocsr()
        yield f"reach.{name}", np.log1p(np.diff(within_two.indptr))
        n_tied = np.bincount(receiver, minlength=links.n_accounts)
        total = np.bincount(receiver, apart[is_strong], minlength=links.n_accounts)
        yield f"born_apart.{name}", np.divide(total, n_tied, out=np.full(n_tied.size, np.nan), where=n_tied > 0)


def _largest(receiver: np.ndarray, values: np.ndarray, n_accounts: int, *, lacking: float = 0.0) -> np.ndarray:
    """Largest of each account's values, `[n_accounts]`; `lacking` where it has none."""
    largest = np.full(n_accounts, -np.inf)
    np.maximum.at(largest, receiver, values)
    return np.where(np.isfinite(largest), largest, lacking)
