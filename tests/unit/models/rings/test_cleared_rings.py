"""Rings that people cleared: who may join without a question, and when there is one again."""

import numpy as np
import pytest
from tests.builders.snapshots import linked, merged, rows_of, shared_world

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.rings.cleared import ClearedRing, ClearedRings
from ringwatch.models.scoring.detection import Detection, detect
from ringwatch.models.scoring.scoring import Scores

pytestmark = pytest.mark.unit
MEMBERS = [f"m{i}" for i in range(10)]
TOLD = "kim cleared its ring on 2026-03-21"


def world(*joined: str, more: dict[str, dict[str, list[str]]] | None = None) -> Snapshot:
    """Ten accounts that share two cards and were found legitimate, and who joined them."""
    cards = {"PAID_WITH": {f"c{i}": [*MEMBERS, *joined] for i in range(2)}}
    labels = [(member, "legitimate", "manual_review") for member in MEMBERS]
    return shared_world(merged(cards, more or {}), labels=labels)


def run(snapshot: Snapshot, **options: object) -> Detection:
    links = linked(snapshot, np.zeros(snapshot.n_accounts, dtype=np.int64))
    cleared = ClearedRings([ClearedRing(rows_of(snapshot, MEMBERS), TOLD)], **options)  # type: ignore[arg-type]
    return detect(
        snapshot,
        Scores(np.full(snapshot.n_accounts, 0.95), links),
        thresholds=Thresholds(suspicious=0.5, watch=0.1),
        ring_classifier=default_model().ring_classifier,
        previous=None,
        cleared_rings=cleared,
        is_default=False,
    )


def told(found: Detection, account: str) -> tuple[str, str]:
    """Label and first reason."""
    row = next(row for row in found.accounts.to_pylist() if row["account_id"] == account)
    return row["fraud_label"], row["reasons"][0]


def test_one_who_joins_ten_cleared_is_cleared_with_them() -> None:
    found = run(world("new"))
    assert told(found, "new") == ("clear", f"{TOLD}; since then 1 account joined the 10 of it")
    assert found.rings.num_rows == 0


def test_a_fifth_more_is_a_question_again_that_says_what_changed() -> None:
    found = run(world("new1", "new2", "new3"))
    assert told(found, "new1") == ("suspicious", f"{TOLD}; since then 3 accounts joined the 10 of it")
    assert found.rings["reasons"].to_pylist()[0][0] == f"{TOLD}; since then 3 accounts joined the 10 of it"
    assert told(run(world("new1", "new2", "new3"), growth=0.5), "new1")[0] == "clear"


def test_a_new_kind_of_shared_identifier_is_a_question_again_unless_it_is_set_not_to_be() -> None:
    snapshot = world("new", more={"USED_DEVICE": {"d": ["new", "m0"]}})
    label, reason = told(run(snapshot), "new")
    assert label == "suspicious"
    assert reason.endswith("1 account joined the 10 of it, and share with it devices, which it did not")
    assert told(run(snapshot, on_new_kind=False), "new")[0] == "clear"


def test_who_is_linked_to_others_more_than_to_the_cleared_does_not_belong_to_them() -> None:
    others = [f"o{i:02d}" for i in range(30)]
    snapshot = world("new", more={"USED_DEVICE": {"d": ["new", *others]}})
    label, reason = told(run(snapshot), "new")
    assert label == "suspicious"
    assert "cleared" not in reason


def test_a_person_who_found_one_fake_outranks_the_clearance_of_the_ring_it_joined() -> None:
    snapshot = shared_world(
        {"PAID_WITH": {"c": [*MEMBERS, "new"]}},
        labels=[*((member, "legitimate", "manual_review") for member in MEMBERS), ("new", "fake", "manual_review")],
    )
    assert told(run(snapshot), "new") == ("suspicious", "a manual review found it fake on 2026-03-20")
