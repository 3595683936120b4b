"""Facts about accounts beyond what they share: known labels, chargebacks, their ring, money and referrals within it."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.signals import PEOPLE_SOURCES
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.explain.facts import Fact
from ringwatch.models.explain.wording import count, of_them_suspicious

_LABEL_WEIGHT, _CHARGEBACK_WEIGHT, _RING_WEIGHT, _DIRECT_WEIGHT = 20.0, 6.0, 1.5, 0.8
_LABELLED_BY = {"chargeback": "a chargeback", "partner": "a partner"}


def direct_facts(snapshot: Snapshot, ring: np.ndarray, is_suspicious: np.ndarray) -> list[Fact]:
    """Facts over all accounts, in the order of the snapshot; `ring` `[n_accounts]` is -1 for none."""
    return [
        _labelled_fact(snapshot),
        _chargeback_fact(snapshot),
        _ring_fact(ring, is_suspicious),
        _within_ring_fact(snapshot, "SENT_MONEY_TO", ring, "sent money to {} of its ring"),
        _within_ring_fact(snapshot, "SENT_MONEY_TO", ring, "received money from {} of its ring", reverse=True),
        _within_ring_fact(snapshot, "REFERRED_BY", ring, "referred {} of its ring", reverse=True),
        _within_ring_fact(snapshot, "REFERRED_BY", ring, "was referred by {} of its ring"),
    ]


def _labelled_fact(snapshot: Snapshot) -> Fact:
    """Labels of sources other than people; what people decided comes first anyway (reasons.py)."""
    by_people = pc.is_in(snapshot.labels["source"], value_set=pa.array(PEOPLE_SOURCES))
    labels = snapshot.labels.filter(pc.and_(pc.invert(by_people), pc.equal(snapshot.labels["label"], "fake")))
    rows = snapshot.account_codes(labels["account_id"])
    position = np.full(snapshot.n_accounts, -1, dtype=np.int64)
    position[rows[rows >= 0]] = np.flatnonzero(rows >= 0)

    def describe(row: int) -> str:
        label = labels.slice(int(position[row]), 1).to_pylist()[0]
        by = _LABELLED_BY.get(label["source"], label["source"])
        return f"{by} marked it fake on {label['known_at']:%Y-%m-%d}"

    return Fact(_LABEL_WEIGHT * (position >= 0), describe)


def _chargeback_fact(snapshot: Snapshot) -> Fact:
    paid, payer = snapshot.relationships["PAID_WITH"], snapshot.ends["PAID_WITH"].start
    n_chargebacks, n_failed = (
        np.rint(np.bincount(payer, weights=paid[name].fill_null(0).to_numpy(), minlength=snapshot.n_accounts))
        for name in ("n_chargebacks", "n_failed")
    )

    def describe(row: int) -> str:
        failed = f" and {count(int(n_failed[row]), 'failed payment')}" if n_failed[row] else ""
        return f"had {count(int(n_chargebacks[row]), 'chargeback')}{failed}"

    return Fact(_CHARGEBACK_WEIGHT * (n_chargebacks > 0), describe)


def _ring_fact(ring: np.ndarray, is_suspicious: np.ndarray) -> Fact:
    in_ring = ring >= 0
    n_others, n_suspicious = np.zeros(ring.size, dtype=np.int64), np.zeros(ring.size, dtype=np.int64)
    n_others[in_ring] = np.bincount(ring[in_ring])[ring[in_ring]] - 1
    n_suspicious_by_ring = np.bincount(ring[in_ring & is_suspicious], minlength=int(ring.max(initial=-1)) + 1)
    n_suspicious[in_ring] = n_suspicious_by_ring[ring[in_ring]] - is_suspicious[in_ring]

    def describe(row: int) -> str:
        others = count(int(n_others[row]), "other account")
        return f"is in a ring with {others}{of_them_suspicious(int(n_suspicious[row]), int(n_others[row]))}"

    return Fact(_RING_WEIGHT * np.log2(1 + n_others), describe)


def _within_ring_fact(snapshot: Snapshot, type_: str, ring: np.ndarray, words: str, reverse: bool = False) -> Fact:
    """How many members of its own ring an account is in such a relationship with."""
    ends = snapshot.ends[type_]
    who, whom = (ends.end, ends.start) if reverse else (ends.start, ends.end)
    within = (ring[who] >= 0) & (ring[who] == ring[whom]) & (who != whom)
    n_members = np.bincount(who[within], minlength=snapshot.n_accounts)
    return Fact(
        _DIRECT_WEIGHT * np.log2(1 + n_members),
        lambda row: words.format(count(int(n_members[row]), "member")),
    )
