"""Three ways to a night's snapshot, of which the cheapest must give the very bytes of the others."""

import logging
import random
import shutil
from datetime import date
from pathlib import Path

import pytest
from neo4j import Driver
from tests.builders.deliveries import FIRST, at, deliver, random_night, random_nights

from ringwatch.models.data.snapshot import write_snapshot
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.client import run
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.nightly.load import load_night
from ringwatch.pipelines.nightly.snapshot import compute_snapshot, snapshot_digest, take_snapshot


def load(settings: Settings, driver: Driver, landing: Path, night: date) -> None:
    load_night(settings, driver, landing=landing, date=night)


def take(settings: Settings, driver: Driver) -> str:
    """Take the newest night's snapshot and return its digest."""
    night = Ledger(settings).nights()[-1]
    take_snapshot(settings, driver, night)
    return snapshot_digest(settings, night)


def taken_with_log(settings: Settings, driver: Driver, caplog: pytest.LogCaptureFixture) -> tuple[str, list[str]]:
    """The digest of the newest night's snapshot, and what was logged on the way to it."""
    caplog.clear()
    with caplog.at_level(logging.INFO, "ringwatch.pipelines"):
        digest = take(settings, driver)
    return digest, [each.getMessage() for each in caplog.records if each.name.startswith("ringwatch.pipelines")]


def computed(settings: Settings) -> str:
    night = Ledger(settings).nights()[-1]
    write_snapshot(compute_snapshot(settings, night), settings.snapshots_dir / f"date={night}")
    return snapshot_digest(settings, night)


def read_in_full(settings: Settings, driver: Driver, caplog: pytest.LogCaptureFixture) -> str:
    shutil.rmtree(settings.ledger_dir / "graph", ignore_errors=True)
    digest, logged = taken_with_log(settings, driver, caplog)
    assert logged == ["reading the graph from Neo4j"]
    return digest


@pytest.mark.parametrize(("seed", "limits"), [(1, {}), (2, {"held_days": 1, "retention_days": 2})])
def test_a_copy_brought_up_to_date_gives_the_bytes_of_graph_and_ledger(
    settings: Settings,
    driver: Driver,
    tmp_path: Path,
    seed: int,
    limits: dict[str, int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings, landing = settings.model_copy(update={**limits, "quarantine_limit": 1.0}), tmp_path / "landing"
    nights = random_nights(landing, seed=seed)
    load(settings, driver, landing, nights[0])
    read_in_full(settings, driver, caplog)
    later = random.Random(seed).sample(nights[1:], len(nights) - 1)
    for position, night in enumerate([*later, nights[1], nights[-1]]):
        if position >= len(later):
            shutil.rmtree(landing / "payments" / f"date={night}", ignore_errors=True)  # delivered again, corrected
            random_night(landing, night, seed=seed + 10)
        load(settings, driver, landing, night)
        if position % 2:  # so that what two loads touched is brought in together, too
            of_copy, logged = taken_with_log(settings, driver, caplog)
            assert logged == ["taking the graph from its copy"]
            assert of_copy == take(settings, driver) == computed(settings)
    assert take(settings, driver) == read_in_full(settings, driver, caplog)


def test_a_graph_that_other_hands_changed_is_read(
    settings: Settings, driver: Driver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    landing = tmp_path / "landing"
    nights = random_nights(landing, seed=4)
    for night in nights:
        load(settings.model_copy(update={"quarantine_limit": 1.0}), driver, landing, night)
    before = take(settings, driver)
    run(driver, "MATCH (a:Account)-[r:USED_DEVICE]->() WITH r LIMIT 1 DELETE r")
    after, logged = taken_with_log(settings, driver, caplog)
    assert after != before
    assert logged[-2:] == [
        "the graph is not what was loaded: other hands have changed it",
        "reading the graph from Neo4j",
    ]


def test_a_load_broken_off_leaves_no_later_row_in_a_snapshot(
    settings: Settings,
    driver: Driver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    landing, (first, second) = tmp_path / "landing", random_nights(tmp_path / "landing", seed=5, n_nights=2)
    settings = settings.model_copy(update={"quarantine_limit": 1.0})
    load(settings, driver, landing, first)
    before = take(settings, driver)
    with monkeypatch.context() as broken:
        broken.setattr("ringwatch.pipelines.nightly.load.write_graph", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            load(settings, driver, landing, second)
    assert take(settings, driver) == before
    load(settings, driver, landing, second)
    assert take(settings, driver) == read_in_full(settings, driver, caplog) != before


def test_an_account_that_nobody_delivers_any_more_leaves_the_copy(
    settings: Settings, driver: Driver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    landing = tmp_path / "landing"
    people = [{"account_id": a, "created_at": at(FIRST, 0), "email_hash": f"h-{a}"} for a in "abc"]
    deliver(landing, "accounts", FIRST, people)
    load(settings, driver, landing, FIRST)
    take(settings, driver)
    deliver(landing, "accounts", FIRST, people[:2])
    load(settings, driver, landing, FIRST)
    assert take(settings, driver) == computed(settings) == read_in_full(settings, driver, caplog)
