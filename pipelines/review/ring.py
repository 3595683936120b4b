"""A ring as a person who decides on it wants to see it, from the files of the nights detected."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.models.data.decisions import decisions_of
from ringwatch.models.data.identifiers import shared_kinds
from ringwatch.models.data.snapshot import Snapshot, read_snapshot
from ringwatch.models.rings.sharing import shared_within
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.runs.store import detected_nights, read_run_table

_N_SHARED = 30
_NIGHTLY = ("n_accounts", "n_new_accounts", "fraud_score", "fraud_label")


@dataclass(frozen=True)
class RingView:
    """A ring in the newest night.

    Attributes:
        ring_id: its id.
        fraud_score: that it is a ring.
        fraud_label: what is made of that.
        reasons: why, the strongest first.
        members: the surest first: account_id, fraud_score, fraud_label, membership, decided, reasons.
        shared: identifiers on at least two members, those on most members first: kind, id, n_members, n_accounts; hubs
            on more than 60 accounts say nothing of anybody, and are left out.
        history: one entry a night that knew it, the oldest first.
    """

    ring_id: str
    fraud_score: float
    fraud_label: str
    reasons: list[str]
    members: list[dict[str, Any]]
    shared: list[dict[str, Any]]
    history: list[dict[str, Any]]


def view_ring(settings: Settings, ring_id: str) -> RingView:
    """A ring of the newest night.

    Raises:
        RingwatchError: no night has been detected, or the newest knows no such ring.
    """
    nights = detected_nights(settings)
    history = []
    for night in nights:
        rings = read_run_table(settings, night, "rings")
        of_night = rings.filter(pc.equal(rings["ring_id"], ring_id)).to_pylist()
        history += [{"date": str(night), **{name: each[name] for name in (*_NIGHTLY, "reasons")}} for each in of_night]
    if not history or history[-1]["date"] != str(nights[-1]):
        raise RingwatchError(
            f"the night of {nights[-1]} knows no ring {ring_id!r}: `ringwatch review queue` lists those there are."
        )
    ring = history[-1]
    snapshot = read_snapshot(settings.snapshots_dir / f"date={nights[-1]}")
    rows = _members(settings, nights[-1], snapshot, ring_id)
    return RingView(
        ring_id,
        ring["fraud_score"],
        ring["fraud_label"],
        ring["reasons"],
        rows,
        _shared(snapshot, pa.array([row["account_id"] for row in rows])),
        [{name: each[name] for name in ("date", *_NIGHTLY)} for each in history],
    )


def _members(settings: Settings, night: date, snapshot: Snapshot, ring_id: str) -> list[dict[str, Any]]:
    members = read_run_table(settings, night, "members")
    of_ring = members.filter(pc.equal(members["ring_id"], ring_id))
    membership = dict(zip(of_ring["account_id"].to_pylist(), of_ring["membership"].to_pylist(), strict=True))
    accounts = read_run_table(settings, night, "accounts").drop_columns("ring_id")
    rows = accounts.filter(pc.is_in(accounts["account_id"], value_set=pa.array(list(membership)))).to_pylist()
    said = decisions_of(snapshot).sentences
    codes = snapshot.account_codes(pa.array([row["account_id"] for row in rows])).tolist()
    told = (
        {**row, "membership": membership[row["account_id"]], "decided": said.get(code, "")}
        for row, code in zip(rows, codes, strict=True)
    )
    return sorted(told, key=lambda row: (-row["fraud_score"], row["account_id"]))


def _shared(snapshot: Snapshot, account_ids: pa.Array) -> list[dict[str, Any]]:
    group = np.full(snapshot.n_accounts, -1, dtype=np.int64)
    group[snapshot.account_codes(account_ids)] = 0
    found = []
    for kind in shared_kinds(snapshot):
        within = shared_within(kind, group)
        n_members = np.bincount(kind.identifier[group[kind.account] == 0], minlength=kind.degree.size)
        ids = kind.ids.take(pa.array(within.identifier)).to_pylist()
        found += [
            {"kind": kind.label, "id": id_, "n_members": int(n_members[at]), "n_accounts": int(kind.degree[at])}
            for at, id_ in zip(within.identifier, ids, strict=True)
        ]
    found.sort(key=lambda each: (-each["n_members"], each["n_accounts"], each["kind"], each["id"]))
    return found[:_N_SHARED]
