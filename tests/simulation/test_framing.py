"""Worlds in which attackers frame ordinary people."""

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest

from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.evaluation.measure import put_world_in_ledger
from ringwatch.pipelines.simulate.framing import N_VICTIMS, NIGHTS_BEFORE_LAST
from ringwatch.pipelines.simulate.knobs.framing import STYLES
from ringwatch.pipelines.simulate.nights import nights_of, simulate
from ringwatch.pipelines.simulate.population.world import Arguments
from ringwatch.pipelines.simulate.truth import read_truth


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("framing")
    simulate(Arguments(6000, 8, 30, 1, "framing"), folder)
    return folder


@pytest.fixture(scope="module")
def truth(world):
    return read_truth(world)


def _rows(world, signal):
    partitioned = ds.partitioning(pa.schema([("date", pa.string())]), flavor="hive")
    return ds.dataset(world / "landing" / signal, partitioning=partitioned).to_table()


def test_each_style_has_its_own_victims_who_are_ordinary(truth):
    victims = truth.filter(pc.is_valid(truth["framed_by"]))
    counts = {each["values"]: each["counts"] for each in victims["framed_by"].value_counts().to_pylist()}
    assert counts == {style.name: N_VICTIMS for style in STYLES}
    assert not pc.any(victims["is_fake"]).as_py()


def test_attackers_are_fakes_of_a_campaign_by_style_and_as_many_as_it_says(truth):
    for style in STYLES:
        attackers = truth.filter(pc.equal(truth["campaign"], f"framing: {style.name}"))
        assert attackers.num_rows == N_VICTIMS * style.n_attackers
        assert set(attackers["kind"].to_pylist()) <= {"framer"}


def test_victims_used_what_is_theirs_first(world, truth):
    """Their device, before any attacker showed it; but for the address of the style that swaps the order."""
    night = nights_of(world)[2] - timedelta(days=NIGHTS_BEFORE_LAST)
    framed = truth.filter(pc.equal(truth["framed_by"], "device"))["account_id"].combine_chunks()
    devices = _rows(world, "device_events")
    own = devices.filter(pc.and_(pc.is_in(devices["account_id"], framed), pc.less(devices["date"], str(night))))
    attackers = truth.filter(pc.equal(truth["campaign"], "framing: device"))["account_id"].combine_chunks()
    shown = devices.filter(pc.is_in(devices["account_id"], attackers))
    assert set(shown["date"].to_pylist()) == {str(night)}
    of_attackers = set(shown["device_id"].to_pylist())
    whose = {row["account_id"] for row in own.to_pylist() if row["device_id"] in of_attackers}
    assert whose == set(framed.to_pylist())


def test_nothing_of_it_is_quarantined(world, tmp_path):
    settings = Settings(home=tmp_path)
    put_world_in_ledger(settings, world)
    assert not list(settings.home.rglob("quarantine/**/*.parquet"))
