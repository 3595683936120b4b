"""Small worlds with planted rings, as snapshots in the real layout, for the tests of models/."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tests.builders.snapshots import build_snapshot

from ringwatch.models.data.snapshot import Snapshot, make_snapshot

DATE = dt.date(2026, 4, 1)
_EPOCH = np.datetime64(DATE, "us")
_DAY = np.timedelta64(1, "D").astype("timedelta64[us]")


@dataclass(frozen=True)
class World:
    snapshot: Snapshot
    is_fake: np.ndarray  # [n_accounts] bool, in the order of snapshot.accounts
    ring: np.ndarray  # [n_accounts] int64, -1 for ordinary people


def planted_world(
    *, n_rings: int = 12, ring_size: int = 8, n_ordinary: int = 700, seed: int = 0, labelled: float = 0.7
) -> World:
    """Rings that share cards, devices and rare addresses, among ordinary people, families, and a campus that is a hub.

    A fake's own features differ only a little from anybody's: the evidence is in what it shares. `labelled` is the
    share of rings, and of ordinary people, whose label is known.
    """
    rng = np.random.default_rng(seed)
    n_fakes = n_rings * ring_size
    n = n_fakes + n_ordinary
    ring = np.r_[np.repeat(np.arange(n_rings), ring_size), np.full(n_ordinary, -1)]
    fake = ring >= 0
    names = np.array([f"acct-{code:08x}" for code in rng.permutation(2**31 - 1 - np.arange(n))])  # opaque

    age_days = np.where(fake, rng.gamma(4, 25, n), rng.gamma(4, 40, n)) + 2
    created_at = _EPOCH - (age_days * 86_400e6).astype("timedelta64[us]")
    n_requests = rng.poisson(np.where(fake, 60, 40) * rng.gamma(2, 0.5, n))
    accounts = {
        "id": names,
        "created_at": _times(created_at),
        "country": rng.choice(["DE", "FR", "US", "BR"], n),
        "plan": rng.choice(["free", "developer", "team"], n, p=[0.6, 0.3, 0.1]),
        "n_requests": n_requests,
        "n_input_tokens": n_requests * 500,
        "n_output_tokens": n_requests * 100,
        "n_usage_hours": np.minimum(n_requests, 30),
    }

    # Everybody has one of each kind alone, and picks two more out of three: a ring's, or a household's or their own.
    household = rng.integers(0, n_ordinary // 2, n)
    own = np.arange(n)

    def shared(kind: str, share_at_home: float) -> tuple[np.ndarray, np.ndarray]:
        who, what = [own], [_named(f"{kind}-o", own)]
        for _ in range(2):
            pick, at_home = rng.integers(0, 3, n), rng.random(n) < share_at_home
            private = np.where(at_home, _named(f"{kind}-h", household), _named(f"{kind}-p", own * 3 + pick))
            who.append(own)
            what.append(np.where(fake, _named(f"{kind}-r", ring * 3 + pick), private))
        return np.concatenate(who), np.concatenate(what)

    campus = rng.permutation(n)[: n // 4]
    ip_who, ip_what = shared("ip", 0.8)
    ip_who, ip_what = np.r_[ip_who, campus], np.r_[ip_what, np.full(campus.size, "ip-campus")]
    device_who, device_what = shared("device", 0.3)
    card_who, card_what = shared("card", 0.2)
    sender, payee = rng.integers(0, n, 600), rng.integers(0, n, 600)
    sender, payee = sender[sender != payee], payee[sender != payee]

    ips, ip_rows = _relate(names, ip_who, ip_what, created_at, rng)
    devices, device_rows = _relate(names, device_who, device_what, created_at, rng)
    cards, card_rows = _relate(names, card_who, card_what, created_at, rng)
    _, transfers = _relate(names, sender, names[payee], created_at, rng)
    is_campus = pc.equal(ips, "ip-campus")
    known = np.where(fake, ring < labelled * n_rings, rng.random(n) < labelled)
    snapshot = build_snapshot(
        DATE,
        {
            "Account": accounts,
            "IpAddress": {"id": ips, "asn": None, "network_type": pc.if_else(is_campus, "education", "residential")},
            "Device": {"id": devices},
            "PaymentInstrument": {"id": cards},
        },
        {
            "USED_IP": {**ip_rows, "signup": False},
            "USED_DEVICE": device_rows,
            "PAID_WITH": card_rows,
            "SENT_MONEY_TO": transfers,
        },
        {
            "account_id": names[known],
            "label": np.where(fake, "fake", "legitimate")[known],
            "label_confidence": 1.0,
            "source": "manual_review",
            "n_people": 1,
        },
        at=dt.datetime.combine(DATE, dt.time(), dt.UTC),
    )
    order = snapshot.account_codes(pa.array(names))
    is_fake, ring_of = np.empty(n, dtype=bool), np.empty(n, dtype=np.int64)
    is_fake[order], ring_of[order] = fake, ring
    return World(snapshot, is_fake, ring_of)


def renamed(snapshot: Snapshot, label: str, prefix: str) -> Snapshot:
    """The same graph where every node of a label has another name, of the same order."""

    def rename(column: pa.ChunkedArray) -> pa.ChunkedArray:
        return pc.binary_join_element_wise(prefix, column, "")

    ends = {"Account": ("start_id",), "IpAddress": (), "Device": (), "PaymentInstrument": ()}[label]
    relationships = dict(snapshot.relationships)
    for type_, far_end in {
        "USED_IP": "IpAddress",
        "USED_DEVICE": "Device",
        "PAID_WITH": "PaymentInstrument",
        "SENT_MONEY_TO": "Account",
    }.items():
        for key in (*ends, *(("end_id",) if far_end == label else ())):
            table = relationships[type_]
            relationships[type_] = table.set_column(table.column_names.index(key), key, rename(table[key]))
    table = snapshot.nodes[label]
    nodes = snapshot.nodes | {label: table.set_column(0, "id", rename(table["id"]))}
    labels = snapshot.labels
    if label == "Account":
        labels = labels.set_column(0, "account_id", rename(labels["account_id"]))
    return make_snapshot(snapshot.date, nodes, relationships, labels)


def rewired(snapshot: Snapshot, seed: int = 0) -> Snapshot:
    """The same accounts and identifiers, each relationship's identifier dealt to a random account."""
    rng = np.random.default_rng(seed)
    relationships = {}
    for type_, table in snapshot.relationships.items():
        ends = pa.array(table["end_id"].to_numpy(zero_copy_only=False)[rng.permutation(table.num_rows)], pa.string())
        dealt = table.set_column(1, "end_id", ends)
        relationships[type_] = dealt.take(
            pa.array(
                np.unique(dealt.select(["start_id", "end_id"]).to_pandas().agg("|".join, axis=1), return_index=True)[1]
            )
        )
    return make_snapshot(snapshot.date, snapshot.nodes, relationships, snapshot.labels)


def with_labels(snapshot: Snapshot, keep: np.ndarray) -> Snapshot:
    """The same graph with only the label rows at `keep` known."""
    return replace(snapshot, labels=snapshot.labels.take(pa.array(keep)))


def _named(prefix: str, codes: np.ndarray) -> np.ndarray:
    return np.array([f"{prefix}{code}" for code in codes])


def _times(values: np.ndarray) -> pa.Array:
    return pa.array(values.astype("datetime64[us]")).cast(pa.timestamp("us", tz="UTC"))


def _relate(
    names: np.ndarray, who: np.ndarray, what: np.ndarray, created_at: np.ndarray, rng: np.random.Generator
) -> tuple[pa.Array, dict[str, Any]]:
    """Identifiers that occur, and one relationship row for each pair of account and identifier."""
    _, first = np.unique(np.char.add(np.char.add(names[who], "|"), what), return_index=True)
    who, what = who[first], what[first]
    n_rows = first.size
    life = _EPOCH - created_at[who]
    first_seen = created_at[who] + (life * (rng.random(n_rows) * 0.5)).astype("timedelta64[us]")
    last_seen = first_seen + ((_EPOCH - first_seen) * rng.random(n_rows)).astype("timedelta64[us]")
    n_events = rng.integers(1, 20, n_rows)
    return pa.array(np.unique(what)), {
        "start_id": names[who],
        "end_id": what,
        "first_seen_at": _times(first_seen),
        "last_seen_at": _times(last_seen),
        "n_events": n_events,
        "n_days": np.minimum(n_events, 5),
        "total_amount": n_events * 10.0,
    }
