"""The default model that ships finds campaigns in worlds that it was not taught, and by what they link."""

import numpy as np
import pytest

from ringwatch.models.data.labels import known_labels
from ringwatch.models.evaluation.metrics import account_metrics
from ringwatch.models.evaluation.rewiring import shuffled, without_edges
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.scoring.scoring import score
from ringwatch.pipelines.evaluation.measure import snapshot_of_world, world_of
from ringwatch.pipelines.simulate import Arguments, simulate


def _average_precision(snapshot, truth):
    rows = truth.is_evaluated & ~known_labels(snapshot).is_known
    return account_metrics(truth.is_fake[rows], score(default_model(), snapshot).fake[rows])["average_precision"]


@pytest.fixture(scope="module")
def world():
    return world_of(Arguments(10_000, 2, 30, 11, "disclosure"))


def test_campaigns_are_found_and_taking_the_links_away_loses_them(world):
    snapshot, truth = world
    found = _average_precision(snapshot, truth)
    assert found > 0.8
    assert _average_precision(shuffled(snapshot, seed=0), truth) < found - 0.3
    assert _average_precision(without_edges(snapshot), truth) < found - 0.3


def test_what_it_says_is_about_as_likely_as_it_says(world):
    snapshot, truth = world
    rows = truth.is_evaluated & ~known_labels(snapshot).is_known
    said = score(default_model(), snapshot).fake[rows]
    assert account_metrics(truth.is_fake[rows], said)["calibration_error"] < 0.02


def test_the_same_snapshot_gives_the_same_bits(world):
    snapshot, _ = world
    first, again = (score(default_model(), snapshot) for _ in range(2))
    np.testing.assert_array_equal(first.fake, again.fake)
    np.testing.assert_array_equal(first.links.probability, again.links.probability)


def test_in_a_quiet_world_hardly_anybody_is_suspected(tmp_path):
    simulate(Arguments(10_000, 2, 30, 12, "quiet"), tmp_path / "world")
    said = score(default_model(), snapshot_of_world(tmp_path / "world")).fake
    assert (said >= default_model().thresholds.suspicious).sum() <= 10
