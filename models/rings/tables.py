"""The tables of the rings that a night found.

A ring is first seen when the first of its members was, as known in the night that found it, and last seen at the
newest activity of its members. The first of these is carried from night to night with the ring's id.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ringwatch.graph_schema.graph import ACCOUNT, RELATIONSHIPS
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.rings.communities import Groups
from ringwatch.models.rings.identity import MEMBERS_SCHEMA, RINGS_SCHEMA, RingIds, Rings


def rings_table(
    snapshot: Snapshot,
    groups: Groups,
    ids: RingIds,
    previous: Rings | None,
    *,
    scores: np.ndarray,
    labels: np.ndarray,
    reasons: Sequence[Sequence[str]],
) -> Rings:
    """Rings and members, sorted by their ids; scores, labels and reasons are one for each group."""
    first, last = _seen(snapshot, groups)
    carried = _first_seen_by_id(previous)
    columns = {
        "ring_id": ids.ids,
        "n_accounts": np.bincount(groups.group[groups.group >= 0], minlength=groups.n_groups),
        "n_new_accounts": ids.n_new_accounts,
        "fraud_score": scores,
        "fraud_label": labels,
        "reasons": reasons,
        "first_seen_at": [carried.get(ring_id, seen) for ring_id, seen in zip(ids.ids, first.tolist(), strict=True)],
        "last_seen_at": last,
    }
    rings = pa.table([pa.array(columns[field.name], field.type) for field in RINGS_SCHEMA], schema=RINGS_SCHEMA)
    return Rings(rings.sort_by("ring_id").combine_chunks(), _members(snapshot, groups, ids))


def _members(snapshot: Snapshot, groups: Groups, ids: RingIds) -> pa.Table:
    rows = np.flatnonzero(groups.group >= 0)
    columns = [
        pa.array(ids.ids, pa.string()).take(pa.array(groups.group[rows])),
        snapshot.accounts["id"].take(pa.array(rows)),
        pa.array(groups.membership[rows]),
    ]
    members = pa.table(columns, schema=MEMBERS_SCHEMA)
    return members.sort_by([("ring_id", "ascending"), ("account_id", "ascending")]).combine_chunks()


def _first_seen_by_id(previous: Rings | None) -> dict[str, int]:
    """Microseconds since 1970 at which each previous ring was first seen."""
    if previous is None:
        return {}
    first_seen_at = _microseconds(previous.rings["first_seen_at"])
    return dict(zip(previous.rings["ring_id"].to_pylist(), first_seen_at.tolist(), strict=True))


def _seen(snapshot: Snapshot, groups: Groups) -> tuple[np.ndarray, np.ndarray]:
    """First and newest activity of each group's members, `[n_groups]` int64 microseconds since 1970."""
    first = np.full(groups.n_groups, np.iinfo(np.int64).max)
    last = np.full(groups.n_groups, np.iinfo(np.int64).min)
    created_at = _microseconds(snapshot.accounts["created_at"])
    seen = [(groups.group, created_at, created_at)]
    for relationship in RELATIONSHIPS:
        if relationship.start is ACCOUNT and relationship.is_dated:
            table = snapshot.relationships[relationship.type]
            group = groups.group[snapshot.ends[relationship.type].start]
            seen.append((group, _microseconds(table["first_seen_at"]), _microseconds(table["last_seen_at"])))
    for group, first_seen_at, last_seen_at in seen:
        within = group >= 0
        np.minimum.at(first, group[within], first_seen_at[within])
        np.maximum.at(last, group[within], last_seen_at[within])
    return first, last


def _microseconds(times: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(times.cast(pa.int64()).to_numpy())
