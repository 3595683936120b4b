"""Approval of a ban list: bound to its content, by one record, whoever answers first."""

import json
import threading
from datetime import datetime, timedelta

import pytest
from tests.builders.ban_lists import D1, D2, PERSON, RING, released, snapshot_of
from tests.builders.nights import Judged, detected_night

from ringwatch.pipelines.ban_list import Standing, approve, approve_by_policy, propose, publish, reject, standing
from ringwatch.pipelines.common.errors import ApprovalError, RingwatchError
from ringwatch.pipelines.common.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path / "home", signing_key="secret", lock_timeout_s=5)


def test_nothing_goes_out_without_an_approval(settings):
    detected_night(settings, D1, RING)
    propose(settings, date=D1)
    with pytest.raises(ApprovalError, match="not approved"):
        publish(settings, date=D1)
    assert not (settings.exports_dir / "ban_lists").exists()


def test_proposing_again_gives_the_same_bytes_and_keeps_the_approval(settings):
    detected_night(settings, D1, RING)
    first = propose(settings, date=D1)
    before = snapshot_of(first.folder)
    approve(settings, date=D1, by="Ada")
    assert propose(settings, date=D1) == first
    assert snapshot_of(first.folder) == before
    assert publish(settings, date=D1).manifest["approved_by"] == "Ada"


def test_a_changed_row_needs_a_new_approval(settings):
    detected_night(settings, D1, RING)
    old = propose(settings, date=D1)
    approve(settings, date=D1, by="Ada")
    detected_night(settings, D1, {**RING, "fake-0": Judged(score=0.985, ring_id="ring-1", cards=("card-a",))})
    new = propose(settings, date=D1)
    assert new.content_sha256 != old.content_sha256
    assert standing(settings, D1, new.content_sha256) is Standing.WAITING
    with pytest.raises(ApprovalError, match="not approved"):
        publish(settings, date=D1)


def test_what_a_person_saw_is_what_is_approved(settings):
    detected_night(settings, D1, RING)
    seen = propose(settings, date=D1).content_sha256
    detected_night(settings, D1, {**RING, "another": RING["fake-0"]})
    propose(settings, date=D1)
    assert standing(settings, D1, seen) is Standing.OUTDATED
    with pytest.raises(ApprovalError, match="changed since"):
        approve(settings, date=D1, by="Ada", via="airflow", content_sha256=seen)


def test_the_first_approval_holds(settings):
    detected_night(settings, D1, RING)
    propose(settings, date=D1)
    first = approve(settings, date=D1, by="Ada")
    assert approve(settings, date=D1, by="Grace", via="airflow") == first
    with pytest.raises(ApprovalError, match="approved by Ada"):
        reject(settings, date=D1, by="Grace")


@pytest.fixture
def lapsed(settings):
    """A list whose approval was not used in time."""
    detected_night(settings, D1, RING)
    proposal = propose(settings, date=D1)
    approve(settings, date=D1, by="Ada")
    [record] = (settings.ban_lists_dir / "decisions" / f"date={D1}").iterdir()
    made = json.loads(record.read_text())
    assert datetime.fromisoformat(made["until"]) - datetime.fromisoformat(made["at"]) == timedelta(days=7)
    record.write_text(json.dumps(made | {"until": "2026-04-09T00:00:00+00:00"}))
    return proposal


def test_a_lapsed_approval_lets_nothing_out(settings, lapsed):
    with pytest.raises(ApprovalError, match=r"not approved any more \(Ada's approval lapsed at 2026-04-09"):
        publish(settings, date=D1)
    assert standing(settings, D1, lapsed.content_sha256) is Standing.WAITING


def test_the_same_content_can_be_decided_anew_after_a_lapsed_approval(settings, lapsed):
    again = approve(settings, date=D1, by="Grace")
    assert approve(settings, date=D1, by="Kim") == again
    with pytest.raises(ApprovalError, match="approved by Grace"):
        reject(settings, date=D1, by="Kim")
    assert publish(settings, date=D1).manifest["approved_by"] == "Grace"
    assert len(list((settings.ban_lists_dir / "decisions" / f"date={D1}").iterdir())) == 2


def test_a_list_that_is_out_stays_out_when_its_approval_lapses(settings):
    folder = released(settings, D1, RING).folder
    [record] = (settings.ban_lists_dir / "decisions" / f"date={D1}").iterdir()
    record.write_text(json.dumps(json.loads(record.read_text()) | {"until": "2026-04-09T00:00:00+00:00"}))
    assert publish(settings, date=D1).folder == folder


def test_a_rejected_list_does_not_go_out(settings):
    detected_night(settings, D1, RING)
    propose(settings, date=D1)
    reject(settings, date=D1, by="Ada")
    with pytest.raises(ApprovalError, match="rejected by Ada"):
        approve(settings, date=D1, by="Grace")
    with pytest.raises(ApprovalError, match="rejected by Ada"):
        publish(settings, date=D1)


@pytest.mark.parametrize("by", ["", "  "])
def test_somebody_has_to_stand_for_an_approval(settings, by):
    detected_night(settings, D1, RING)
    propose(settings, date=D1)
    with pytest.raises(ApprovalError, match="--by"):
        approve(settings, date=D1, by=by)


def test_what_is_not_there_is_said(settings):
    with pytest.raises(RingwatchError, match="has not been detected"):
        propose(settings, date=D1)
    with pytest.raises(ApprovalError, match="nothing is proposed"):
        approve(settings, date=D1, by="Ada")


@pytest.mark.parametrize("name", ["ban_list.csv", "ban_list.parquet", "delta.csv"])
def test_a_proposal_that_was_tampered_with_is_refused(settings, name):
    detected_night(settings, D1, RING)
    file = propose(settings, date=D1).folder / name
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(ApprovalError, match="was changed"):
        approve(settings, date=D1, by="Ada")


def test_tampering_after_the_approval_is_seen_too(settings):
    detected_night(settings, D1, RING)
    proposal = propose(settings, date=D1)
    approve(settings, date=D1, by="Ada")
    head = json.loads((proposal.folder / "proposal.json").read_text())
    head["facts"]["thresholds"]["suspicious"] = 0.1
    (proposal.folder / "proposal.json").write_text(json.dumps(head))
    with pytest.raises(ApprovalError, match="was changed"):
        publish(settings, date=D1)


def test_of_many_who_decide_at_once_one_does(settings):
    detected_night(settings, D1, RING)
    propose(settings, date=D1)
    decisions, at_once = [], threading.Barrier(8)

    def decide(i):
        at_once.wait()
        decisions.append(approve(settings, date=D1, by=f"person {i}"))

    threads = [threading.Thread(target=decide, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decisions) == 8
    assert len({decision.by for decision in decisions}) == 1


def test_a_list_that_changes_nothing_needs_nobody(settings):
    released(settings, D1, RING)
    detected_night(settings, D2, RING)
    assert approve_by_policy(settings, propose(settings, date=D2)).via == "policy"
    assert publish(settings, date=D2).is_new


def test_a_list_that_changes_something_needs_somebody(settings):
    detected_night(settings, D1, RING)
    assert approve_by_policy(settings, propose(settings, date=D1)) is None


def test_an_outdated_list_is_left_alone_even_if_it_changes_nothing(settings):
    released(settings, D2, RING)
    detected_night(settings, D1, {"person": PERSON})
    proposal = propose(settings, date=D1)
    assert proposal.changes_nothing
    assert approve_by_policy(settings, proposal) is None
    assert standing(settings, D1, proposal.content_sha256) is Standing.OUTDATED
