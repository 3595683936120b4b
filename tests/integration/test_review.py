"""People's decisions over a real Neo4j: what they are asked, what they see, and what becomes of what they decide."""

from pathlib import Path

import pytest
from neo4j import Driver
from tests.builders.about_now import NIGHTS, find_the_ring, play
from tests.builders.deliveries import RING, at, deliver, deliver_a_ring

from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.decide import decide
from ringwatch.pipelines.decisions.harvest import harvest_reviews
from ringwatch.pipelines.decisions.store import decisions_on
from ringwatch.pipelines.graph.client import run
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.review.queue import AUDIT, read_queue
from ringwatch.pipelines.review.ring import view_ring

NO_ID = {"ring": None, "account": None}


@pytest.fixture
def ring_id(tmp_path: Path, settings: Settings, driver: Driver) -> str:
    """The id of the ring that the first of two nights found; the second is delivered, and not loaded."""
    deliver_a_ring(tmp_path / "landing", NIGHTS)
    return find_the_ring(settings, driver, tmp_path / "landing")


def next_night(settings: Settings, driver: Driver, tmp_path: Path) -> None:
    play(settings, driver, tmp_path / "landing", 1)


def decide_on(driver: Driver, decision: str = "fake", by: str = "kim", overrule: bool = False, **about: str) -> None:
    decide(driver, **(NO_ID | about), decision=decision, reason="seen before", by=by, overrule=overrule)


def test_the_ring_is_the_first_question_and_a_few_accounts_at_random_the_last(settings: Settings, ring_id: str) -> None:
    questions = read_queue(settings, limit=20)
    assert (questions[0].kind, questions[0].id, questions[0].n_open) == ("ring", ring_id, len(RING))
    assert "8 of them new" in questions[0].why
    assert [each.kind for each in questions[1:]] == [AUDIT] * settings.audits_per_night


def test_a_ring_is_shown_with_its_members_and_what_they_share(settings: Settings, ring_id: str) -> None:
    ring = view_ring(settings, ring_id)
    assert {member["account_id"] for member in ring.members} == set(RING)
    assert {(each["kind"], each["n_members"], each["n_accounts"]) for each in ring.shared} >= {("Device", 8, 8)}
    assert [each["date"] for each in ring.history] == [str(NIGHTS[0])]
    with pytest.raises(RingwatchError, match="knows no ring 'ring-x'"):
        view_ring(settings, "ring-x")


def test_a_decision_reaches_the_next_night_and_is_not_asked_again(
    settings: Settings, driver: Driver, ring_id: str, tmp_path: Path
) -> None:
    decide_on(driver, "legitimate", ring=ring_id)
    next_night(settings, driver, tmp_path)
    labels = run(driver, "MATCH (a:Account) WHERE a.account_id IN $ring RETURN DISTINCT a.fraud_label AS l", ring=RING)
    assert labels == [{"l": "clear"}]
    assert {each.kind for each in read_queue(settings, limit=20)} == {AUDIT}
    assert [each["decision"] for each in decisions_on(settings, ring=ring_id, account=None)] == ["legitimate"]
    assert [each["reviewed_by"] for each in decisions_on(settings, ring=None, account="ring00")] == ["kim"]


def test_needs_more_leaves_the_question_open(settings: Settings, driver: Driver, ring_id: str, tmp_path: Path) -> None:
    decide_on(driver, "needs_more", ring=ring_id)
    next_night(settings, driver, tmp_path)
    assert read_queue(settings, limit=1)[0].id == ring_id


def test_a_ring_decided_against_a_decision_on_a_member_is_refused_whole(driver: Driver, ring_id: str) -> None:
    decide_on(driver, "legitimate", account="ring03", by="lee")
    with pytest.raises(RingwatchError, match="lee found ring03 legitimate"):
        decide_on(driver, "fake", ring=ring_id)
    assert run(driver, "MATCH (g:Ring) RETURN g.review_decision AS d") == [{"d": None}]
    decide_on(driver, "needs_more", ring=ring_id)
    decide_on(driver, "fake", ring=ring_id, overrule=True)
    assert run(driver, "MATCH (g:Ring) RETURN g.review_decision AS d") == [{"d": "fake"}]


def test_a_decision_by_hand_that_contradicts_is_reported_and_passed_over_whole_until_it_overrules(
    settings: Settings, driver: Driver, ring_id: str
) -> None:
    decide_on(driver, "legitimate", account="ring03", by="lee")
    run(driver, "MATCH (g:Ring) SET g.review_decision='fake', g.reviewed_by='kim', g.reviewed_at=datetime()")
    [fault] = harvest_reviews(driver, Ledger(settings))
    assert f"the decision on ring {ring_id} is passed over: lee found ring03 legitimate" in fault
    assert decisions_on(settings, ring=ring_id, account=None) == []
    assert [each["decision"] for each in decisions_on(settings, ring=None, account="ring03")] == ["legitimate"]
    decide_on(driver, "fake", ring=ring_id, overrule=True)
    assert harvest_reviews(driver, Ledger(settings)) == []
    assert [each["decision"] for each in decisions_on(settings, ring=ring_id, account=None)] == ["fake"]
    told = [each["decision"] for each in decisions_on(settings, ring=None, account="ring03")]
    assert told == ["legitimate", "fake"]


def test_a_ring_that_is_gone_cannot_be_decided(driver: Driver, ring_id: str) -> None:
    run(driver, "MATCH ()-[m:MEMBER_OF_RING]->() DELETE m")
    with pytest.raises(RingwatchError, match="has no members any more"):
        decide_on(driver, "fake", ring=ring_id)


def test_another_persons_decision_is_not_replaced_unasked_but_ones_own_is(driver: Driver, ring_id: str) -> None:
    decide_on(driver, "fake", account="ring00", by="lee")
    with pytest.raises(RingwatchError, match="lee found ring00 fake"):
        decide_on(driver, "legitimate", account="ring00", by="kim")
    decide_on(driver, "fake", account="ring00", by="kim")  # a second person who agrees
    decide_on(driver, "legitimate", account="ring00", by="kim")
    assert run(driver, "MATCH (a:Account {account_id: 'ring00'}) RETURN a.review_decision AS d") == [
        {"d": "legitimate"}
    ]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "either --ring or --account"),
        ({"ring": "r", "account": "a"}, "either --ring or --account"),
        ({"account": "ring00", "decision": "guilty"}, '"guilty" is no decision'),
        ({"account": "ring00", "by": " "}, "who decides"),
        ({"account": "nobody"}, "there is no account 'nobody'"),
    ],
)
def test_a_malformed_decision_says_what_is_wrong_with_it(
    driver: Driver, ring_id: str, options: dict[str, str], why: str
) -> None:
    with pytest.raises(RingwatchError, match=why):
        decide_on(driver, **options)


def test_a_finding_against_the_model_is_put_before_a_second_person_and_then_listed(
    settings: Settings, driver: Driver, ring_id: str, tmp_path: Path
) -> None:
    decide_on(driver, "fake", account="person3", by="lee")
    next_night(settings, driver, tmp_path)
    [question] = [each for each in read_queue(settings, limit=20) if each.kind == "second look"]
    assert question.id == "person3"
    assert "lee found it fake" in question.why
    decide_on(driver, "fake", account="person3", by="kim")
    play(settings, driver, tmp_path / "landing", 1)
    assert not any(each.kind == "second look" for each in read_queue(settings, limit=20))


def test_who_joins_a_cleared_ring_is_clear_with_it(
    settings: Settings, driver: Driver, ring_id: str, tmp_path: Path
) -> None:
    decide_on(driver, "legitimate", ring=ring_id)
    night, landing = NIGHTS[1], tmp_path / "landing"
    deliver(landing, "accounts", night, [{"account_id": "ninth", "created_at": at(night, 0)}], name="part-1.jsonl")
    seen = {"first_seen_at": at(night), "last_seen_at": at(night, 5), "n_events": 3}
    uses = [{"account_id": "ninth", "device_id": f"d-ring{i}", **seen} for i in range(2)]
    deliver(landing, "device_events", night, uses, name="part-1.jsonl")
    paid = {"occurred_at": at(night), "status": "succeeded", "amount": 1.1}
    cards = [
        {"payment_id": f"ninth{i}", "account_id": "ninth", "instrument_id": f"c-ring{i}", **paid} for i in range(2)
    ]
    deliver(landing, "payments", night, cards, name="part-1.jsonl")
    next_night(settings, driver, tmp_path)
    [ninth] = run(driver, "MATCH (a:Account {account_id: 'ninth'}) RETURN a.fraud_label AS label")
    assert ninth["label"] == "clear"
    assert run(driver, "MATCH (:Account)-[m:MEMBER_OF_RING]->() RETURN count(m) AS n") == [{"n": 0}]
