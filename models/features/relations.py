"""Edges of the graph by relation: to identifiers that several accounts share, and between accounts.

An identifier with one account links it to nobody, so its edge is left out here; what the account does with it is in
its own features.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ringwatch.graph_schema.graph import ACCOUNT, IDENTIFIER_RELATIONSHIPS, RELATIONSHIPS, RELATIONSHIPS_BY_TYPE
from ringwatch.graph_schema.vocabulary import Node
from ringwatch.models.data.identifiers import subnets_of_accounts
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.features.account import Columns, edge_columns
from ringwatch.models.features.order import first_use, only_failed, split_by_order

_IN_SUBNET = RELATIONSHIPS_BY_TYPE["IN_SUBNET"]


@dataclass(frozen=True)
class Relation:
    """Edges of one relation, from `other` (an identifier or an account) to `account`."""

    name: str
    far: Node  # what `other` counts in
    account: np.ndarray  # [n_edges] int64
    other: np.ndarray  # [n_edges] int64
    columns: Columns  # [n_edges, n_columns]


@dataclass(frozen=True)
class HeardRelation:
    """Edges of one relation to nodes of an identifier and a slot: who hears whom over it (features/order.py).

    Attributes:
        name: of the relation.
        far: the kind of identifier.
        account: `[n_edges] int64`, sends over the edge.
        node: `[n_edges] int64`, from 0.
        receives: `[n_edges] bool`, whether the account receives over it as well.
        identifier: `[n_nodes] int64`, row of each node's identifier.
        columns: `[n_edges, n_columns]`.
    """

    name: str
    far: Node
    account: np.ndarray
    node: np.ndarray
    receives: np.ndarray
    identifier: np.ndarray
    columns: Columns


def heard_relations(snapshot: Snapshot) -> Iterator[HeardRelation]:
    """For each kind of identifier, who hears whom over one; a use that only failed counts for nobody."""
    for relationship in IDENTIFIER_RELATIONSHIPS:
        ends, columns = snapshot.ends[relationship.type], edge_columns(snapshot, relationship)
        relation = Relation(relationship.type, relationship.end, ends.start, ends.end, columns)
        keep = ~only_failed(snapshot, relationship)
        yield _heard(snapshot, relation, first_use(snapshot, relationship), keep)
    relation, first = _by_subnet(snapshot)
    yield _heard(snapshot, relation, first, np.ones(relation.account.size, dtype=bool))


def heard_accounts(snapshot: Snapshot) -> Iterator[Relation]:
    """For each relationship between accounts its edges from end to start: whom one paid or followed, one hears."""
    for relationship in RELATIONSHIPS:
        if relationship.start is ACCOUNT and relationship.end is ACCOUNT:
            ends, columns = snapshot.ends[relationship.type], edge_columns(snapshot, relationship)
            yield Relation(f"rev_{relationship.type}", ACCOUNT, ends.start, ends.end, columns)


def shared_relations(snapshot: Snapshot) -> Iterator[Relation]:
    """For each kind of identifier, the edges to those that two or more accounts share."""
    for relationship in IDENTIFIER_RELATIONSHIPS:
        ends = snapshot.ends[relationship.type]
        columns = edge_columns(snapshot, relationship)
        yield _of_shared(Relation(relationship.type, relationship.end, ends.start, ends.end, columns))
    yield _of_shared(_by_subnet(snapshot)[0])


def account_relations(snapshot: Snapshot) -> Iterator[Relation]:
    """For each relationship between accounts, its edges from start to end and, as `rev_`, from end to start."""
    for relationship in RELATIONSHIPS:
        if relationship.start is ACCOUNT and relationship.end is ACCOUNT:
            ends, columns = snapshot.ends[relationship.type], edge_columns(snapshot, relationship)
            yield Relation(relationship.type, ACCOUNT, ends.end, ends.start, columns)
            yield Relation(f"rev_{relationship.type}", ACCOUNT, ends.start, ends.end, columns)


def n_sharing(relation: Relation) -> np.ndarray:
    """Number of accounts on each edge's identifier, `[n_edges] int64`."""
    return np.asarray(np.bincount(relation.other, minlength=1)[relation.other])


def _heard(snapshot: Snapshot, relation: Relation, first_used_at: np.ndarray, keep: np.ndarray) -> HeardRelation:
    uses = np.flatnonzero(keep)
    created_at = snapshot.accounts["created_at"].cast("int64").to_numpy()[relation.account[uses]]
    heard = split_by_order(relation.other[uses], first_used_at[uses], created_at)
    use = uses[heard.use]
    columns = Columns(relation.columns.names, relation.columns.values[use])
    return HeardRelation(
        relation.name, relation.far, relation.account[use], heard.node, heard.receives, heard.identifier, columns
    )


def _by_subnet(snapshot: Snapshot) -> tuple[Relation, np.ndarray]:
    """Accounts and the networks of their addresses, and microseconds since 1970 at which each began, `[n_edges] int64`.

    The column is `log1p` of the number of addresses used there.
    """
    account, subnet, row = subnets_of_accounts(snapshot)
    n_subnets = max(snapshot.nodes[_IN_SUBNET.end.label].num_rows, 1)
    # One number a pair: far cheaper to sort.
    pairs, pair, n_addresses = np.unique(account * n_subnets + subnet, return_inverse=True, return_counts=True)
    first = np.full(pairs.size, np.iinfo(np.int64).max)
    np.minimum.at(first, pair, first_use(snapshot, RELATIONSHIPS_BY_TYPE["USED_IP"])[row])
    columns = Columns(("n_addresses",), np.log1p(n_addresses).astype(np.float32)[:, None])
    return Relation(_IN_SUBNET.type, _IN_SUBNET.end, *np.divmod(pairs, n_subnets), columns), first


def _of_shared(relation: Relation) -> Relation:
    keep = n_sharing(relation) > 1
    columns = Columns(relation.columns.names, relation.columns.values[keep])
    return Relation(relation.name, relation.far, relation.account[keep], relation.other[keep], columns)
