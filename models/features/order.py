"""Who came first on a shared identifier: what others do to an account is no evidence against it.

An account *hears* another over an identifier only if the other used it before, or at about the same time: in the same
slot of `SLOT_DAYS` days since 1970, so that whoever is heard on one night is heard on the next. Whoever shows
somebody's device fingerprint, tries their card or appears on their address comes later, and the owner does not hear
it. In an account's first `YOUNG_DAYS` days it hears those that come later as well: it has not been there long enough
to be framed at a profit, and the accounts of a ring are made one after another.

So each identifier becomes one node for each slot in which accounts begin to use it: its senders are they and all
before, its receivers those that hear so far. A hub's accounts hear each other whatever their order: it says next to
nothing, and its slots would be many.
"""

from typing import NamedTuple

import numpy as np

from ringwatch.graph_schema.graph import ACCOUNT, HUB_ACCOUNTS
from ringwatch.graph_schema.vocabulary import Relationship
from ringwatch.models.data.snapshot import Snapshot

SLOT_DAYS, YOUNG_DAYS = 2.0, 14.0
_US_PER_DAY = 86_400e6


class Heard(NamedTuple):
    """Uses of identifiers, split by slots: one row for each slot in which a use is heard.

    Attributes:
        use: `[n_rows] int64`, the use in the arrays that were split.
        node: `[n_rows] int64`, an identifier and a slot, numbered from 0 in their order.
        receives: `[n_rows] bool`, whether this is the last slot that the account hears; each use receives once at most.
        identifier: `[n_nodes] int64`, of each node.
    """

    use: np.ndarray
    node: np.ndarray
    receives: np.ndarray
    identifier: np.ndarray


def first_use(snapshot: Snapshot, relationship: Relationship) -> np.ndarray:
    """Microseconds since 1970 at which each of a type's relationships began, `[n_relationships] int64`.

    Where a relationship has no time, its account's creation stands for it.
    """
    if relationship.is_dated:
        return np.asarray(snapshot.relationships[relationship.type]["first_seen_at"].cast("int64").to_numpy())
    created_at = snapshot.nodes[ACCOUNT.label]["created_at"].cast("int64").to_numpy()
    return np.asarray(created_at[snapshot.ends[relationship.type].start])


def only_failed(snapshot: Snapshot, relationship: Relationship) -> np.ndarray:
    """Uses that only ever failed, `[n_relationships] bool`: trying an identifier is not having it."""
    table = snapshot.relationships[relationship.type]
    if "n_failed" not in table.column_names:
        return np.zeros(table.num_rows, dtype=bool)
    counts = {name: table[name].fill_null(0).to_numpy() for name in ("n_failed", "n_events", "n_chargebacks")}
    return np.asarray((counts["n_failed"] > 0) & (counts["n_failed"] >= counts["n_events"] - counts["n_chargebacks"]))


def split_by_order(identifier: np.ndarray, first_used_at: np.ndarray, created_at: np.ndarray) -> Heard:
    """Split uses of identifiers, `[n_uses]` each, into nodes of one identifier and slot; nodes with one account go.

    Args:
        identifier: int64.
        first_used_at: int64, microseconds since 1970.
        created_at: int64, the same of the account.
    """
    slot, hears_up_to = (
        each // int(SLOT_DAYS * _US_PER_DAY)
        for each in (first_used_at, np.maximum(first_used_at, created_at + int(YOUNG_DAYS * _US_PER_DAY)))
    )
    earliest = slot.min(initial=0)
    slot, hears_up_to = slot - earliest, hears_up_to - earliest
    is_hub = np.bincount(identifier, minlength=1)[identifier] > HUB_ACCOUNTS
    slot[is_hub], hears_up_to[is_hub] = 0, 0
    order = np.lexsort((slot, identifier))
    begins = np.ones(order.size, dtype=bool)  # of an identifier and slot
    begins[1:] = (np.diff(identifier[order]) != 0) | (np.diff(slot[order]) != 0)
    own_node = np.cumsum(begins) - 1  # [n_uses], in this order
    node_identifier, node_slot = identifier[order][begins], slot[order][begins]
    last_node = np.searchsorted(node_identifier, node_identifier, side="right") - 1  # of the same identifier
    # The last of its identifier's nodes whose slot the account hears: both in one number, to search for.
    width = int(node_slot.max(initial=0)) + 1
    up_to = np.minimum(hears_up_to[order], width - 1)
    receiving = (
        np.searchsorted(node_identifier * width + node_slot, identifier[order] * width + up_to, side="right") - 1
    )
    n_copies = last_node[own_node] - own_node + 1
    row = np.repeat(np.arange(order.size), n_copies)
    node = own_node[row] + np.arange(row.size) - np.repeat(np.cumsum(n_copies) - n_copies, n_copies)
    keep = np.bincount(node, minlength=1)[node] > 1
    used, number = np.unique(node[keep], return_inverse=True)
    return Heard(order[row[keep]], number, (node == receiving[row])[keep], node_identifier[used])
