"""Partners' bundles on their way through the loads of nights, whichever way a night is loaded."""

from datetime import timedelta
from pathlib import Path

import pytest
from neo4j import Driver
from tests.builders.deliveries import FIRST, deliver_a_ring
from tests.builders.partners import bundle_of, indicator, send, stamp

from ringwatch.graph_schema.signals import SIGNALS
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.client import run
from ringwatch.pipelines.indicators.matches import read_matches
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.nightly.backfill import backfill
from ringwatch.pipelines.nightly.detect import detect
from ringwatch.pipelines.nightly.load import load_night, load_staged, stage_signal

NIGHTS = [FIRST, FIRST + timedelta(days=1)]
SUBNET = "[ipv4-addr:value ISSUBSET '185.3.2.0/24']"


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    deliver_a_ring(tmp_path / "landing", NIGHTS)
    send(tmp_path / "landing", bundle_of(indicator("a", SUBNET), indicator("b", "[url:value = 'x']")))
    return tmp_path / "landing"


def taken_in(settings: Settings) -> dict[str, int]:
    facts = Ledger(settings).read_night(FIRST)
    assert facts is not None
    counts: dict[str, int] = facts["indicators"]
    return counts


def test_a_load_takes_them_in_and_counts_them_beside_the_signals(
    settings: Settings, driver: Driver, landing: Path
) -> None:
    counts = load_night(settings, driver, landing=landing, date=FIRST)
    assert set(counts[str(FIRST)]) == {signal.name for signal in SIGNALS}
    assert (taken_in(settings)["usable"], taken_in(settings)["unsupported"]) == (1, 1)


def test_so_does_a_load_that_stages_signal_by_signal(settings: Settings, driver: Driver, landing: Path) -> None:
    for signal in SIGNALS:
        stage_signal(settings, landing=landing, date=FIRST, signal=signal.name)
    load_staged(settings, driver, landing=landing, date=FIRST)
    assert taken_in(settings)["usable"] == 1


def test_a_backfill_loads_a_night_again_when_only_its_bundles_changed(
    settings: Settings, driver: Driver, landing: Path
) -> None:
    def again() -> list[str]:
        return backfill(settings, driver, landing=landing, first=FIRST, last=NIGHTS[1], detect_every=None).unchanged

    again()
    assert again() == [str(night) for night in NIGHTS]
    send(landing, bundle_of(indicator("a", SUBNET, revoked=True)))
    assert again() == [str(NIGHTS[1])]
    assert taken_in(settings)["indicators_in"] == 1


def test_the_graph_names_the_partner_and_holds_nothing_else_of_it(
    settings: Settings, driver: Driver, landing: Path
) -> None:
    send(landing, bundle_of(indicator("a", SUBNET, valid_until=stamp(NIGHTS[1] + timedelta(days=9)))))
    for night in NIGHTS:
        load_night(settings, driver, landing=landing, date=night)
    detect(settings, driver, date=NIGHTS[1])
    assert [each["n_accounts"] for each in read_matches(settings, NIGHTS[1]).to_pylist()] == [8]
    [question] = run(driver, "MATCH (q:ReviewQuestion) WHERE q.why CONTAINS 'acme' RETURN q.why AS why")
    assert "; acme names 1 identifier of 8 of them" in question["why"]
    assert "indicator--" not in str(run(driver, "MATCH (n) RETURN properties(n) AS properties"))
