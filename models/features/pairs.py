"""Pairs of accounts that may have the same operator: those that share a rare identifier, or interact."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ringwatch.models.data.identifiers import SharedKind, each_once, shared_kinds
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.features.account import Columns

_DIRECT = ("SENT_MONEY_TO", "REFERRED_BY")
_TOO_MANY = "IN_SUBNET"  # adds to a pair and makes none: that two share an address says it better
_US_PER_DAY = 86_400e6


@dataclass(frozen=True)
class Pairs:
    """Pairs of accounts, each once.

    Attributes:
        one: `[n_pairs] int64`, the account with the smaller row; pairs are sorted by it, then by the other.
        other: `[n_pairs] int64`.
        columns: `[n_pairs, n_columns]`, for each kind of identifier how many are shared and how rare they are, whether
            the two interact, how many independent families of evidence there are, and the days between
            their births.
    """

    one: np.ndarray
    other: np.ndarray
    columns: Columns


def candidate_pairs(snapshot: Snapshot) -> Pairs:
    """All pairs that share an identifier on at most `identifiers.HUB_ACCOUNTS` accounts, or interact."""
    n_accounts = snapshot.n_accounts
    kinds = sorted(shared_kinds(snapshot), key=lambda kind: kind.type)
    shared = {kind.type: _pairs_sharing(kind, n_accounts) for kind in kinds}
    direct = {type_: _pairs_direct(snapshot, type_) for type_ in _DIRECT}
    makers = [keys for type_, (keys, _) in shared.items() if type_ != _TOO_MANY] + list(direct.values())
    pairs = each_once(np.concatenate(makers))  # one * n_accounts + other
    names = [f"{kind.type}.{what}" for kind in kinds for what in ("n", "rarity")]
    names += [*_DIRECT, "n_families", "days_between_births"]
    values = np.empty((pairs.size, len(names)), dtype=np.float32)
    column = dict(zip(names, values.T, strict=True))  # filled in place: all of them as they are worked out are 1 GB
    n_by_family: dict[str, np.ndarray] = {}
    for kind in kinds:
        found, (n_shared, rarity) = _look_up(pairs, *shared.pop(kind.type))
        column[f"{kind.type}.n"][:], column[f"{kind.type}.rarity"][:] = np.log1p(n_shared), rarity
        n_by_family[kind.evidence.family] = n_by_family.get(kind.evidence.family, False) | found
    for type_, keys in direct.items():
        column[type_][:], _ = _look_up(pairs, keys, np.empty((0, keys.size)))
    column["n_families"][:] = sum(n_by_family.values(), np.zeros(pairs.size)) + sum(column[type_] for type_ in _DIRECT)
    one, other = np.divmod(pairs, n_accounts)
    born = snapshot.accounts["created_at"].cast("int64").to_numpy() / _US_PER_DAY
    column["days_between_births"][:] = np.log1p(np.abs(born[one] - born[other])) / 4
    return Pairs(one, other, Columns(tuple(names), values))


def _pairs_sharing(kind: SharedKind, n_accounts: int) -> tuple[np.ndarray, np.ndarray]:
    """Keys of the pairs, `[n] int64` ascending, and of each how many they share and how rare, `[2, n]`."""
    used, identifier = np.unique(kind.identifier, return_inverse=True)
    rarity = (kind.degree[kind.identifier] - 1.0) ** -0.5
    shape, at = (n_accounts, max(used.size, 1)), (kind.account, identifier)
    # One product for both sums: the real part counts, the imaginary part adds up how rare.
    uses = sparse.csr_matrix((1 + 1j * rarity, at), shape=shape)
    ties = sparse.triu(uses @ sparse.csr_matrix((np.ones(identifier.size), at), shape=shape).T, k=1).tocsr()
    ties.sort_indices()
    one = np.repeat(np.arange(n_accounts, dtype=np.int64), np.diff(ties.indptr))
    return one * n_accounts + ties.indices, np.stack([ties.data.real, ties.data.imag])


def _pairs_direct(snapshot: Snapshot, type_: str) -> np.ndarray:
    ends = snapshot.ends[type_]
    one, other = np.minimum(ends.start, ends.end), np.maximum(ends.start, ends.end)
    return each_once((one * snapshot.n_accounts + other)[one != other])


def _look_up(pairs: np.ndarray, keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the pairs are among the keys, `[n_pairs] bool`, and their values, 0 for the others."""
    if not keys.size:
        return np.zeros(pairs.size, dtype=bool), np.zeros((len(values), pairs.size))
    position = np.minimum(np.searchsorted(keys, pairs), keys.size - 1)
    found = keys[position] == pairs
    return found, np.where(found, values[:, position], 0.0)
