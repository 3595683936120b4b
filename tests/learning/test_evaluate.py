"""A whole evaluation of a small world, and a whole pre-training, as their commands do them."""

import json
import logging
from dataclasses import replace

import pytest

from ringwatch.models.registry.artifact import read_model, version_of
from ringwatch.models.training.pretraining import _SCHEDULE, pretrain, world_training_graph
from ringwatch.pipelines.evaluation.measure import world_of
from ringwatch.pipelines.evaluation.pretrain import _worlds, pretrain_default
from ringwatch.pipelines.evaluation.report import write_report
from ringwatch.pipelines.evaluation.worlds import evaluate_world
from ringwatch.pipelines.simulate import Arguments


@pytest.fixture(scope="module")
def report():
    desk = {"desk.reviews_per_day": 400}
    return evaluate_world(Arguments(6000, 3, 20, 3, "disclosure", knobs=desk))


def test_every_baseline_and_both_checks_are_judged_on_the_same_accounts(report):
    metrics = report["ranking"]["metrics"]
    assert {"ours", "ours, edges shuffled", "ours, no edges", "oracle", "Fraudar"} <= set(metrics)
    assert len({each["n_fakes"] for each in metrics.values()}) == 1
    for baseline in ("trees, account features", "label propagation", "ours, edges shuffled", "ours, no edges"):
        assert metrics["ours"]["average_precision"] > metrics[baseline]["average_precision"]


def test_who_is_accused_adds_up(report):
    for what in ("suspicious", "banned"):
        assert sum(each[what] for each in report["harm_by_kind"].values()) == report[what]["ordinary"]
    assert report["banned"]["fakes"] + report["banned"]["ordinary"] > 0
    for each in report["campaigns"].values():
        shares = each["share_suspicious_by_night"]
        found = [share for share in shares if share is not None]
        assert (each["nights_to_found"] is None) == all(share < 0.5 for share in found)


def test_the_report_opens_by_itself_and_holds_the_plots(report, tmp_path):
    write_report([report], tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") >= 3
    assert "http" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    ).replace("https://matplotlib.org", "")
    assert "<script" not in page
    assert json.loads((tmp_path / "metrics.json").read_text())[0]["seed"] == 3


def test_an_analyst_who_answers_the_queue_is_heard_the_next_night():
    arguments = Arguments(4000, 3, 20, 5, "disclosure")
    alone, helped = (evaluate_world(arguments, n_reviews=n)["by_night"] for n in (0, 20))
    assert helped[0] == alone[0]
    assert helped[1]["listed"]["recall"] > (alone[1]["listed"]["recall"] or 0.0)


def test_pretraining_leaves_a_model_that_can_be_read_and_saw_no_type_left_out(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("ringwatch.models.training.pretraining._SCHEDULE", replace(_SCHEDULE, n_epochs=12))
    caplog.set_level(logging.INFO, "ringwatch.pipelines")
    version = pretrain_default(tmp_path, n_worlds=5, n_accounts=4000, seed=0, without=["sleepers", "hydra"])
    assert version == version_of(read_model(tmp_path))
    assert version.startswith("gnn-default-")
    assert any(
        line.endswith("world of seed 3504") for line in caplog.messages
    )  # rings are judged in worlds of their own
    _, truth = next(_worlds(3000, 1, 4000, ["sleepers", "hydra"]))
    assert not {"sleepers", "hydra"} & set(truth.kind[truth.is_fake].tolist())
    assert truth.is_fake.any()


def test_the_same_worlds_give_the_same_model(monkeypatch):
    monkeypatch.setattr("ringwatch.models.training.pretraining._SCHEDULE", replace(_SCHEDULE, n_epochs=12))
    worlds = [world_of(Arguments(4000, 2, 20, seed, "disclosure")) for seed in (5, 6)]
    graphs = [world_training_graph(*world) for world in worlds] * 2
    first, again = (version_of(pretrain(graphs, graphs[:1], worlds, seed=0)) for _ in range(2))
    assert first == again
    assert version_of(pretrain(graphs, graphs[:1], worlds, seed=1)) != first
