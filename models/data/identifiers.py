"""Which accounts share which identifiers, hubs left out: the ground that rings, reasons and evidence stand on.

An identifier that many accounts use (a carrier's address, a campus, a free-mail domain) says nothing about any of
them, so beyond `HUB_ACCOUNTS` it is left out altogether; below, each use of this module weighs it by how rare it is.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ringwatch.graph_schema.graph import HUB_ACCOUNTS, IDENTIFIER_RELATIONSHIPS, NODES_BY_LABEL, RELATIONSHIPS_BY_TYPE
from ringwatch.graph_schema.vocabulary import Evidence
from ringwatch.models.data.snapshot import Snapshot

if TYPE_CHECKING:
    from scipy import sparse

_IN_SUBNET = RELATIONSHIPS_BY_TYPE["IN_SUBNET"]


_WEAK_STRENGTH = 0.1  # of a kind that does not declare what it is worth


@dataclass(frozen=True)
class SharedKind:
    """Uses of one kind's shared identifiers, each by 2 to `HUB_ACCOUNTS` accounts.

    Attributes:
        type: the relationship from the account, `IN_SUBNET` for subnets, which are one step further.
        label: the identifiers' node label.
        evidence: what sharing one is worth.
        account: `[n_uses]` int32 row of the account; sorted, and each pair of account and identifier is there once.
        identifier: `[n_uses]` int32 row of the identifier in its node table.
        row: `[n_uses]` int64 row of the relationship (of any one of them for a subnet).
        degree: `[n_identifiers]` int32 number of accounts on each identifier, hubs included.
        ids: `[n_identifiers]` the identifiers' keys.
    """

    type: str
    label: str
    evidence: Evidence
    account: np.ndarray
    identifier: np.ndarray
    row: np.ndarray
    degree: np.ndarray
    ids: pa.ChunkedArray

    def incidence(self, n_accounts: int, weights: np.ndarray | None = None) -> "sparse.csr_matrix":
        """Accounts by identifiers, `[n_accounts, n_identifiers]`; ones, or a weight for each use."""
        from scipy import sparse  # imported here: commands that only read a night need no matrix

        values = np.ones(self.account.size, dtype=np.float32) if weights is None else weights
        return sparse.csr_matrix((values, (self.account, self.identifier)), shape=(n_accounts, self.degree.size))

    def select(self, keep: np.ndarray) -> "SharedKind":
        """Only the uses at `keep`, `[n_uses]` bool; degrees stay those of the whole graph."""
        return SharedKind(
            self.type,
            self.label,
            self.evidence,
            self.account[keep],
            self.identifier[keep],
            self.row[keep],
            self.degree,
            self.ids,
        )


def shared_kinds(snapshot: Snapshot) -> tuple[SharedKind, ...]:
    """The shared identifiers of every kind in the graph, the strongest kind first."""
    kinds = [
        _shared_kind(snapshot, relationship.type, relationship.end.label, *snapshot.ends[relationship.type])
        for relationship in IDENTIFIER_RELATIONSHIPS
    ]
    kinds.append(_shared_kind(snapshot, _IN_SUBNET.type, _IN_SUBNET.end.label, *subnets_of_accounts(snapshot)[:2]))
    return tuple(sorted(kinds, key=lambda kind: (-kind.evidence.strength, kind.type)))


def subnets_of_accounts(snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Account, subnet, and row of the use of an address, for each use whose subnet is known."""
    in_subnet, used = snapshot.ends[_IN_SUBNET.type], snapshot.ends["USED_IP"]
    subnet_of = np.full(snapshot.nodes[_IN_SUBNET.start.label].num_rows, -1, dtype=np.int64)
    subnet_of[in_subnet.start] = in_subnet.end  # an address lies in one subnet
    subnet = subnet_of[used.end]
    row = np.flatnonzero(subnet >= 0)
    return used.start[row], subnet[row], row


def each_once(keys: np.ndarray) -> np.ndarray:
    """Keys `[n] int64`, none negative, in order and each once.

    Of 7 million, sorting takes .1 s, and `np.unique`, which hashes them, 9.
    """
    ordered = np.sort(keys)
    return np.asarray(ordered[np.diff(ordered, prepend=-1) != 0])


def _shared_kind(snapshot: Snapshot, type_: str, label: str, account: np.ndarray, identifier: np.ndarray) -> SharedKind:
    ids = snapshot.nodes[label]["id"]
    # Each pair once, sorted: an account reaches a subnet through each of its addresses.
    _, row = np.unique(account * max(len(ids), 1) + identifier, return_index=True)
    account, identifier = account[row], identifier[row]
    degree = np.bincount(identifier, minlength=len(ids)).astype(np.int32)
    keep = (degree[identifier] >= 2) & (degree[identifier] <= HUB_ACCOUNTS)
    return SharedKind(
        type_,
        label,
        NODES_BY_LABEL[label].evidence or Evidence(label, _WEAK_STRENGTH),
        account[keep].astype(np.int32),
        identifier[keep].astype(np.int32),
        row[keep],
        degree,
        ids,
    )
