"""Loading nights into a real Neo4j: the graph is a function of the deliveries, and every row is accounted for."""

import random
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from neo4j import Driver
from tests.builders.deliveries import FIRST, at, deliver, random_night, random_nights
from tests.builders.graphs import Graph, pairs, signal_graph

from ringwatch.pipelines.common.errors import NothingToLoadError, QuarantineLimitError, RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.client import run
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.nightly.backfill import backfill
from ringwatch.pipelines.nightly.load import load_night

DAY = timedelta(days=1)
SECOND = FIRST + DAY


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return tmp_path / "landing"


def account(account_id: str, **values: Any) -> dict[str, Any]:
    return {"account_id": account_id, "created_at": at(FIRST, 0), **values}


def use(account_id: str, ip: str, day: Any = FIRST, **values: Any) -> dict[str, Any]:
    return {"account_id": account_id, "ip": ip, "first_seen_at": at(day), "last_seen_at": at(day), **values}


def load(settings: Settings, driver: Driver, landing: Path, night: Any) -> dict[str, Any]:
    counts: dict[str, Any] = load_night(settings, driver, landing=landing, date=night)[str(night)]
    return counts


def load_all(settings: Settings, driver: Driver, landing: Path, nights: list[Any], home: Path) -> Graph:
    """The graph after loading these nights, in this order, into an empty graph and an empty home."""
    run(driver, "MATCH (n) DETACH DELETE n")
    fresh = settings.model_copy(update={"home": home})
    shutil.rmtree(home, ignore_errors=True)
    for night in nights:
        for counts in load(fresh, driver, landing, night).values():
            parts = ("loaded", "superseded", "quarantined", "held")
            assert counts["rows_in"] == sum(counts[part] for part in parts)
    return signal_graph(driver)


@pytest.mark.parametrize("limits", [{}, {"held_days": 1, "retention_days": 2}])
def test_nights_in_any_order_and_again_give_the_graph_of_the_straight_run(
    settings: Settings, driver: Driver, landing: Path, tmp_path: Path, limits: dict[str, int]
) -> None:
    settings = settings.model_copy(update={**limits, "quarantine_limit": 1.0})
    nights = random_nights(landing, seed=1)
    straight = load_all(settings, driver, landing, nights, tmp_path / "straight")
    assert len(straight[1]) > 30
    load(settings.model_copy(update={"home": tmp_path / "straight"}), driver, landing, nights[1])
    assert signal_graph(driver) == straight
    # The first night stays first: without any account by a night, there is nothing to load.
    shuffled = [nights[0], *random.Random(1).sample(nights[1:], len(nights) - 1)]
    assert load_all(settings, driver, landing, shuffled, tmp_path / "shuffled") == straight


@pytest.mark.parametrize("limits", [{}, {"held_days": 1, "retention_days": 2}])
def test_a_corrected_delivery_gives_the_graph_of_the_corrected_files(
    settings: Settings, driver: Driver, landing: Path, tmp_path: Path, limits: dict[str, int]
) -> None:
    settings = settings.model_copy(update={**limits, "quarantine_limit": 1.0})
    nights = random_nights(landing, seed=2)
    before = load_all(settings, driver, landing, nights, tmp_path / "home")
    shutil.rmtree(landing / "payments" / f"date={nights[1]}")
    random_night(landing, nights[1], seed=3)
    load(settings.model_copy(update={"home": tmp_path / "home"}), driver, landing, nights[1])
    corrected = signal_graph(driver)
    assert corrected != before
    assert corrected == load_all(settings, driver, landing, nights, tmp_path / "fresh")


@pytest.mark.parametrize("limits", [{}, {"held_days": 1, "retention_days": 2}])
def test_a_backfill_gives_the_graph_and_the_counts_of_single_loads(
    settings: Settings, driver: Driver, landing: Path, tmp_path: Path, limits: dict[str, int]
) -> None:
    settings = settings.model_copy(update={**limits, "quarantine_limit": 1.0})
    nights = random_nights(landing, seed=4)
    straight = load_all(settings, driver, landing, nights, tmp_path / "single")
    single = Ledger(settings.model_copy(update={"home": tmp_path / "single"}))
    run(driver, "MATCH (n) DETACH DELETE n")
    result = backfill(settings, driver, landing=landing, first=nights[0], last=nights[-1])
    assert signal_graph(driver) == straight
    for night in nights:
        record = single.read_night(night)
        assert record is not None
        assert result.nights[str(night)] == record["counts"]
    again = backfill(settings, driver, landing=landing, first=nights[0], last=nights[-1])
    assert again.unchanged == [str(night) for night in nights]
    assert signal_graph(driver) == straight


def test_an_emptied_graph_is_written_anew_from_the_ledger(
    settings: Settings, driver: Driver, landing: Path, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"quarantine_limit": 1.0})
    nights = random_nights(landing, seed=5)
    full = load_all(settings, driver, landing, nights, settings.home)
    run(driver, "MATCH (n) DETACH DELETE n")
    load(settings, driver, landing, nights[-1])
    assert signal_graph(driver) == full


def test_a_load_broken_off_before_the_graph_is_finished_by_the_next(
    settings: Settings, driver: Driver, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(landing, "accounts", FIRST, [account("a")])
    deliver(landing, "accounts", SECOND, [account("b")])
    with monkeypatch.context() as broken:
        broken.setattr("ringwatch.pipelines.nightly.load.write_graph", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            load(settings, driver, landing, FIRST)
    load(settings, driver, landing, SECOND)
    assert {r["id"] for r in run(driver, "MATCH (a:Account) RETURN a.account_id AS id")} == {"a", "b"}


def test_rows_wait_for_their_account_and_come_when_it_does(settings: Settings, driver: Driver, landing: Path) -> None:
    deliver(landing, "accounts", FIRST, [account("a")])
    deliver(landing, "ip_events", FIRST, [use("a", "10.0.0.1"), use("late", "10.0.0.1"), use("never", "10.0.0.2")])
    deliver(landing, "accounts", SECOND, [account("late")])
    first = load(settings, driver, landing, FIRST)["ip_events"]
    assert (first["loaded"], first["held"]) == (1, 2)
    assert pairs(driver, "USED_IP") == {("a", "10.0.0.1")}
    second = load(settings, driver, landing, SECOND)["ip_events"]
    assert (second["rows_in"], second["released"]) == (0, 1)
    assert pairs(driver, "USED_IP") == {("a", "10.0.0.1"), ("late", "10.0.0.1")}


def test_a_row_that_waited_too_long_goes_to_quarantine(settings: Settings, driver: Driver, landing: Path) -> None:
    settings = settings.model_copy(update={"held_days": 1})
    deliver(landing, "accounts", FIRST, [account("a")])
    deliver(landing, "ip_events", FIRST, [use("late", "10.0.0.1", asn="x")])
    for night in (FIRST, SECOND, SECOND + DAY):
        deliver(landing, "accounts", night, [account("a")])
        counts = load(settings, driver, landing, night)["ip_events"]
    assert counts["expired"] == 1
    folder = settings.quarantine_dir / "ip_events" / f"date={SECOND + DAY}"
    [row] = pq.read_table(folder / "expired.parquet").to_pylist()
    assert (row["account_id"], row["ip"], row["asn"], row["partition"]) == ("late", "10.0.0.1", "x", str(FIRST))
    deliver(landing, "accounts", SECOND + 2 * DAY, [account("late")])
    load(settings, driver, landing, SECOND + 2 * DAY)
    assert pairs(driver, "USED_IP") == set()


def test_an_unknown_referrer_or_payee_holds_back_the_relationship_alone(
    settings: Settings, driver: Driver, landing: Path
) -> None:
    card = {"payment_id": "p1", "occurred_at": at(FIRST), "status": "succeeded", "instrument_id": "c"}
    deliver(landing, "accounts", FIRST, [account("a", referred_by_account_id="b")])
    deliver(landing, "payments", FIRST, [{**card, "account_id": "a", "payee_account_id": "b", "amount": 5}])
    counts = load(settings, driver, landing, FIRST)
    assert [counts[s]["held_relationships"] for s in ("accounts", "payments")] == [1, 1]
    assert counts["payments"]["loaded"] == 1
    assert pairs(driver, "PAID_WITH") == {("a", "c")}
    assert pairs(driver, "SENT_MONEY_TO") == set()
    deliver(landing, "accounts", SECOND, [account("b")])
    counts = load(settings, driver, landing, SECOND)
    for signal in ("accounts", "payments"):
        assert (counts[signal]["held_relationships"], counts[signal]["released_relationships"]) == (0, 1)
    assert pairs(driver, "SENT_MONEY_TO") == pairs(driver, "REFERRED_BY") == {("a", "b")}


def test_the_later_partition_file_and_row_wins_and_nothing_adds_up(
    settings: Settings, driver: Driver, landing: Path
) -> None:
    deliver(landing, "accounts", FIRST, [account("a")])
    deliver(landing, "ip_events", FIRST, [use("a", "10.0.0.1", n_events=1), use("a", "10.0.0.1", n_events=2)])
    deliver(landing, "ip_events", FIRST, [use("a", "10.0.0.1", n_events=3)], name="part-1.csv")
    counts = load(settings, driver, landing, FIRST)["ip_events"]
    assert (counts["loaded"], counts["superseded"]) == (1, 2)
    deliver(landing, "ip_events", SECOND, [use("a", "10.0.0.1", n_events=7)])
    load(settings, driver, landing, SECOND)
    [record] = run(driver, "MATCH ()-[r:USED_IP]->() RETURN r.n_events AS n_events, r.n_days AS n_days")
    assert record == {"n_events": 7, "n_days": 1}
    counts = load(settings, driver, landing, FIRST)["ip_events"]
    assert (counts["loaded"], counts["superseded"]) == (0, 3)


def test_money_sent_back_is_subtracted_and_every_payment_counted(
    settings: Settings, driver: Driver, landing: Path
) -> None:
    deliver(landing, "accounts", FIRST, [account("a")])
    states = [("succeeded", 10), ("succeeded", 5), ("failed", 99), ("refunded", 4), ("chargeback", 5)]
    rows = [
        {"payment_id": str(i), "account_id": "a", "occurred_at": at(FIRST, i), "status": state, "amount": amount}
        for i, (state, amount) in enumerate(states)
    ]
    deliver(landing, "payments", FIRST, [{**row, "instrument_id": "c"} for row in rows])
    load(settings, driver, landing, FIRST)
    [record] = run(driver, "MATCH ()-[r:PAID_WITH]->() RETURN properties(r) AS p")
    found = {name: record["p"][name] for name in ("n_events", "n_failed", "n_chargebacks", "total_amount")}
    assert found == {"n_events": 5, "n_failed": 1, "n_chargebacks": 1, "total_amount": 6.0}


def test_an_address_only_signed_up_from_has_no_events_and_its_subnet(
    settings: Settings, driver: Driver, landing: Path
) -> None:
    deliver(landing, "accounts", FIRST, [account("a", signup_ip="::ffff:10.0.0.9")])
    load(settings, driver, landing, FIRST)
    [record] = run(driver, "MATCH ()-[r:USED_IP]->(n) RETURN n.ip AS ip, r.n_events AS e, r.n_days AS d, r.signup AS s")
    assert record == {"ip": "10.0.0.9", "e": 0, "d": 0, "s": True}
    assert pairs(driver, "IN_SUBNET") == {("10.0.0.9", "10.0.0.0/24")}


def test_relationships_unseen_for_the_retention_are_retired_with_what_nobody_uses(
    settings: Settings, driver: Driver, landing: Path
) -> None:
    settings = settings.model_copy(update={"retention_days": 2})
    deliver(landing, "accounts", FIRST, [account("a"), account("b")])
    deliver(landing, "ip_events", FIRST, [use("a", "10.0.0.1"), use("b", "10.0.1.1")])
    load(settings, driver, landing, FIRST)
    for night in (FIRST + 2 * DAY, FIRST + 3 * DAY):
        deliver(landing, "ip_events", night, [use("b", "10.0.1.1", night)])
        assert ("a", "10.0.0.1") in pairs(driver, "USED_IP")
        load(settings, driver, landing, night)
    assert pairs(driver, "USED_IP") == {("b", "10.0.1.1")}
    assert pairs(driver, "IN_SUBNET") == {("10.0.1.1", "10.0.1.0/24")}
    assert run(driver, "MATCH (n) WHERE n:IpAddress OR n:Subnet RETURN count(*) AS n") == [{"n": 2}]


def test_a_night_with_too_many_bad_rows_stops_before_the_graph(
    settings: Settings, driver: Driver, landing: Path
) -> None:
    deliver(landing, "accounts", FIRST, [account("a"), account("b", created_at=at(SECOND))])
    with pytest.raises(QuarantineLimitError, match=r"created_at.*part-0\.jsonl") as error:
        load(settings, driver, landing, FIRST)
    assert "accounts" in str(error.value)
    assert run(driver, "MATCH (n:Account) RETURN count(*) AS n") == [{"n": 0}]
    rejected = pq.read_table(settings.quarantine_dir / "accounts" / f"date={FIRST}" / "rejected.parquet")
    assert rejected.num_rows == 1


def test_a_backfill_loads_the_nights_before_a_bad_one(settings: Settings, driver: Driver, landing: Path) -> None:
    deliver(landing, "accounts", FIRST, [account("a")])
    deliver(landing, "accounts", SECOND, [account("b", created_at="soon")])
    with pytest.raises(QuarantineLimitError):
        backfill(settings, driver, landing=landing, first=FIRST, last=SECOND)
    assert [r["id"] for r in run(driver, "MATCH (a:Account) RETURN a.account_id AS id")] == ["a"]


def test_a_night_without_files_and_a_folder_that_is_none_say_what_to_do(
    settings: Settings, driver: Driver, landing: Path, tmp_path: Path
) -> None:
    deliver(landing, "accounts", FIRST, [account("a")])
    with pytest.raises(NothingToLoadError, match=str(SECOND)):
        load(settings, driver, landing, SECOND)
    with pytest.raises(RingwatchError, match="nowhere"):
        load(settings, driver, tmp_path / "nowhere", FIRST)


def test_people_s_decisions_survive_a_load(settings: Settings, driver: Driver, landing: Path) -> None:
    deliver(landing, "accounts", FIRST, [account("a")])
    load(settings, driver, landing, FIRST)
    decided = {"review_decision": "legitimate", "review_reason": "known", "reviewed_by": "kim"}
    run(driver, "MATCH (a:Account) SET a += $decided, a.reviewed_at = datetime()", decided=decided)
    deliver(landing, "accounts", FIRST, [account("a", plan="team")])
    load(settings, driver, landing, FIRST)
    [record] = run(driver, "MATCH (a:Account) RETURN properties(a) AS p")
    assert {**record["p"], **decided, "plan": "team"} == record["p"]
