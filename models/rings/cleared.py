"""Rings that people cleared stay cleared, with the accounts that join them, until they grow or share something new.

An account joins a cleared ring when most of its likely links are to the ring's members. The ring is reopened once as
many have joined as a fifth of those cleared, or one shares a kind of identifier with it that those cleared do not share
with each other; what changed is then the first reason of what is found there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse

from ringwatch.models.data.identifiers import SharedKind
from ringwatch.models.explain.wording import count, named_kind
from ringwatch.models.rings.sharing import shared_within

_MOST = 0.5  # of an account's links


@dataclass(frozen=True)
class ClearedRing:
    """A ring that a person found legitimate.

    Attributes:
        members: rows of the accounts that it had then.
        decision: who cleared it and when, as "kim cleared its ring on 2026-04-01".
    """

    members: np.ndarray
    decision: str


@dataclass(frozen=True)
class ClearedRings:
    """All such rings, and what reopens one.

    Attributes:
        rings: the rings.
        growth: the share of those cleared that has to join.
        on_new_kind: whether a kind of identifier does that those cleared did not share.
    """

    rings: Sequence[ClearedRing] = ()
    growth: float = 0.2
    on_new_kind: bool = True


NONE_CLEARED = ClearedRings()


class Joined(NamedTuple):
    """Who has joined cleared rings.

    Attributes:
        still_cleared: `[n_excused] int64` rows of accounts whose ring stays cleared, and they with it.
        notes: the first reason of an account, by its row, cleared or reopened.
    """

    still_cleared: np.ndarray
    notes: dict[int, str]


def join_cleared_rings(
    cleared: ClearedRings, links: sparse.csr_matrix, kinds: Sequence[SharedKind], is_decided: np.ndarray
) -> Joined:
    """Who has joined which cleared ring, and whether that changes anything.

    Args:
        cleared: the rings.
        links: likely links between all accounts, `[n_accounts, n_accounts]` symmetric probabilities.
        kinds: what is shared.
        is_decided: `[n_accounts] bool`, on whom people have decided.
    """
    still_cleared = [np.empty(0, dtype=np.int64)]
    notes: dict[int, str] = {}
    strength = np.asarray(links.sum(axis=1)).ravel()
    for ring in cleared.rings:
        is_member = np.zeros(is_decided.size, dtype=bool)
        is_member[ring.members] = True
        to_members = links @ is_member.astype(np.float64)
        joined = np.flatnonzero((to_members > _MOST * strength) & ~is_decided & ~is_member)
        if joined.size:
            new_kinds = _new_kinds(ring, joined, kinds, is_decided.size)
            has_grown = joined.size >= cleared.growth * ring.members.size
            if not (has_grown or (new_kinds and cleared.on_new_kind)):
                still_cleared.append(joined)
            notes |= dict.fromkeys(joined.tolist(), _note(ring, joined.size, new_kinds))
    return Joined(np.concatenate(still_cleared), notes)


def _new_kinds(ring: ClearedRing, joined: np.ndarray, kinds: Sequence[SharedKind], n_accounts: int) -> list[str]:
    now = _kinds_within(kinds, np.append(ring.members, joined), n_accounts)
    return sorted(now - _kinds_within(kinds, ring.members, n_accounts))


def _note(ring: ClearedRing, n_joined: int, new_kinds: Sequence[str]) -> str:
    anew = f", and share with it {' and '.join(new_kinds)}, which it did not" if new_kinds else ""
    return f"{ring.decision}; since then {count(n_joined, 'account')} joined the {ring.members.size:,} of it{anew}"


def _kinds_within(kinds: Sequence[SharedKind], rows: np.ndarray, n_accounts: int) -> set[str]:
    group = np.full(n_accounts, -1, dtype=np.int64)
    group[rows] = 0
    return {named_kind(kind) for kind in kinds if shared_within(kind, group).group.size}
