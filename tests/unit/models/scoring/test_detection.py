import datetime as dt
import io
from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.builders.snapshots import NIGHT, NOON, linked, merged, ring_shares, scores_of, shared_world
from tests.builders.worlds import planted_world

from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.explain.reasons import DEFAULT_REASON
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.rings.identity import MEMBERS_SCHEMA, RINGS_SCHEMA, Rings
from ringwatch.models.scoring.detection import ACCOUNTS_SCHEMA, Detection, detect
from ringwatch.models.scoring.scoring import Scores

pytestmark = pytest.mark.unit
THRESHOLDS = Thresholds(suspicious=0.9, watch=0.5)
RING = [f"r{i}" for i in range(8)]
FAMILY = {"PAID_WITH": {"joint": ["mum", "dad", "kid"]}, "USED_DEVICE": {"tablet": ["mum", "dad", "kid"]}}
CAMPUS = {"USED_IP": {"campus": [f"student{i}" for i in range(55)]}}
CARRIER = {"USED_IP": {"nat": [*RING, "mum", *(f"z{i}" for i in range(5000))]}}


def run(snapshot: Snapshot, scores: Mapping[str, float] | np.ndarray, **options: object) -> Detection:
    values = scores if isinstance(scores, np.ndarray) else scores_of(snapshot, scores, default=0.01)
    is_suspect = known_labels(snapshot).is_fake | (values >= THRESHOLDS.watch)
    operator = options.pop("operator", np.where(is_suspect, 0, -1))
    defaults = {
        "thresholds": THRESHOLDS,
        "ring_classifier": default_model().ring_classifier,
        "previous": None,
        "is_default": False,
    }
    return detect(snapshot, Scores(values, linked(snapshot, operator)), **(defaults | options))


def account(found: Detection, account_id: str) -> dict:
    return next(row for row in found.accounts.to_pylist() if row["account_id"] == account_id)


def ring_members(found: Detection) -> list[set[str]]:
    members = found.members.to_pylist()
    return [{m["account_id"] for m in members if m["ring_id"] == ring["ring_id"]} for ring in found.rings.to_pylist()]


def high(accounts: Iterable[str], score: float = 0.95) -> dict[str, float]:
    return dict.fromkeys(accounts, score)


def test_the_ring_is_found_among_a_family_a_campus_and_a_carriers_address() -> None:
    found = run(shared_world(merged(ring_shares(RING), FAMILY, CAMPUS, CARRIER)), high(RING, 0.9999))
    assert ring_members(found) == [set(RING)]
    ring = found.rings.to_pylist()[0]
    assert (ring["n_accounts"], ring["n_new_accounts"], ring["fraud_label"]) == (8, 8, "suspicious")
    assert account(found, "r0")["ring_id"] == ring["ring_id"]
    assert account(found, "mum") == {
        "account_id": "mum",
        "fraud_score": 0.01,
        "fraud_label": "clear",
        "ring_id": None,
        "reasons": [],
        "core_size": 0,
    }


def test_tables_have_their_schema_and_order_even_when_nothing_is_found() -> None:
    for found in (run(planted_world().snapshot, np.full(796, 0.7)), run(shared_world({}), {})):
        assert found.accounts.schema == ACCOUNTS_SCHEMA
        assert found.rings.schema == RINGS_SCHEMA
        assert found.members.schema == MEMBERS_SCHEMA
        for table, keys in (
            (found.accounts, ["account_id"]),
            (found.rings, ["ring_id"]),
            (found.members, ["ring_id", "account_id"]),
        ):
            assert table.equals(table.sort_by([(key, "ascending") for key in keys]))


def test_labels_follow_the_thresholds() -> None:
    found = run(shared_world({}, others=["a", "b", "c"]), {"a": 0.9, "b": 0.5, "c": 0.4999})
    assert found.accounts["fraud_label"].to_pylist() == ["suspicious", "watch", "clear"]


def test_ordinary_sharing_is_no_finding() -> None:
    found = run(shared_world(merged(ring_shares(RING), FAMILY)), {})
    assert found.rings.num_rows == found.members.num_rows == 0


def test_two_runs_are_byte_identical() -> None:
    def run_again() -> bytes:
        world = planted_world()
        scores = np.random.default_rng(3).random(world.snapshot.n_accounts)
        found = run(world.snapshot, scores)
        buffer = io.BytesIO()
        for table in (found.accounts, found.rings, found.members):
            pq.write_table(table, buffer)
        return buffer.getvalue()

    assert run_again() == run_again()


def test_a_person_cleared_is_never_suspicious_and_in_no_ring() -> None:
    snapshot = shared_world(ring_shares(RING), labels=[("r0", "legitimate", "appeal")])
    found = run(snapshot, high(RING, 0.99))
    cleared = account(found, "r0")
    assert (cleared["fraud_label"], cleared["fraud_score"], cleared["ring_id"]) == ("clear", 0.99, None)
    assert cleared["reasons"] == ["an appeal found it legitimate on 2026-03-20"]
    assert ring_members(found) == [set(RING[1:])]


def test_a_person_found_fake_is_suspicious_whatever_the_score() -> None:
    snapshot = shared_world({}, others=["ann"], labels=[("ann", "fake", "manual_review")])
    for is_default in (False, True):
        ann = account(run(snapshot, {"ann": 0.02}, is_default=is_default), "ann")
        assert (ann["fraud_label"], ann["fraud_score"]) == ("suspicious", 0.02)
        assert ann["reasons"][0] == "a manual review found it fake on 2026-03-20"


def test_the_default_model_alone_makes_nobody_suspicious_and_says_why() -> None:
    found = run(shared_world(ring_shares(RING)), high(RING, 0.99), is_default=True)
    assert set(found.accounts["fraud_label"].to_pylist()) == {"watch"}
    assert found.rings["fraud_label"].to_pylist() == ["watch"]
    assert account(found, "r0")["reasons"][-1] == found.rings["reasons"][0].as_py()[-1] == DEFAULT_REASON


def test_a_chargeback_or_partner_label_decides_nothing() -> None:
    snapshot = shared_world(
        {}, others=["ann"], labels=[("ann", "fake", "partner"), ("bob", "legitimate", "chargeback")]
    )
    found = run(snapshot, {"ann": 0.02, "bob": 0.95})
    assert found.accounts["fraud_label"].to_pylist() == ["clear", "suspicious"]


def test_a_ring_of_accounts_that_people_found_fake_is_suspicious() -> None:
    snapshot = shared_world(ring_shares(RING), labels=[(member, "fake", "manual_review") for member in RING])
    ring = run(snapshot, {}).rings.to_pylist()[0]
    assert ring["fraud_score"] > 0.98
    assert ring["fraud_label"] == "suspicious"
    assert ring["reasons"][0] == "people found all 8 accounts fake"


def test_a_ring_keeps_its_id_and_first_sight_while_members_come_and_go() -> None:
    first = run(shared_world(ring_shares(RING)), high(RING))
    long_ago = first.rings.set_column(6, RINGS_SCHEMA.field(6), [[NOON - dt.timedelta(days=300)]])
    tomorrow = [*RING[1:], "n1", "n2"]
    second = run(
        shared_world(ring_shares(tomorrow), night=NIGHT + dt.timedelta(days=1)),
        high(tomorrow),
        previous=Rings(long_ago, first.members),
    )
    before, after = first.rings.to_pylist()[0], second.rings.to_pylist()[0]
    assert after["ring_id"] == before["ring_id"]
    assert (after["n_accounts"], after["n_new_accounts"]) == (9, 2)
    assert (after["first_seen_at"], after["last_seen_at"]) == (NOON - dt.timedelta(days=300), NOON)


def test_the_same_night_again_gives_the_same_ids() -> None:
    snapshot = shared_world(ring_shares(RING))
    assert run(snapshot, high(RING)).rings.equals(run(snapshot, high(RING)).rings)


def test_a_ring_spans_its_members_activity() -> None:
    snapshot = planted_world().snapshot
    world = planted_world()
    found = run(snapshot, np.where(world.is_fake, 0.95, 0.01))
    ring_id = found.rings["ring_id"][0].as_py()
    members = {m["account_id"] for m in found.members.to_pylist() if m["ring_id"] == ring_id}
    created = [row["created_at"] for row in snapshot.accounts.to_pylist() if row["id"] in members]
    seen = [
        row["last_seen_at"]
        for type_ in ("PAID_WITH", "USED_IP", "USED_DEVICE", "SENT_MONEY_TO")
        for row in snapshot.relationships[type_].to_pylist()
        if row["start_id"] in members
    ]
    ring = found.rings.to_pylist()[0]
    assert (ring["first_seen_at"], ring["last_seen_at"]) == (min(created), max(seen))


def test_planted_rings_are_found_whole_and_pure() -> None:
    world = planted_world(labelled=0)
    noise = np.random.default_rng(0).normal(0, 0.2, world.is_fake.size)
    scores = np.clip(np.where(world.is_fake, 0.75, 0.1) + noise, 0, 1)
    found = run(world.snapshot, scores, operator=world.ring)
    rows = world.snapshot.account_codes(found.members["account_id"])
    assert world.is_fake[rows].mean() > 0.95
    assert world.is_fake[rows].sum() > 0.95 * world.is_fake.sum()
    for members in ring_members(found):
        planted = set(world.ring[world.snapshot.account_codes(pa.array(sorted(members)))].tolist()) - {-1}
        assert len(planted) <= 1
