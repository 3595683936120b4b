"""How right stored nights were, by labels that became known after them."""

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.builders.snapshots import linked
from tests.builders.worlds import planted_world

from ringwatch.models.data.snapshot import write_snapshot
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.evaluation.hindsight import evaluate_night, labels_of_others
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.scoring.detection import detect
from ringwatch.models.scoring.scoring import Scores
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.evaluation.hindsight import evaluate_stored_nights
from ringwatch.pipelines.evaluation.report import write_hindsight
from ringwatch.pipelines.indicators.matches import MATCHES_SCHEMA
from ringwatch.pipelines.review.queue import QUESTIONS_SCHEMA
from ringwatch.pipelines.runs.store import Run, write_run

THRESHOLDS = Thresholds(suspicious=0.5, watch=0.1)


@pytest.fixture(scope="module")
def world():
    return planted_world(labelled=1.0)


def with_labels_at(snapshot, keep):
    return replace(snapshot, labels=snapshot.labels.filter(pa.array(keep)))


@pytest.fixture(scope="module")
def night(world):
    """The night when a third of today's labels were known."""
    return with_labels_at(world.snapshot, np.arange(world.snapshot.labels.num_rows) % 3 == 0)


def later(world, night):
    return labels_of_others(night, world.snapshot)


def test_only_accounts_whose_label_came_later_are_judged(world, night):
    report = evaluate_night(night, world.is_fake.astype(float), later(world, night), seed=0)
    n_now, n_then = world.snapshot.labels.num_rows, night.labels.num_rows
    assert report["n_judged"] == n_now - n_then
    assert report["metrics"]["ours"]["average_precision"] == 1
    assert report["ours_less_trees"]["average_precision"] >= 0


def test_a_score_that_says_nothing_is_shown_to_say_nothing(world, night):
    said = np.random.default_rng(0).random(world.is_fake.size)
    report = evaluate_night(night, said, later(world, night), seed=0)
    assert abs(report["metrics"]["ours"]["auroc"] - 0.5) < 0.15
    assert report["ours_less_trees"]["average_precision"] < 0


def test_a_night_of_which_nothing_became_known_is_not_judged(world):
    assert evaluate_night(world.snapshot, world.is_fake.astype(float), later(world, world.snapshot), seed=0) is None


def test_accounts_that_are_gone_since_are_not_judged(world, night):
    stays = np.arange(world.snapshot.n_accounts) % 2 == 0
    names = world.snapshot.accounts["id"].to_pylist()
    kept = {name for name, keep in zip(names, stays, strict=True) if keep}
    newest = with_labels_at(world.snapshot, [name in kept for name in world.snapshot.labels["account_id"].to_pylist()])
    assert not labels_of_others(night, newest).is_known[~stays].any()


def _store(settings, snapshot, scores):
    write_snapshot(snapshot, settings.snapshots_dir / f"date={snapshot.date}")
    links = linked(snapshot, np.full(snapshot.n_accounts, -1))
    found = detect(
        snapshot, Scores(scores, links), thresholds=THRESHOLDS, ring_classifier=default_model().ring_classifier,
        previous=None, is_default=False,
    )  # fmt: skip
    run = Run(f"run-{snapshot.date}", snapshot.date, "gnn-1", False, THRESHOLDS, {}, {})
    write_run(settings, run, found, QUESTIONS_SCHEMA.empty_table(), MATCHES_SCHEMA.empty_table())


def test_stored_nights_are_judged_and_reported(world, night, tmp_path):
    settings = Settings(_env_file=None, home=tmp_path)
    with pytest.raises(RingwatchError, match="no night has been detected"):
        evaluate_stored_nights(settings)
    today = replace(world.snapshot, date=night.date + dt.timedelta(days=1))
    _store(settings, night, np.clip(world.is_fake * 0.8 + 0.1, 0, 1))
    _store(settings, today, np.zeros(world.is_fake.size))
    [report] = evaluate_stored_nights(settings)
    assert (report["name"], report["model_version"]) == (str(night.date), "gnn-1")
    write_hindsight([report], tmp_path / "out")
    assert "gnn-1" in (tmp_path / "out" / "report.html").read_text()
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())[0]["ranking"]["metrics"]["ours"]["auroc"] == 1


def test_nights_of_which_too_little_became_known_are_an_error_that_says_so(world, tmp_path):
    settings = Settings(_env_file=None, home=tmp_path)
    _store(settings, world.snapshot, np.zeros(world.is_fake.size))
    with pytest.raises(RingwatchError, match="of none of the 1 nights"):
        evaluate_stored_nights(settings)
