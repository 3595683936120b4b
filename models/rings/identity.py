"""Rings of one night: their scores, and ids that stay the same from night to night while most of the members do."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ringwatch.graph_schema.signals import Kind
from ringwatch.models.data.snapshot import codes_of
from ringwatch.models.rings.communities import Groups

RINGS_SCHEMA = pa.schema(
    [
        ("ring_id", pa.string()),
        ("n_accounts", pa.int64()),
        ("n_new_accounts", pa.int64()),
        ("fraud_score", pa.float64()),
        ("fraud_label", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("first_seen_at", Kind.TIMESTAMP.arrow_type),
        ("last_seen_at", Kind.TIMESTAMP.arrow_type),
    ]
)
MEMBERS_SCHEMA = pa.schema([("ring_id", pa.string()), ("account_id", pa.string()), ("membership", pa.float64())])


@dataclass(frozen=True)
class Rings:
    """The rings that one night found: `rings` by RINGS_SCHEMA, `members` by MEMBERS_SCHEMA, both sorted by ids."""

    rings: pa.Table
    members: pa.Table


@dataclass(frozen=True)
class RingIds:
    """Ids of tonight's groups, by the rings of the night before.

    Attributes:
        ids: `[n_groups]` ring ids.
        n_new_accounts: `[n_groups]` int64 members that the ring of this id did not have the night before.
    """

    ids: list[str]
    n_new_accounts: np.ndarray


def match_rings(previous: Rings | None, groups: Groups, account_ids: pa.ChunkedArray, night: dt.date) -> RingIds:
    """Ring ids of tonight's groups.

    A group takes the id of the previous ring with which it has most accounts in common, if these are more than half of
    the ring or of the group: after a split or a merge, the larger part's id lives on. Ids go to the largest overlaps
    first, ties to the smaller ring id and then to the group with the first account. Time: a sort of members.
    """
    members = np.flatnonzero(groups.group >= 0)
    members = members[np.argsort(groups.group[members], kind="stable")]
    member_ids = account_ids.take(pa.array(members))
    sizes = np.bincount(groups.group[members], minlength=groups.n_groups)
    ids: dict[int, str] = {}
    n_new = sizes.astype(np.int64)
    taken = set()
    for ring_id, group, n_common in _overlaps(previous, groups.group[members], member_ids):
        if ring_id not in taken and group not in ids:
            taken.add(ring_id)
            ids[group] = ring_id
            n_new[group] -= n_common
    parts = np.split(np.array(member_ids.to_pylist(), dtype=object), np.cumsum(sizes)[:-1])
    return RingIds([ids.get(group) or _new_id(night, parts[group]) for group in range(groups.n_groups)], n_new)


def _overlaps(previous: Rings | None, group: np.ndarray, member_ids: pa.ChunkedArray) -> Iterator[tuple[str, int, int]]:
    """Previous ring, group and number of accounts in both, the largest first, where it is most of either's accounts."""
    if previous is None or not previous.members.num_rows or not group.size:
        return
    position = codes_of(previous.members["account_id"], member_ids)
    ring_ids, ring = np.unique(previous.members["ring_id"].to_numpy().astype(str), return_inverse=True)
    ring_sizes, group_sizes = np.bincount(ring), np.bincount(group)
    still_here = position >= 0
    n_groups = group_sizes.size
    pairs, n_common = np.unique(ring[still_here] * n_groups + group[position[still_here]], return_counts=True)
    ring_of_pair, group_of_pair = np.divmod(pairs, n_groups)
    is_most = (2 * n_common > ring_sizes[ring_of_pair]) | (2 * n_common > group_sizes[group_of_pair])
    for pair in np.lexsort((group_of_pair, ring_of_pair, -n_common)):
        if is_most[pair]:
            yield str(ring_ids[ring_of_pair[pair]]), int(group_of_pair[pair]), int(n_common[pair])


def _new_id(night: dt.date, member_ids: np.ndarray) -> str:
    """An id that is a function of the night and the members."""
    text = "\n".join([night.isoformat(), *sorted(member_ids)])
    return f"ring-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
