"""How far a night has moved from a model's training night, and when that holds a ban list."""

from dataclasses import replace
from datetime import date
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.builders.nights import Judged, detected_night
from tests.builders.worlds import planted_world

from ringwatch.models.registry.drift import (
    SCORE,
    Distribution,
    drift_from,
    moves_with_time,
    reference_of,
    score_distribution,
)
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.runs.drift_gate import held_by_drift
from ringwatch.pipelines.runs.store import read_run

pytestmark = pytest.mark.unit
NIGHT = date(2026, 4, 1)
VALUES = arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1) | st.just(np.nan))


def test_it_is_the_index_of_its_definition():
    was = Distribution(edges=(0.5,), shares=(0.8, 0.2, 0.0))
    tonight = np.array([0.1, 0.2, 0.7, 0.9])
    assert was.psi(tonight) == pytest.approx((0.5 - 0.8) * log(0.5 / 0.8) + (0.5 - 0.2) * log(0.5 / 0.2))


@given(VALUES, VALUES)
def test_it_is_nought_for_the_same_night_and_never_negative(was, tonight):
    distribution = score_distribution(was)
    assert distribution.psi(was) == pytest.approx(0)
    assert distribution.psi(tonight) >= 0
    assert sum(distribution.shares) == pytest.approx(1)


def test_values_that_are_unknown_of_a_sudden_are_drift():
    was = score_distribution(np.full(100, 0.3))
    assert was.psi(np.where(np.arange(100) < 50, np.nan, 0.3)) > 1


def test_a_night_has_not_moved_from_itself_and_a_broken_feed_moves_it():
    snapshot = planted_world(n_rings=8, n_ordinary=200).snapshot
    scores = np.linspace(0, 1, snapshot.n_accounts)
    reference = reference_of(snapshot, scores)
    assert set(drift_from(reference, snapshot, scores).values()) == {0.0}

    at, nothing = snapshot.accounts.column_names.index("n_requests"), np.zeros(snapshot.n_accounts, dtype=np.int64)
    accounts = snapshot.accounts.set_column(at, "n_requests", [nothing])
    broken = replace(snapshot, nodes={**snapshot.nodes, "Account": accounts})
    moved = drift_from(reference, broken, scores)
    assert moved["n_requests"] > 0.25
    assert moved[SCORE] == 0


@pytest.mark.parametrize(
    ("drift", "n_held"),
    [
        ({}, 0),
        ({SCORE: 0.2, "n_requests": 0.2}, 0),
        ({SCORE: 0.3}, 1),
        ({SCORE: 0.3, "n_requests": 0.4}, 2),
        ({"USED_DEVICE.lasted_days": 3.0, "age_days": 3.0, "USED_IP.per_day": 3.0}, 0),
    ],
)
def test_what_holds_a_list(tmp_path, drift, n_held):
    settings = Settings(_env_file=None, home=tmp_path)
    detected_night(settings, NIGHT, {"a": Judged()}, drift=drift)
    assert len(held_by_drift(settings, read_run(settings, NIGHT))) == n_held


def test_counts_do_not_count_as_time_passing():
    assert not moves_with_time("USED_DEVICE.count")
    assert not moves_with_time("n_usage_hours")
