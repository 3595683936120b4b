"""Pairs of accounts that may have the same operator, in the direction in which one hears the other.

An account hears those that shared a rare identifier before it did, or at about the same time (features/order.py), those
that it paid, and the one that referred it. What a pair shares counts for the one that hears: a pair is there twice
where both hear each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ringwatch.graph_schema.graph import HUB_ACCOUNTS
from ringwatch.models.data.identifiers import each_once
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.features.account import Columns
from ringwatch.models.features.relations import HeardRelation

_DIRECT = ("SENT_MONEY_TO", "REFERRED_BY")
_TOO_MANY = "IN_SUBNET"  # adds to a pair and makes none: that two share an address says it better
_MAX_HEARD = 60  # by one account in a direct relationship: beyond, it pays shops or the platform
_US_PER_DAY = 86_400e6


@dataclass(frozen=True)
class Pairs:
    """Pairs of accounts, each once in each direction.

    Attributes:
        receiver: `[n_pairs] int64`, the account that hears; pairs are sorted by it, then by the other.
        sender: `[n_pairs] int64`.
        columns: `[n_pairs, n_columns]`, for each kind of identifier how many are shared and how rare they are, whether
            the one deals with the other, how many independent families of evidence there are, and the days between
            their births.
    """

    receiver: np.ndarray
    sender: np.ndarray
    columns: Columns


def candidate_pairs(snapshot: Snapshot, heard: Iterable[HeardRelation]) -> Pairs:
    """All pairs of which one hears the other over an identifier on at most `HUB_ACCOUNTS` accounts, or directly.

    `heard` are the snapshot's `heard_relations`, which its graph needs as well.
    """
    n_accounts = snapshot.n_accounts
    relations = sorted(heard, key=lambda relation: relation.name)
    families = {relation.name: relation.far.family for relation in relations}
    shared = {relation.name: _pairs_sharing(relation, n_accounts) for relation in relations}
    direct = {type_: _pairs_direct(snapshot, type_) for type_ in _DIRECT}
    makers = [keys for type_, (keys, _) in shared.items() if type_ != _TOO_MANY] + list(direct.values())
    pairs = each_once(np.concatenate(makers))  # receiver * n_accounts + sender
    names = [f"{type_}.{what}" for type_ in shared for what in ("n", "rarity")]
    names += [*_DIRECT, "n_families", "days_between_births"]
    values = np.empty((pairs.size, len(names)), dtype=np.float32)
    column = dict(zip(names, values.T, strict=True))  # filled in place: all of them as they are worked out are 1 GB
    n_by_family: dict[str, np.ndarray] = {}
    for type_, family in families.items():
        found, (n_shared, rarity) = _look_up(pairs, *shared.pop(type_))
        column[f"{type_}.n"][:], column[f"{type_}.rarity"][:] = np.log1p(n_shared), rarity
        n_by_family[family] = n_by_family.get(family, False) | found
    for type_, keys in direct.items():
        column[type_][:], _ = _look_up(pairs, keys, np.empty((0, keys.size)))
    column["n_families"][:] = sum(n_by_family.values(), np.zeros(pairs.size)) + sum(column[type_] for type_ in _DIRECT)
    receiver, sender = np.divmod(pairs, n_accounts)
    born = snapshot.accounts["created_at"].cast("int64").to_numpy() / _US_PER_DAY
    column["days_between_births"][:] = np.log1p(np.abs(born[receiver] - born[sender])) / 4
    return Pairs(receiver, sender, Columns(tuple(names), values))


def _pairs_sharing(relation: HeardRelation, n_accounts: int) -> tuple[np.ndarray, np.ndarray]:
    """Keys of the pairs, `[n] int64` ascending, and of each how many they share and how rare, `[2, n]`."""
    n_on = np.bincount(relation.node, minlength=1)
    rows = np.flatnonzero(n_on[relation.node] <= HUB_ACCOUNTS)
    receiving = rows[relation.receives[rows]]
    rarity = (n_on[relation.node[receiving]] - 1.0) ** -0.5
    shape = (n_accounts, n_on.size)
    # One product for both sums: the real part counts, the imaginary part adds up how rare.
    received = sparse.csr_matrix(
        (1 + 1j * rarity, (relation.account[receiving], relation.node[receiving])), shape=shape
    )
    sent = sparse.csr_matrix((np.ones(rows.size), (relation.account[rows], relation.node[rows])), shape=shape)
    ties = (received @ sent.T).tocsr()
    ties.sort_indices()
    receiver = np.repeat(np.arange(n_accounts, dtype=np.int64), np.diff(ties.indptr))
    apart = receiver != ties.indices
    data = ties.data[apart]
    return (receiver * n_accounts + ties.indices)[apart], np.stack([data.real, data.imag])


def _pairs_direct(snapshot: Snapshot, type_: str) -> np.ndarray:
    """Whom an account paid, or was referred by; one that pays many pays shops, or the platform pays its users."""
    ends = snapshot.ends[type_]
    n_heard = np.bincount(ends.start, minlength=snapshot.n_accounts)
    keep = (ends.start != ends.end) & (n_heard[ends.start] <= _MAX_HEARD)
    return each_once((ends.start * snapshot.n_accounts + ends.end)[keep])


def _look_up(pairs: np.ndarray, keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the pairs are among the keys, `[n_pairs] bool`, and their values, 0 for the others."""
    if not keys.size:
        return np.zeros(pairs.size, dtype=bool), np.zeros((len(values), pairs.size))
    position = np.minimum(np.searchsorted(keys, pairs), keys.size - 1)
    found = keys[position] == pairs
    return found, np.where(found, values[:, position], 0.0)
