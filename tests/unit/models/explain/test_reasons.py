import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.builders.snapshots import NOON, rows_of, shared_world

from ringwatch.models.data.decisions import decisions_of
from ringwatch.models.data.identifiers import shared_kinds
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.explain.evidence import MAX_IDENTIFIERS, account_evidence
from ringwatch.models.explain.reasons import MAX_REASONS, Findings, account_reasons
from ringwatch.models.rings.reasons import ring_reasons

pytestmark = pytest.mark.unit


def judged(snapshot: Snapshot, suspicious: str = "", rings: Mapping[str, int] | None = None) -> Findings:
    """Findings by name: suspicious accounts, space-separated, and the number of each account's ring."""
    names = snapshot.accounts["id"].to_pylist()
    ring = np.array([(rings or {}).get(name, -1) for name in names])
    is_suspicious = np.isin(names, suspicious.split())
    return Findings(np.full(len(names), 0.93), is_suspicious, ring, {}, {}, decisions_of(snapshot), False)


def reasons_of(snapshot: Snapshot, account: str, suspicious: str = "", **rings: int) -> list[str]:
    found = account_reasons(
        snapshot, shared_kinds(snapshot), judged(snapshot, suspicious, rings), rows_of(snapshot, [account])
    )
    return found[0]


def test_cards_shared_are_counted_with_distinct_accounts_and_suspicious_ones() -> None:
    snapshot = shared_world(
        {"PAID_WITH": {"c1": ["ann", "bob", "eve"], "c2": ["ann", "bob"], "c3": ["ann", "joe"], "own": ["ann"]}}
    )
    assert reasons_of(snapshot, "ann", "ann bob eve") == [
        "shares 3 cards with 3 other accounts, 2 of them suspicious, 3 since the same hour"
    ]
    assert reasons_of(snapshot, "joe", "ann") == ["shares 1 card with 1 other account, which is suspicious"]
    assert reasons_of(snapshot, "eve", "ann bob") == ["shares 1 card with 2 other accounts, all of them suspicious"]


def test_a_single_device_is_named() -> None:
    snapshot = shared_world({"USED_DEVICE": {"d_12": ["ann", "bob", "eve"], "x" * 60: ["joe", "sue"]}})
    assert reasons_of(snapshot, "ann") == ["shares device d_12 with 2 other accounts"]
    assert reasons_of(snapshot, "joe") == [f"shares device {'x' * 23}… with 1 other account"]


def test_who_began_in_the_same_hour_is_counted_from_three_on() -> None:
    everybody = ["ann", "bob", "eve", "joe", "kim"]
    snapshot = shared_world({"USED_DEVICE": {"d": everybody}})
    table = snapshot.relationships["USED_DEVICE"]
    hours = {"ann": 0, "bob": 0, "eve": 0, "joe": 0, "kim": 5}
    later = [NOON + dt.timedelta(hours=hours[account]) for account in table["start_id"].to_pylist()]
    position = table.column_names.index("first_seen_at")
    table = table.set_column(position, table.schema.field(position), pa.array(later, table.schema.field(position).type))
    snapshot = replace(snapshot, relationships=snapshot.relationships | {"USED_DEVICE": table})
    assert reasons_of(snapshot, "ann") == ["shares device d with 4 other accounts, 3 since the same hour"]
    assert reasons_of(snapshot, "kim") == ["shares device d with 4 other accounts"]


def test_a_contact_hash_is_not_named() -> None:
    snapshot = shared_world({"HAS_CONTACT": {"9f8e": ["ann", "bob"]}})
    assert reasons_of(snapshot, "ann") == ["shares an e-mail address or phone number with 1 other account"]


def test_a_signup_address_is_named_with_those_who_signed_up_there() -> None:
    snapshot = shared_world({"USED_IP": {"10.1.2.3": ["ann", "bob", "eve"]}}, signup=True)
    assert reasons_of(snapshot, "ann", "bob") == [
        "signed up from 10.1.2.3, as did 2 other accounts, 1 of them suspicious"
    ]


def test_an_address_that_is_only_used_is_not_called_a_signup() -> None:
    snapshot = shared_world({"USED_IP": {"10.1.2.3": ["ann", "bob"]}})
    assert reasons_of(snapshot, "ann") == ["shares IP address 10.1.2.3 with 1 other account"]


def test_hubs_are_not_cited() -> None:
    crowd = [f"z{i}" for i in range(200)]
    snapshot = shared_world({"USED_IP": {"nat": ["ann", *crowd]}, "PAID_WITH": {"c": ["ann", "bob"]}}, signup=True)
    assert reasons_of(snapshot, "ann") == ["shares 1 card with 1 other account"]
    assert [found["id"] for found in account_evidence(snapshot, ["ann"], {})["ann"]] == ["c"]


def test_who_shares_nothing_has_the_models_word() -> None:
    snapshot = shared_world({}, others=["ann"])
    assert reasons_of(snapshot, "ann") == ["the model scores it 0.93 for what it does and what it is linked to"]


def test_money_and_referrals_within_the_ring_are_counted() -> None:
    snapshot = shared_world(
        {},
        transfers=[("ann", "bob"), ("ann", "eve"), ("eve", "ann"), ("ann", "stranger")],
        referrals=[("bob", "ann")],
    )
    assert set(reasons_of(snapshot, "ann", "bob", ann=0, bob=0, eve=0)) == {
        "is in a ring with 2 other accounts, 1 of them suspicious",
        "sent money to 2 members of its ring",
        "received money from 1 member of its ring",
        "referred 1 member of its ring",
    }
    assert "was referred by 1 member of its ring" in reasons_of(snapshot, "bob", ann=0, bob=0, eve=0)


def test_a_known_chargeback_label_comes_first() -> None:
    snapshot = shared_world({"PAID_WITH": {"c": ["ann", "bob"]}}, labels=[("ann", "fake", "chargeback")])
    assert reasons_of(snapshot, "ann")[0] == "a chargeback marked it fake on 2026-03-20"
    assert "marked" not in reasons_of(snapshot, "bob")[0]


def test_a_persons_decision_comes_before_everything() -> None:
    snapshot = shared_world({"PAID_WITH": {"c": ["ann", "bob"]}}, labels=[("ann", "fake", "manual_review")])
    assert reasons_of(snapshot, "ann") == [
        "a manual review found it fake on 2026-03-20",
        "shares 1 card with 1 other account",
    ]


def test_stronger_facts_come_first_and_there_are_at_most_five() -> None:
    people = [f"p{i}" for i in range(9)]
    snapshot = shared_world(
        {
            "PAID_WITH": {"c": people[:8]},
            "USED_DEVICE": {"d": people[:2]},
            "USED_IP": {"10.0.0.1": people[:3]},
            "HAS_EMAIL_DOMAIN": {"x.example": people},
            "MEMBER_OF_ORG": {"org": people},
            "SENT_TEMPLATE": {"t": people},
        }
    )
    found = reasons_of(snapshot, "p0")
    assert len(found) == MAX_REASONS
    assert found[:2] == [
        "shares 1 card with 7 other accounts, 7 since the same hour",
        "shares device d with 1 other account",
    ]


def test_ring_reasons_count_members_who_share_within_the_ring() -> None:
    snapshot = shared_world(
        {
            "PAID_WITH": {"c1": ["ann", "bob"], "c2": ["bob", "eve", "stranger"], "c3": ["joe", "stranger"]},
            "USED_DEVICE": {"d": ["ann", "bob", "eve", "joe"]},
        },
        transfers=[("ann", "bob"), ("joe", "stranger")],
    )
    findings = judged(snapshot, "ann", {"ann": 0, "bob": 0, "eve": 0, "joe": 0})
    assert ring_reasons(snapshot, shared_kinds(snapshot), findings, np.array([1])) == [
        [
            "all 4 accounts share 1 device",
            "3 of its 4 accounts share 2 cards",
            "1 of its 4 accounts is suspicious",
            "1 of its 4 accounts sent money to others in it",
            "1 of its 4 accounts is new since the night before",
        ]
    ]


def test_evidence_counts_accounts_and_suspicious_ones_rarest_first() -> None:
    snapshot = shared_world(
        {
            "PAID_WITH": {"c1": ["ann", "bob", "eve"], "own": ["ann"]},
            "USED_DEVICE": {"d1": ["ann", "bob"]},
            "USED_IP": {"10.0.0.1": ["ann", "bob", "eve", "joe"]},
        }
    )
    labels = {"ann": "suspicious", "bob": "suspicious", "eve": "watch", "gone": "suspicious"}
    found = account_evidence(snapshot, ["joe", "ann", "nobody"], labels)
    assert list(found) == ["joe", "ann", "nobody"]
    assert found["nobody"] == []
    assert found["ann"] == [
        {"kind": "Device", "id": "d1", "n_accounts": 2, "n_suspicious": 2},
        {"kind": "PaymentInstrument", "id": "c1", "n_accounts": 3, "n_suspicious": 2},
        {"kind": "IpAddress", "id": "10.0.0.1", "n_accounts": 4, "n_suspicious": 2},
    ]


def test_evidence_is_bounded() -> None:
    snapshot = shared_world({"USED_DEVICE": {f"d{i:02d}": ["ann", "bob"] for i in range(50)}})
    assert len(account_evidence(snapshot, ["ann"], {})["ann"]) == MAX_IDENTIFIERS
