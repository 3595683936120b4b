"""The embedded Neo4j as its users meet it: started, found again, ended, emptied."""

import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest
import requests
from neo4j import Driver, GraphDatabase

from ringwatch.infra.neo4j import server as embedded
from ringwatch.infra.neo4j.config import read_record
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a server of this test's own, in a folder whose name has a space."""
    settings = Settings(_env_file=None, home=tmp_path / "a home", neo4j_heap_mb=512, neo4j_pagecache_mb=64)
    yield settings
    embedded.stop(settings)


def connect(server: embedded.Neo4jStatus) -> Driver:
    return GraphDatabase.driver(server.uri, auth=(server.user, Path(server.password_file).read_text()))


def test_before_the_first_start_nothing_runs(own: Settings) -> None:
    assert embedded.status(own).running is False
    assert embedded.stop(own) is False
    assert not own.neo4j_dir.exists()


@pytest.mark.timeout(900)  # three starts
def test_two_starts_at_once_make_one_server_that_keeps_its_data_until_reset(own: Settings) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(embedded.start, [own, own])
    assert first == second
    with connect(first) as driver:
        driver.execute_query("CREATE (:Account {account_id: 'a'})")
    assert requests.get(first.guide_url, timeout=30).status_code == 200

    # A desk that ended by itself is served again by the next start, where the Browser asks for it.
    desk = json.loads((own.neo4j_dir / "desk.json").read_text())["session"]["pid"]
    psutil.Process(desk).terminate()
    psutil.wait_procs([psutil.Process(desk)], timeout=30)
    assert embedded.status(own).guide_url is None
    assert embedded.start(own) == first
    assert requests.get(first.guide_url, timeout=30).status_code == 200

    assert embedded.stop(own) is True
    with pytest.raises(requests.ConnectionError):
        requests.get(first.guide_url, timeout=30)
    assert not psutil.pid_exists(first.pid) or psutil.Process(first.pid).status() == psutil.STATUS_ZOMBIE
    assert embedded.status(own).running is False

    again = embedded.start(own)
    assert (again.uri, again.browser_url) == (first.uri, first.browser_url)
    password = Path(again.password_file).read_text()
    with connect(again) as driver:
        assert driver.execute_query("MATCH (a:Account) RETURN a.account_id").records[0].values() == ["a"]

    embedded.reset(own)
    assert embedded.status(own).running is False
    emptied = embedded.start(own)
    assert Path(emptied.password_file).read_text() == password
    with connect(emptied) as driver:
        assert driver.execute_query("MATCH (n) RETURN count(n)").records[0].values() == [0]


def test_the_browser_answers_and_only_on_this_machine(neo4j_server: embedded.Neo4jStatus) -> None:
    page = requests.get(neo4j_server.browser_url, timeout=30)
    assert page.status_code == 200
    assert "neo4j" in page.text.lower()
    listening = {c.laddr.ip for c in psutil.Process(neo4j_server.pid).net_connections("tcp") if c.status == "LISTEN"}
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_status_is_json_and_the_password_is_its_owners(neo4j_server: embedded.Neo4jStatus) -> None:
    told = json.loads(json.dumps(asdict(neo4j_server)))
    assert {"running", "uri", "user", "password_file", "browser_url", "guide_url"} <= set(told)
    assert stat.S_IMODE(Path(neo4j_server.password_file).stat().st_mode) == 0o600


def test_a_recycled_pid_is_never_ended(own: Settings) -> None:
    own.neo4j_dir.mkdir(parents=True)
    stranger = psutil.Popen(["sleep", "60"])
    try:
        _record_as_server(own, stranger.pid, started_at=stranger.create_time() - 3600)
        assert embedded.stop(own) is False
        assert stranger.is_running()
    finally:
        stranger.kill()
        stranger.wait()


def _record_as_server(settings: Settings, pid: int, *, started_at: float) -> None:
    ports = {"bolt": 1, "http": 2}
    session = {"name": "neo4j", "pid": pid, "started_at": started_at}
    (settings.neo4j_dir / "server.json").write_text(json.dumps({"session": session, "ports": ports}))
    assert read_record(settings) is not None


def test_a_failed_start_shows_the_log_and_leaves_nothing(own: Settings) -> None:
    own.neo4j_dir.mkdir(parents=True)
    (own.neo4j_dir / "data").write_text("a file where the store should be")
    with pytest.raises(RingwatchError, match=r"data"):
        embedded.start(own)
    assert embedded.status(own).pid is None
    assert embedded.status(own).guide_url is None


def test_a_lost_password_file_is_told_before_anything_starts(own: Settings) -> None:
    (own.neo4j_dir / "data" / "databases" / "system").mkdir(parents=True)
    with pytest.raises(RingwatchError, match=r"password is gone.*neo4j reset"):
        embedded.start(own)


def test_admin_wants_a_stopped_server(neo4j_server: embedded.Neo4jStatus) -> None:
    running = Settings(_env_file=None, home=Path(neo4j_server.password_file).parents[1])
    with pytest.raises(RingwatchError, match="neo4j stop"):
        embedded.admin(running, "database", "info", "neo4j")


def test_a_neo4j_elsewhere_is_described_but_not_started(settings: Settings) -> None:
    assert embedded.status(settings).running is True
    with pytest.raises(RingwatchError, match="RINGWATCH_NEO4J_URI"):
        embedded.start(settings)
    nowhere = settings.model_copy(update={"neo4j_uri": "bolt://127.0.0.1:1"})
    assert embedded.status(nowhere).running is False
