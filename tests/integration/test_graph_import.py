"""A first load by offline import: the same graph as by transactions, and a server that outlives what goes wrong."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psutil
import pytest
from neo4j import Driver
from tests.builders.deliveries import FIRST, at, deliver, random_nights
from tests.builders.graphs import signal_graph

from ringwatch.infra.neo4j import process as neo4j_process
from ringwatch.infra.neo4j import server as embedded
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.client import connect, run
from ringwatch.pipelines.nightly.backfill import backfill
from ringwatch.pipelines.nightly.load import load_night
from ringwatch.pipelines.nightly.snapshot import snapshot_digest, take_snapshot

AWKWARD = ['a"b', "a,b", "a;b", "a\\b", " a ", "a\nb", "a\tb", "'a'", "ä𝄞", "NULL", "null", "007", "1e3", ":ID", "\\N"]
_SCHEMA = "SHOW {} YIELD name, type, labelsOrTypes, properties RETURN name, type, labelsOrTypes, properties"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a server of this module's own, running and empty, which imports however little there is."""
    home = tmp_path_factory.mktemp("home")
    own = Settings(_env_file=None, home=home, neo4j_heap_mb=512, neo4j_pagecache_mb=64, quarantine_limit=1.0)
    embedded.start(own)
    yield own
    embedded.stop(own)


@pytest.fixture
def own_driver(own: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """A driver to it; its graph and the ledger are emptied first."""
    monkeypatch.setattr("ringwatch.pipelines.graph.bulk_import.WORTH_RECORDS", 0)
    shutil.rmtree(own.ledger_dir, ignore_errors=True)
    with connect(own) as driver:
        run(driver, "MATCH (n) WHERE NOT n:SchemaMigration DETACH DELETE n")
        yield driver


def landing_with_awkward_ids(folder: Path) -> list[date]:
    nights = random_nights(folder, seed=6)
    rows = [
        {"account_id": id_, "created_at": at(FIRST, 0), "email_hash": id_, "organization_id": id_, "plan": id_}
        for id_ in AWKWARD
    ]
    before_1970 = datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)
    rows += [{"account_id": "of old", "created_at": before_1970, "status": "", "country": None}]
    deliver(folder, "accounts", FIRST, rows, name="awkward.parquet")
    uses = {"first_seen_at": at(FIRST), "last_seen_at": at(FIRST, 2), "n_events": 2}
    devices = [{"account_id": id_, "device_id": id_, "os": id_, **uses} for id_ in AWKWARD]
    deliver(folder, "device_events", FIRST, devices, name="awkward.parquet")
    return nights


def test_an_import_gives_the_graph_of_transactions_and_later_nights_go_on_from_it(
    own: Settings, own_driver: Driver, settings: Settings, driver: Driver, tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    nights = landing_with_awkward_ids(landing)
    online = settings.model_copy(update={"quarantine_limit": 1.0})
    pid = embedded.status(own).pid
    for each, its_driver in ((own, own_driver), (online, driver)):
        backfill(each, its_driver, landing=landing, first=nights[0], last=nights[2])
    assert embedded.status(own).pid != pid  # it paused
    assert signal_graph(own_driver) == signal_graph(driver)
    assert snapshot_digest(own, nights[2]) == snapshot_digest(online, nights[2])
    for kind in ("CONSTRAINTS", "INDEXES"):
        imported, written = (
            sorted(map(str, run(each, _SCHEMA.format(kind) + " ORDER BY name"))) for each in (own_driver, driver)
        )
        assert imported == written
    pid = embedded.status(own).pid
    for each, its_driver in ((own, own_driver), (online, driver)):
        load_night(each, its_driver, landing=landing, date=nights[3])
        take_snapshot(each, its_driver, nights[3])
    assert embedded.status(own).pid == pid
    assert signal_graph(own_driver) == signal_graph(driver)
    assert snapshot_digest(own, nights[3]) == snapshot_digest(online, nights[3])


def test_an_import_that_fails_leaves_a_server_that_runs_and_the_next_load_makes_up_for_it(
    own: Settings, own_driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = tmp_path / "landing"
    [night] = random_nights(landing, seed=7, n_nights=1)
    with monkeypatch.context() as broken:
        broken.setattr(
            "ringwatch.pipelines.graph.bulk_import._column", lambda property: f"'none' AS \"{property.name}:long\""
        )
        with pytest.raises(RingwatchError, match="neo4j-admin database import full"):
            load_night(own, own_driver, landing=landing, date=night)
    assert embedded.status(own).running
    assert run(own_driver, "MATCH (n:Account) RETURN count(n) AS n") == [{"n": 0}]
    load_night(own, own_driver, landing=landing, date=night)
    assert run(own_driver, "MATCH (n:Account) RETURN count(n) > 0 AS some") == [{"some": True}]


def test_an_import_that_was_killed_is_forgotten_at_the_next_start(
    own: Settings, own_driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = tmp_path / "landing"
    [night] = random_nights(landing, seed=8, n_nights=1)

    def killed(settings: Settings, *_: str) -> str:
        store = settings.neo4j_dir / "data" / "databases" / "neo4j" / "neostore"
        store.write_bytes(b"half a store")
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("ringwatch.infra.neo4j.server.run_admin", killed)
        broken.setattr("ringwatch.infra.neo4j.server._start", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            load_night(own, own_driver, landing=landing, date=night)
    assert neo4j_process.find_server(own) is None
    embedded.start(own)
    assert psutil.pid_exists(embedded.status(own).pid or 0)
    with connect(own) as again:
        load_night(own, again, landing=landing, date=night)
        assert run(again, "MATCH (n:Account) RETURN count(n) > 0 AS some") == [{"some": True}]


def test_a_graph_that_holds_anything_is_never_imported_over(own: Settings, own_driver: Driver, tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    [night] = random_nights(landing, seed=9, n_nights=1)
    run(own_driver, "CREATE (:Ring {ring_id: 'r', review_decision: 'fake'})")
    load_night(own, own_driver, landing=landing, date=night)
    assert run(own_driver, "MATCH (g:Ring) RETURN g.review_decision AS decided") == [{"decided": "fake"}]
