"""What the members of each group share with each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ringwatch.models.data.identifiers import SharedKind

if TYPE_CHECKING:
    from ringwatch.models.rings.communities import Groups


@dataclass(frozen=True)
class SharedWithin:
    """One kind's identifiers that at least two members of a group use.

    Attributes:
        group: `[n_shared] int64`, the group that shares it; an identifier is there once for each such group.
        identifier: `[n_shared] int64`.
        is_sharing: `[n_accounts] bool`, members who use one.
    """

    group: np.ndarray
    identifier: np.ndarray
    is_sharing: np.ndarray


def shared_within(kind: SharedKind, group: np.ndarray) -> SharedWithin:
    """What is shared within groups, `[n_accounts] int64` numbers, -1 outside."""
    of_use = group[kind.account]
    uses = np.flatnonzero(of_use >= 0)
    n_identifiers = max(kind.degree.size, 1)
    pair = of_use[uses].astype(np.int64) * n_identifiers + kind.identifier[uses]
    pairs, position, n_members = np.unique(pair, return_inverse=True, return_counts=True)
    is_sharing = np.zeros(group.size, dtype=bool)
    is_sharing[kind.account[uses[n_members[position] > 1]]] = True
    return SharedWithin(*np.divmod(pairs[n_members > 1], n_identifiers), is_sharing)


def per_group(group: np.ndarray, holds: np.ndarray, n_groups: int) -> np.ndarray:
    """Number of members of each group for which something holds, `[n_groups] int64`."""
    return np.bincount(group[holds & (group >= 0)], minlength=n_groups)


def kinds_shared(kinds: Sequence[SharedKind], groups: "Groups") -> dict[str, np.ndarray]:
    """By family of evidence the share of each group's members that share such with another: `[n_groups]` each."""
    size = np.bincount(groups.group[groups.group >= 0], minlength=groups.n_groups)
    shares: dict[str, np.ndarray] = {}
    for kind in kinds:
        is_sharing = shared_within(kind, groups.group).is_sharing
        share = per_group(groups.group, is_sharing, groups.n_groups) / size
        shares[kind.evidence.family] = np.maximum(shares.get(kind.evidence.family, 0.0), share)
    return shares
