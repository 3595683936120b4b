"""The guide's queries over a real graph: they answer what they say, start at an index, and are bounded."""

from pathlib import Path
from typing import Any

import pytest
from neo4j import Driver
from tests.builders.about_now import NIGHTS, find_the_ring, play
from tests.builders.deliveries import RING, at, deliver, deliver_a_ring

from ringwatch.graph_schema.browser.decision import decision_query
from ringwatch.graph_schema.browser.queries import QUERIES
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.decide import decide
from ringwatch.pipelines.evaluation.benchmarks.guide import measure_guide
from ringwatch.pipelines.graph.client import run
from ringwatch.pipelines.nightly.detect import detect
from ringwatch.pipelines.nightly.load import load_night
from ringwatch.pipelines.nightly.snapshot import compute_snapshot
from ringwatch.pipelines.review.queue import AUDIT, read_queue

BY_NAME = {query.name: query.cypher for query in QUERIES}
INDEXED = {"NodeIndexSeekByRange", "NodeUniqueIndexSeek", "NodeIndexScan", "NodeIndexSeek"}


@pytest.fixture
def ring_id(tmp_path: Path, settings: Settings, driver: Driver) -> str:
    """A ring of eight, and seventy people who share one more device with all of it."""
    landing = tmp_path / "landing"
    deliver_a_ring(landing, NIGHTS)
    crowd = [f"crowd{i:02d}" for i in range(70)]
    born = [{"account_id": a, "created_at": at(NIGHTS[0], 0)} for a in crowd]
    deliver(landing, "accounts", NIGHTS[0], born, name="part-1.jsonl")
    seen = {"first_seen_at": at(NIGHTS[0]), "last_seen_at": at(NIGHTS[0], 5), "n_events": 3}
    rows = [{"account_id": a, "device_id": "d-hub", **seen} for a in [*crowd, *RING]]
    deliver(landing, "device_events", NIGHTS[0], rows, name="part-1.jsonl")
    return find_the_ring(settings, driver, landing)


def ask(driver: Driver, name: str, **parameters: str) -> list[dict[str, Any]]:
    return run(driver, BY_NAME[name], **parameters)


def put_a_ninth_beside(driver: Driver) -> None:
    """An account on one of the ring's addresses, and no member."""
    run(
        driver,
        "MATCH (i:IpAddress {ip: '185.3.2.0'})"
        " CREATE (:Account {account_id: 'ninth', fraud_label: 'clear', fraud_score: 0.01})-[:USED_IP]->(i)",
    )


def next_night(settings: Settings, driver: Driver, tmp_path: Path) -> None:
    play(settings, driver, tmp_path / "landing", 1)


def test_every_query_starts_at_an_index_and_has_a_bound(driver: Driver, ring_id: str) -> None:
    costs = measure_guide(driver, n_asked=2)
    assert [cost.name for cost in costs] == list(BY_NAME)
    assert all(set(cost.starts) <= INDEXED | {"Argument"} for cost in costs), costs
    for name, cypher in BY_NAME.items():
        assert cypher.rsplit("LIMIT", 1)[-1].strip().isdigit(), name


def test_the_night_and_its_questions(settings: Settings, driver: Driver, ring_id: str) -> None:
    [night] = ask(driver, "nights")
    assert (str(night["night"]), night["rings"]) == (str(NIGHTS[0]), 1)
    asked = [(each["kind"], each["about"]) for each in ask(driver, "queue")]
    assert asked == [(each.kind, each.id) for each in read_queue(settings, limit=20)]
    [grown] = ask(driver, "grown")
    assert (grown["ring"], grown["new_accounts"]) == (ring_id, len(RING))


def test_what_is_decided_leaves_the_queue_at_once_and_is_told(driver: Driver, ring_id: str) -> None:
    decide(driver, ring=ring_id, account=None, decision="needs_more", reason="ask support", by="kim")
    assert ring_id not in [each["about"] for each in ask(driver, "queue")]
    [decided] = ask(driver, "decisions")
    told = [decided[name] for name in ("kind", "about", "by", "decision")]
    assert told == ["ring", ring_id, "kim", "needs_more"]


def test_a_ring_its_members_and_what_they_share(driver: Driver, ring_id: str) -> None:
    put_a_ninth_beside(driver)
    assert {each["account"] for each in ask(driver, "ring_members", ring=ring_id)} == set(RING)
    shared = {each["identifier"]: each for each in ask(driver, "ring_shared", ring=ring_id)}
    assert (shared["d-hub"]["rarity"], shared["d-hub"]["members"], shared["d-hub"]["accounts"]) == ("hub", 8, 78)
    assert (shared["185.3.2.0"]["rarity"], shared["185.3.2.0"]["accounts"]) == ("rare", 9)
    [known] = run(driver, "MATCH (g:Ring) RETURN g.fraud_reasons AS reasons")
    assert [each["reason"] for each in ask(driver, "ring_reasons", ring=ring_id)] == known["reasons"]
    assert sum(each["accounts"] for each in ask(driver, "ring_if_banned", ring=ring_id)) == len(RING)
    assert [each["account"] for each in ask(driver, "ring_beside", ring=ring_id)] == ["ninth"]


def test_a_picture_leaves_hubs_out(driver: Driver, ring_id: str) -> None:
    for name, parameters in (("ring_picture", {"ring": ring_id}), ("account_picture", {"account": RING[0]})):
        used = {row["i"].get("device_id") for row in ask(driver, name, **parameters) if row["i"]}
        assert "d-ring0" in used, name
        assert "d-hub" not in used, name


def test_rings_that_use_the_same_are_look_alikes(driver: Driver, ring_id: str) -> None:
    put_a_ninth_beside(driver)
    run(
        driver,
        "MATCH (a:Account {account_id: 'ninth'}) MERGE (g:Ring {ring_id: 'ring-9', fraud_run_id: 'x', n_accounts: 1})"
        " MERGE (a)-[:MEMBER_OF_RING]->(g)",
    )
    [alike] = ask(driver, "ring_alike", ring=ring_id)
    assert (alike["ring"], alike["shared_identifiers"], alike["kinds"]) == ("ring-9", 1, ["IpAddress"])


def test_an_account_its_evidence_and_whom_a_ban_would_accuse(driver: Driver, ring_id: str) -> None:
    put_a_ninth_beside(driver)
    three = {each["account"]: each["shared"] for each in ask(driver, "account_three", account=RING[0])}
    assert set(three) == set(RING[1:])
    assert min(three.values()) >= 3
    accused = ask(driver, "account_if_banned", account=RING[0])
    assert sum(each["accounts"] for each in accused) == len(RING[1:]) + 1  # and the ninth
    assert ("IpAddress", "185.3.2.0", 9) in {
        (each["kind"], each["identifier"], each["accounts"])
        for each in ask(driver, "account_evidence", account=RING[0])
    }
    history = ask(driver, "account_history", account=RING[0])
    assert history[0]["what"] == "signed up"
    assert ("first USED_DEVICE", "d-ring0") in {(each["what"], each["with"]) for each in history}


def test_growth_is_told_by_night(settings: Settings, driver: Driver, ring_id: str, tmp_path: Path) -> None:
    next_night(settings, driver, tmp_path)
    grown = [(each["night"], each["accounts"]) for each in ask(driver, "ring_growth", ring=ring_id)]
    assert [night for night, _ in grown] == [str(night) for night in NIGHTS]
    assert grown[0][1] == len(RING)


def test_marks_say_what_the_properties_say(settings: Settings, driver: Driver, ring_id: str, tmp_path: Path) -> None:
    marked = "MATCH (n:Account) WHERE n:Watched OR n:Suspicious RETURN collect(n.account_id) AS ids"
    said = "MATCH (n:Account) WHERE n.fraud_label <> 'clear' RETURN collect(n.account_id) AS ids"
    assert sorted(run(driver, marked)[0]["ids"]) == sorted(run(driver, said)[0]["ids"]) != []
    decide(driver, ring=ring_id, account=None, decision="legitimate", reason="a class", by="kim")
    assert run(driver, "MATCH (n:FoundLegitimate) RETURN n.ring_id AS id") == [{"id": ring_id}]
    # By hand, as analysts may: the next night marks it.
    run(
        driver,
        "MATCH (n:Account {account_id: 'person0'}) SET n.review_decision = 'needs_more', n.reviewed_at = datetime()",
    )
    next_night(settings, driver, tmp_path)
    assert run(driver, "MATCH (n:NeedsMore) RETURN n.account_id AS id") == [{"id": "person0"}]
    assert run(driver, marked) == run(driver, said) == [{"ids": []}]


def test_a_decision_from_the_guide_is_written_whole_or_says_why_not(driver: Driver, ring_id: str) -> None:
    from_guide = decision_query("Ring", overrule="false")
    about = {"ring": ring_id, "decision": "guilty", "reason": "seen", "by": "kim"}
    [refused] = run(driver, from_guide, **about)
    assert refused["outcome"].startswith('nothing was decided, for "guilty" is no decision')
    assert run(driver, "MATCH (g:Ring) RETURN g.reviewed_by AS by") == [{"by": None}]
    [decided] = run(driver, from_guide, **{**about, "decision": "fake"})
    assert decided["outcome"].startswith("fake is decided by kim")


def test_what_an_audit_found_is_a_label_of_its_own_source(
    settings: Settings, driver: Driver, ring_id: str, tmp_path: Path
) -> None:
    [audited, *_] = [each.id for each in read_queue(settings, limit=20) if each.kind == AUDIT]
    other = next(a for a in ("person0", "person1") if a != audited)
    for account in (audited, other):
        decide(driver, ring=None, account=account, decision="legitimate", reason="known", by="kim")
    next_night(settings, driver, tmp_path)
    labels = compute_snapshot(settings, NIGHTS[1]).labels.to_pylist()
    sources = {label["account_id"]: label["source"] for label in labels}
    assert (sources[audited], sources[other]) == ("audit_sample", "manual_review")
    load_night(settings, driver, landing=tmp_path / "landing", date=NIGHTS[1])  # reads it again, after another draw
    assert compute_snapshot(settings, NIGHTS[1]).labels.to_pylist() == labels


def test_the_machine_never_writes_what_people_wrote(
    settings: Settings, driver: Driver, ring_id: str, tmp_path: Path
) -> None:
    reviewed = "MATCH (n) WHERE n.reviewed_by IS NOT NULL RETURN properties(n) AS p"
    decide(driver, ring=ring_id, account=None, decision="fake", reason="one template", by="kim")
    decide(driver, ring=None, account="person0", decision="legitimate", reason="known", by="lee")

    def written() -> list[tuple[Any, ...]]:
        names = ("review_decision", "review_reason", "reviewed_by", "reviewed_at")
        return sorted(tuple(str(each["p"][name]) for name in names) for each in run(driver, reviewed))

    before = written()
    next_night(settings, driver, tmp_path)
    detect(settings, driver, date=NIGHTS[1])
    assert written() == before
    assert len(before) == 2
