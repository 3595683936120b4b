"""A snapshot from who shares what, said by name: `{"USED_DEVICE": {"d1": ["ann", "bob"]}}`."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from ringwatch.graph_schema.graph import RELATIONSHIPS_BY_TYPE
from ringwatch.graph_schema.layout import LABELS_SCHEMA, node_schema, relationship_schema
from ringwatch.models.data.links import Links
from ringwatch.models.data.snapshot import Snapshot, make_snapshot
from ringwatch.models.features.pairs import candidate_pairs

NIGHT = dt.date(2026, 4, 1)
NOON = dt.datetime(2026, 3, 20, 12, tzinfo=dt.UTC)
Shares = Mapping[str, Mapping[str, Iterable[str]]]


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
    nodes = {"Account": _table(node_schema(RELATIONSHIPS_BY_TYPE["REFERRED_BY"].end), id=sorted(accounts))}
    for type_, pairs in (*rows.items(), ("IN_SUBNET", in_subnet)):
        node = RELATIONSHIPS_BY_TYPE[type_].end
        nodes[node.label] = _table(node_schema(node), id=sorted({identifier for _, identifier in pairs}))
    relationships = {
        type_: _table(
            relationship_schema(RELATIONSHIPS_BY_TYPE[type_]),
            start_id=[start for start, _ in pairs],
            end_id=[end for _, end in pairs],
            **({"signup": [signup] * len(pairs)} if type_ == "USED_IP" else {}),
        )
        for type_, pairs in {
            **rows,
            "IN_SUBNET": in_subnet,
            "SENT_MONEY_TO": list(transfers),
            "REFERRED_BY": list(referrals),
        }.items()
    }
    known = _table(
        LABELS_SCHEMA,
        account_id=[account for account, _, _ in labels],
        label=[label for _, label, _ in labels],
        source=[source for _, _, source in labels],
    )
    return make_snapshot(night, nodes, relationships, known)


def rows_of(snapshot: Snapshot, accounts: Iterable[str]) -> np.ndarray:
    """Row numbers of accounts."""
    return snapshot.account_codes(pa.array(list(accounts)))


def scores_of(snapshot: Snapshot, scores: Mapping[str, float], default: float = 0.0) -> np.ndarray:
    """Scores in the snapshot's order."""
    return np.array([scores.get(account, default) for account in snapshot.accounts["id"].to_pylist()])


def linked(snapshot: Snapshot, operator: np.ndarray, probability: float = 0.9) -> Links:
    """Every pair of accounts that share or deal, as likely as given where both have one operator; -1 is no operator."""
    pairs = candidate_pairs(snapshot)
    is_same = (operator[pairs.one] == operator[pairs.other]) & (operator[pairs.one] >= 0)
    return Links(pairs.one, pairs.other, np.where(is_same, probability, 0.02), snapshot.n_accounts)


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


def _table(schema: pa.Schema, **columns: list) -> pa.Table:
    n_rows = len(next(iter(columns.values())))
    defaults = {"instrument_type": "card"}
    arrays = []
    for field in schema:
        values = columns.get(field.name, [defaults.get(field.name)] * n_rows)
        if field.name not in columns and pa.types.is_timestamp(field.type):
            values = [NOON] * n_rows
        elif field.name not in columns and pa.types.is_integer(field.type):
            values = [0] * n_rows
        arrays.append(pa.array(values, field.type))
    return pa.table(arrays, schema=schema)
