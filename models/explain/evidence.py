"""The shared identifiers behind an account's listing, with the number of accounts on each: for the ban list."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
import pyarrow as pa

from ringwatch.models.data.identifiers import shared_kinds
from ringwatch.models.data.snapshot import Snapshot

MAX_IDENTIFIERS = 20


class SharedIdentifier(TypedDict):
    """One identifier that an account shares: its node label and key, and the accounts and suspicious ones on it."""

    kind: str
    id: str
    n_accounts: int
    n_suspicious: int


def account_evidence(
    snapshot: Snapshot, account_ids: Sequence[str], labels_by_account: Mapping[str, str]
) -> dict[str, list[SharedIdentifier]]:
    """Identifiers that each account shares with others, the rarest first, at most `MAX_IDENTIFIERS`, hubs left out.

    Args:
        snapshot: the night's graph.
        account_ids: whose evidence; an account that the snapshot does not know has none.
        labels_by_account: fraud labels, for the count of suspicious accounts.
    """
    suspicious = [account_id for account_id, label in labels_by_account.items() if label == "suspicious"]
    is_suspicious = np.zeros(snapshot.n_accounts, dtype=bool)
    known = snapshot.account_codes(pa.array(suspicious, pa.string()))
    is_suspicious[known[known >= 0]] = True
    rows = snapshot.account_codes(pa.array(account_ids, pa.string()))
    is_asked = np.zeros(snapshot.n_accounts, dtype=bool)
    is_asked[rows[rows >= 0]] = True

    found: dict[int, list[tuple[int, int, int, SharedIdentifier]]] = {int(row): [] for row in rows if row >= 0}
    for order, kind in enumerate(shared_kinds(snapshot)):
        asked = kind.select(is_asked[kind.account])
        n_suspicious = np.bincount(kind.identifier[is_suspicious[kind.account]], minlength=kind.degree.size)
        ids = kind.ids.take(pa.array(asked.identifier)).to_pylist()
        for account, identifier, id_ in zip(asked.account.tolist(), asked.identifier.tolist(), ids, strict=True):
            n_accounts = int(kind.degree[identifier])
            shared = SharedIdentifier(
                kind=kind.label, id=id_, n_accounts=n_accounts, n_suspicious=int(n_suspicious[identifier])
            )
            found[account].append((n_accounts, order, identifier, shared))
    rarest = {
        row: [entry[-1] for entry in sorted(entries, key=lambda entry: entry[:3])] for row, entries in found.items()
    }
    return {
        account_id: rarest.get(int(row), [])[:MAX_IDENTIFIERS]
        for account_id, row in zip(account_ids, rows, strict=True)
    }
