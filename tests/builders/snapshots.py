"""Snapshots in the real layout: from columns, or from who shares what by name, `{"USED_DEVICE": {"d1": ["ann"]}}`."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ringwatch.graph_schema.graph import NODES, RELATIONSHIPS_BY_TYPE
from ringwatch.graph_schema.layout import LABELS_SCHEMA, node_schema, relationship_schema
from ringwatch.models.data.links import Links
from ringwatch.models.data.snapshot import Snapshot, make_snapshot
from ringwatch.models.features.pairs import candidate_pairs
from ringwatch.models.features.relations import heard_relations

NIGHT = dt.date(2026, 4, 1)
NOON = dt.datetime(2026, 3, 20, 12, tzinfo=dt.UTC)
Shares = Mapping[str, Mapping[str, Iterable[str]]]
Columns = Mapping[str, Any]  # values of each column, or one value for all rows


def shared_world(
    shares: Shares,
    *,
    others: Iterable[str] = (),
    transfers: Sequence[tuple[str, str]] = (),
    referrals: Sequence[tuple[str, str]] = (),
    labels: Sequence[tuple[str, str, str]] = (),
    signup: bool = False,
    night: dt.date = NIGHT,
) -> Snapshot:
    """Accounts and what they share; all cards are cards, all activity was at noon of 20 March.

    `transfers` are (sender, payee), `referrals` (referred, referrer), `labels` (account, label, source).
    """
    rows = {
        type_: [(account, identifier) for identifier, accounts in by_identifier.items() for account in accounts]
        for type_, by_identifier in shares.items()
    }
    in_subnet = [(ip, subnet) for ip, subnet in rows.pop("IN_SUBNET", [])]
    accounts = {account for pairs in rows.values() for account, _ in pairs} | set(others)
    accounts |= {account for pair in (*transfers, *referrals) for account in pair} | {label[0] for label in labels}
    nodes: dict[str, Columns] = {"Account": {"id": sorted(accounts)}}
    for type_, pairs in (*rows.items(), ("IN_SUBNET", in_subnet)):
        nodes[RELATIONSHIPS_BY_TYPE[type_].end.label] = {"id": sorted({identifier for _, identifier in pairs})}
    if "PaymentInstrument" in nodes:
        nodes["PaymentInstrument"] = {**nodes["PaymentInstrument"], "instrument_type": "card"}
    all_pairs = {**rows, "IN_SUBNET": in_subnet, "SENT_MONEY_TO": list(transfers), "REFERRED_BY": list(referrals)}
    relationships = {type_: ends_of(pairs) for type_, pairs in all_pairs.items()}
    if "USED_IP" in relationships:
        relationships["USED_IP"]["signup"] = signup
    known = {name: [row[i] for row in labels] for i, name in enumerate(("account_id", "label", "source"))}
    return build_snapshot(night, nodes, relationships, known, at=NOON)


def build_snapshot(
    night: dt.date,
    nodes: Mapping[str, Columns],
    relationships: Mapping[str, Columns],
    labels: Columns,
    *,
    at: dt.datetime = NOON,
) -> Snapshot:
    """A snapshot from columns, by label and type; one value stands for a column of it.

    Columns that are not given are filled: times with `at`, counts with 0, anything else with null.
    """
    by_label = {node.label: node for node in NODES}
    return make_snapshot(
        night,
        {label: _table(node_schema(by_label[label]), columns, at) for label, columns in nodes.items()},
        {
            type_: _table(relationship_schema(RELATIONSHIPS_BY_TYPE[type_]), columns, at)
            for type_, columns in relationships.items()
        },
        _table(LABELS_SCHEMA, labels, at),
    )


def ends_of(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The two key columns of a relationship's rows."""
    return {"start_id": [start for start, _ in pairs], "end_id": [end for _, end in pairs]}


def rows_of(snapshot: Snapshot, accounts: Iterable[str]) -> np.ndarray:
    """Row numbers of accounts."""
    return snapshot.account_codes(pa.array(list(accounts)))


def scores_of(snapshot: Snapshot, scores: Mapping[str, float], default: float = 0.0) -> np.ndarray:
    """Scores in the snapshot's order."""
    return np.array([scores.get(account, default) for account in snapshot.accounts["id"].to_pylist()])


def linked(snapshot: Snapshot, operator: np.ndarray, probability: float = 0.9) -> Links:
    """Every pair of accounts that share or deal, as likely as given where both have one operator; -1 is no operator."""
    pairs = candidate_pairs(snapshot, heard_relations(snapshot))
    is_same = (operator[pairs.receiver] == operator[pairs.sender]) & (operator[pairs.receiver] >= 0)
    return Links(pairs.receiver, pairs.sender, np.where(is_same, probability, 0.02), snapshot.n_accounts)


def ring_shares(members: Sequence[str], prefix: str = "") -> dict[str, dict[str, list[str]]]:
    """What a real ring shares: each member two of three cards and of three devices."""
    return {
        type_: {f"{prefix}{kind}{i}": [member for j, member in enumerate(members) if j % 3 != i] for i in range(3)}
        for type_, kind in (("PAID_WITH", "card"), ("USED_DEVICE", "device"))
    }


def merged(*worlds: Shares) -> dict[str, dict[str, list[str]]]:
    """Several worlds' shares as one."""
    everything: dict[str, dict[str, list[str]]] = {}
    for world in worlds:
        for type_, by_identifier in world.items():
            for identifier, accounts in by_identifier.items():
                everything.setdefault(type_, {}).setdefault(identifier, []).extend(accounts)
    return everything


def _table(schema: pa.Schema, columns: Columns, at: dt.datetime) -> pa.Table:
    n_rows = len(columns[schema.names[0]])
    arrays = []
    for field in schema:
        values = columns.get(field.name)
        if field.name not in columns and pa.types.is_timestamp(field.type):
            values = at
        elif field.name not in columns and pa.types.is_integer(field.type):
            values = 0
        if values is None or isinstance(values, str | int | float | dt.datetime):
            values = [values] * n_rows
        arrays.append(values.cast(field.type) if isinstance(values, pa.Array) else pa.array(values, field.type))
    return pa.table(arrays, schema=schema)
