"""Detection over a real Neo4j: what it writes, what it leaves alone, and that it gives the same bytes again."""

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from neo4j import Driver
from tests.builders.deliveries import FIRST, RING, at, deliver, deliver_a_ring

from ringwatch.models.common.errors import TooFewLabelsError
from ringwatch.models.scoring.detection import Detection
from ringwatch.models.scoring.detection import detect as detect_rings
from ringwatch.pipelines.common.errors import LockedError, NothingToLoadError
from ringwatch.pipelines.common.locks import writer_lock
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.client import run
from ringwatch.pipelines.ledger.store import UNWRITTEN_SCHEMA, Ledger
from ringwatch.pipelines.nightly.backfill import backfill
from ringwatch.pipelines.nightly.detect import detect
from ringwatch.pipelines.nightly.load import load_night
from ringwatch.pipelines.nightly.train import train

NIGHTS = [FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=2)]


@pytest.fixture
def landing(tmp_path: Path, settings: Settings, driver: Driver) -> Path:
    """Three nights, loaded: ordinary people, and a ring of eight accounts."""
    landing = tmp_path / "landing"
    deliver_a_ring(landing, NIGHTS)
    for night in NIGHTS:
        load_night(settings, driver, landing=landing, date=night)
    return landing


def found(settings: Settings, night: Any) -> dict[str, bytes]:
    folders = (settings.snapshots_dir, settings.runs_dir, settings.exports_dir / "scores")
    files = [file for folder in folders for file in sorted((folder / f"date={night}").rglob("*.*")) if file.is_file()]
    return {str(file.relative_to(settings.home_dir)): file.read_bytes() for file in files}


def graph(driver: Driver) -> list[dict[str, Any]]:
    nodes = run(driver, "MATCH (n) WHERE NOT n:SchemaMigration RETURN labels(n) AS l, properties(n) AS p")
    members = run(driver, "MATCH (a)-[m:MEMBER_OF_RING]->(g) RETURN a.account_id AS a, g.ring_id AS g, m{.*} AS p")
    return sorted(nodes + members, key=str)


def test_the_ring_is_found_written_back_and_exported(settings: Settings, driver: Driver, landing: Path) -> None:
    result = detect(settings, driver, date=NIGHTS[-1])
    members = run(driver, "MATCH (a:Account)-[:MEMBER_OF_RING]->(g:Ring) RETURN a.account_id AS a, g.ring_id AS g")
    assert {member["a"] for member in members} == set(RING)
    [account] = run(driver, "MATCH (a:Account {account_id: 'ring00'}) RETURN properties(a) AS p")
    assert account["p"]["fraud_label"] == "watch"  # without a trained model nothing is more than that
    assert account["p"]["fraud_ring_id"] == members[0]["g"]
    assert account["p"]["fraud_run_id"] == result.run_id
    assert any("with 7 other accounts" in reason for reason in account["p"]["fraud_reasons"]), account
    scores = pq.read_table(Path(result.scores) / "scores.parquet")
    assert scores.column_names == ["account_id", "fraud_score", "fraud_label", "ring_id", "reasons", "core_size"]
    assert scores.num_rows == 20 + len(RING)
    [run_node] = run(driver, "MATCH (r:DetectionRun) RETURN properties(r) AS p")
    assert (run_node["p"]["run_id"], run_node["p"]["n_rings"]) == (result.run_id, 1)


def test_a_night_run_again_gives_the_same_graph_and_the_same_bytes(
    settings: Settings, driver: Driver, landing: Path
) -> None:
    first, second = [], []
    for kept in (first, second):
        load_night(settings, driver, landing=landing, date=NIGHTS[-1])
        detect(settings, driver, date=NIGHTS[-1])
        kept.extend([found(settings, NIGHTS[-1]), graph(driver)])
    assert first == second


def test_an_older_night_gives_the_bytes_of_its_own_time_and_leaves_newer_scores_alone(
    settings: Settings, driver: Driver, landing: Path, tmp_path: Path
) -> None:
    # In its own time: only its nights are loaded, and it is read from Neo4j.
    run(driver, "MATCH (n) DETACH DELETE n")
    then = settings.model_copy(update={"home": tmp_path / "then"})
    for night in NIGHTS[:2]:
        load_night(then, driver, landing=landing, date=night)
    assert detect(then, driver, date=NIGHTS[1]).in_graph
    run(driver, "MATCH (n) DETACH DELETE n")
    load_night(settings, driver, landing=landing, date=NIGHTS[-1])
    newest = detect(settings, driver, date=NIGHTS[-1])
    assert not detect(settings, driver, date=NIGHTS[1]).in_graph
    assert found(settings, NIGHTS[1]) == found(then, NIGHTS[1])
    assert run(driver, "MATCH (a:Account) RETURN DISTINCT a.fraud_run_id AS id") == [{"id": newest.run_id}]


def test_a_ring_keeps_its_id_from_night_to_night(settings: Settings, driver: Driver, landing: Path) -> None:
    for night in NIGHTS:
        detect(settings, driver, date=night)
    ids = {
        ring
        for night in NIGHTS
        for ring in pq.read_table(settings.runs_dir / f"date={night}" / "rings.parquet")["ring_id"].to_pylist()
    }
    assert len(ids) == 1
    assert run(driver, "MATCH (g:Ring) RETURN count(*) AS n") == [{"n": 1}]


def test_what_people_decided_outranks_the_score_and_is_never_overwritten(
    settings: Settings, driver: Driver, landing: Path
) -> None:
    detect(settings, driver, date=NIGHTS[1])
    decided = {"review_decision": "legitimate", "review_reason": "a family", "reviewed_by": "kim"}
    run(driver, "MATCH (g:Ring) SET g += $decided, g.reviewed_at = $at", decided=decided, at=at(NIGHTS[1], 9))
    detect(settings, driver, date=NIGHTS[-1])
    labels = run(driver, "MATCH (a:Account) WHERE a.account_id IN $ring RETURN a.fraud_label AS l", ring=RING)
    assert [label["l"] for label in labels] == ["clear"] * len(RING)
    [ring] = run(driver, "MATCH (g:Ring) RETURN properties(g) AS p")
    assert {**ring["p"], **decided} == ring["p"]


def test_a_decision_of_today_counts_in_nights_long_ago_from_the_one_after_its_harvest_on(
    settings: Settings, driver: Driver, landing: Path, tmp_path: Path
) -> None:
    run(driver, "MATCH (n) DETACH DELETE n")
    then = settings.model_copy(update={"home": tmp_path / "then"})
    labels = []
    for night in NIGHTS:
        load_night(then, driver, landing=landing, date=night)
        detect(then, driver, date=night)
        found_labels = run(driver, "MATCH (a:Account) WHERE a.account_id IN $r RETURN a.fraud_label AS l", r=RING)
        labels.append({each["l"] for each in found_labels})
        if night == NIGHTS[0]:
            decided = "g.review_decision = 'legitimate', g.reviewed_by = 'kim', g.reviewed_at = datetime()"
            run(driver, f"MATCH (g:Ring) SET {decided}")
            before = found(then, NIGHTS[0])
    assert labels == [{"watch"}, {"watch"}, {"clear"}]
    detect(then, driver, date=NIGHTS[0])
    assert found(then, NIGHTS[0]) == before


def test_a_malformed_decision_is_reported_and_passed_over(settings: Settings, driver: Driver, landing: Path) -> None:
    run(driver, "MATCH (a:Account {account_id: 'ring00'}) SET a.review_decision = 'guilty', a.reviewed_at = datetime()")
    result = detect(settings, driver, date=NIGHTS[-1])
    assert len(result.faults) == 1
    assert "ring00" in result.faults[0]


def test_nothing_known_after_the_night_reaches_its_snapshot(settings: Settings, driver: Driver, landing: Path) -> None:
    label = {"account_id": "ring00", "label": "fake", "labelled_at": at(FIRST), "source": "partner"}
    deliver(landing, "labels", NIGHTS[-1], [label])  # known from its partition's day on
    load_night(settings, driver, landing=landing, date=NIGHTS[-1])
    for night, known in ((NIGHTS[1], []), (NIGHTS[-1], ["ring00"])):
        detect(settings, driver, date=night)
        labels = pq.read_table(settings.snapshots_dir / f"date={night}" / "labels.parquet")
        assert labels["account_id"].to_pylist() == known


def test_an_account_s_status_is_no_feature(settings: Settings, driver: Driver, landing: Path) -> None:
    detect(settings, driver, date=NIGHTS[-1])
    accounts = pq.read_table(settings.snapshots_dir / f"date={NIGHTS[-1]}" / "nodes" / "Account.parquet")
    assert "status" not in accounts.column_names


def test_a_night_not_loaded_cannot_be_detected(settings: Settings, driver: Driver, landing: Path) -> None:
    with pytest.raises(NothingToLoadError, match="load it first"):
        detect(settings, driver, date=FIRST - timedelta(days=1))


def test_two_writers_are_kept_apart(settings: Settings, driver: Driver, landing: Path) -> None:
    impatient = settings.model_copy(update={"lock_timeout_s": 0.1})
    with writer_lock(settings, "load of a night"), pytest.raises(LockedError, match="load of a night"):
        detect(impatient, driver, date=NIGHTS[-1])


def test_only_what_changed_is_sent_and_the_graph_is_that_of_a_full_write(
    settings: Settings, driver: Driver, landing: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def of_accounts() -> list[dict[str, Any]]:
        return run(driver, "MATCH (a:Account) RETURN labels(a) AS l, properties(a) AS p ORDER BY a.account_id")

    caplog.set_level(logging.INFO, "ringwatch.pipelines")
    detect(settings, driver, date=NIGHTS[1])
    assert "writing 28 scores that changed and 1 rings back" in caplog.messages
    run(driver, "MATCH (a:Account {account_id: 'person3'}) REMOVE a.fraud_score")  # as of an account written anew
    detect(settings, driver, date=NIGHTS[-1])
    [n_sent] = [int(line.split()[1]) for line in caplog.messages if line.startswith("writing ")][1:]
    assert 1 <= n_sent < 28
    little = of_accounts()
    assert len({(a["p"]["fraud_scored_at"], a["p"]["fraud_run_id"]) for a in little}) == 1
    run(driver, "MATCH (r:DetectionRun) REMOVE r.stands")  # as after a write-back that was broken off
    detect(settings, driver, date=NIGHTS[-1])
    assert of_accounts() == little


def test_what_another_version_of_the_code_finds_reaches_the_graph(
    settings: Settings, driver: Driver, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found_by_newer_code(*args: Any, **kwargs: Any) -> Detection:
        found = detect_rings(*args, **kwargs)
        position = found.accounts.column_names.index("fraud_score")
        scores = pa.array([0.25] * found.accounts.num_rows)
        return replace(found, accounts=found.accounts.set_column(position, "fraud_score", scores))

    before = detect(settings, driver, date=NIGHTS[-1])
    monkeypatch.setattr("ringwatch.pipelines.nightly.detect.detect_rings", found_by_newer_code)
    after = detect(settings, driver, date=NIGHTS[-1])
    assert after.run_id != before.run_id
    assert run(driver, "MATCH (a:Account) RETURN DISTINCT a.fraud_score AS s") == [{"s": 0.25}]


def test_others_may_write_while_a_model_is_trained(
    settings: Settings, driver: Driver, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_meanwhile(*_: Any, **__: Any) -> None:
        with writer_lock(settings.model_copy(update={"lock_timeout_s": 0.1}), "lift of an account"):
            raise TooFewLabelsError("trained")

    monkeypatch.setattr("ringwatch.pipelines.nightly.train.train_model", write_meanwhile)
    assert train(settings, driver, date=NIGHTS[-1]).why == "trained"


def test_a_backfill_that_may_not_write_changes_nothing(settings: Settings, driver: Driver, landing: Path) -> None:
    run(driver, "MATCH (n) DETACH DELETE n")  # so that a backfill has to note what the graph is owed
    impatient = settings.model_copy(update={"lock_timeout_s": 0.1})
    with writer_lock(settings, "load of a night"), pytest.raises(LockedError, match="load of a night"):
        backfill(impatient, driver, landing=landing, first=NIGHTS[0], last=NIGHTS[-1])
    assert Ledger(settings).read_state("unwritten", UNWRITTEN_SCHEMA).num_rows == 0


def test_a_write_back_broken_off_is_written_in_full_by_the_next(
    settings: Settings, driver: Driver, landing: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    detect(settings, driver, date=NIGHTS[1])
    with monkeypatch.context() as broken:
        broken.setattr("ringwatch.pipelines.nightly.write_back.put_before_analysts", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            detect(settings, driver, date=NIGHTS[-1])
    caplog.set_level(logging.INFO, "ringwatch.pipelines")
    detect(settings, driver, date=NIGHTS[-1])
    assert "writing 28 scores that changed and 1 rings back" in caplog.messages
