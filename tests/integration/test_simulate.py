"""Simulated worlds through the pipeline as any landing zone goes, and what is said about them afterwards."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from neo4j import Driver

from ringwatch.pipelines.ban_list import approve, propose, publish
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.evaluation.measure import snapshot_of_world
from ringwatch.pipelines.evaluation.outcome import outcome_of
from ringwatch.pipelines.nightly.backfill import backfill
from ringwatch.pipelines.nightly.nightly import nightly
from ringwatch.pipelines.nightly.snapshot import take_snapshot
from ringwatch.pipelines.simulate import SCENARIOS, Arguments, continue_world, nights_of, simulate


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_every_scenario_goes_through_backfill_and_nightly_unchanged(
    scenario: str, settings: Settings, driver: Driver, tmp_path: Path
):
    made = simulate(Arguments(1500, 2, 12, 4, scenario), tmp_path / "world")
    first_day, first_night, last = nights_of(tmp_path / "world")
    landing = tmp_path / "world" / "landing"

    history = backfill(settings, driver, landing=landing, first=first_day, last=first_night)
    night = nightly(settings, driver, landing=landing, date=last)

    counts = [*history.nights.values(), *night.counts.values()]
    for name, n_rows in made.rows.items():
        assert sum(each[name]["rows_in"] for each in counts) == n_rows
        assert sum(each[name]["quarantined"] + each[name]["held"] + each[name]["fields_nulled"] for each in counts) == 0
        loaded = sum(each[name]["loaded"] + each[name]["superseded"] for each in counts)
        assert loaded == n_rows
    [(n_in_graph,)] = driver.execute_query("MATCH (a:Account) RETURN count(a)").records
    assert n_in_graph == made.accounts == night.detected["counts"]["n_accounts"]


def test_a_loop_of_nights_is_played_against_the_detector_and_told_with_its_truth(
    settings: Settings, driver: Driver, tmp_path: Path
):
    world = tmp_path / "world"
    simulate(Arguments(2500, 1, 15, 3, "disclosure", knobs={"desk.reviews_per_day": 150}), world)
    first_day, night, _ = nights_of(world)
    backfill(settings, driver, landing=world / "landing", first=first_day, last=night)
    with pytest.raises(RingwatchError, match="no night has been detected"):
        outcome_of(settings.model_copy(update={"home": tmp_path / "nowhere"}), world)
    for _ in range(2):
        _ban(settings, night)
        continue_world(world, settings.exports_dir / "ban_lists" / f"date={night}" / "ban_list.csv")
        night += timedelta(days=1)
        nightly(settings, driver, landing=world / "landing", date=night)

    outcome = outcome_of(settings, world)

    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW truth AS FROM '{world / 'truth.parquet'}'")
        active = connection.sql(
            "SELECT campaign, count(first_active_at) FROM truth WHERE is_fake GROUP BY 1"
        ).fetchall()
        assert {each.campaign: each.n_active for each in outcome.campaigns} == {name: n for name, n in active if n}
        ordinary = connection.sql("SELECT kind, count(*) FROM truth WHERE NOT is_fake GROUP BY 1").fetchall()
    assert {each.kind: each.n_accounts for each in outcome.ordinary} == dict(ordinary)
    assert sum(each.n_banned for each in outcome.campaigns) > 0
    assert sum(each.n_since for each in outcome.campaigns) > 0
    for each in outcome.campaigns:
        assert each.first_banned or each.n_since == 0


def _ban(settings: Settings, night: date) -> None:
    propose(settings, date=night)
    approve(settings, date=night, by="A Tester")
    publish(settings, date=night)


def test_the_snapshot_of_a_world_without_a_server_is_that_of_the_graph(
    settings: Settings, driver: Driver, tmp_path: Path
):
    simulate(Arguments(400, 1, 5, 9, "disclosure"), tmp_path / "world")
    first_day, _, last = nights_of(tmp_path / "world")
    backfill(settings, driver, landing=tmp_path / "world" / "landing", first=first_day, last=last)
    from_graph = take_snapshot(settings, driver, last)
    without = snapshot_of_world(tmp_path / "world")
    assert without.nodes == from_graph.nodes
    assert without.relationships == from_graph.relationships
    assert without.labels == from_graph.labels


def test_an_outcome_against_another_worlds_truth_is_refused(settings: Settings, driver: Driver, tmp_path: Path):
    for seed in (1, 2):
        simulate(Arguments(200, 1, 3, seed, "quiet"), tmp_path / str(seed))
    first_day, _, last = nights_of(tmp_path / "1")
    backfill(settings, driver, landing=tmp_path / "1" / "landing", first=first_day, last=last)
    with pytest.raises(RingwatchError, match="give their own world"):
        outcome_of(settings, tmp_path / "2")
