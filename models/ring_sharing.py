"""What the members of each group share with each other."""

from dataclasses import dataclass

import numpy as np

from models.identifiers import SharedKind


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
