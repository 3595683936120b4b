"""A whole evaluation of a small world, and a whole pre-training, as their commands do them."""

import json
from dataclasses import replace

import pytest

from models.model_file import read_model, version_of
from models.pretraining import _PACE, pretrain, world_lesson
from pipelines.evaluation import evaluate_world
from pipelines.evaluation_report import write_report
from pipelines.pretrain import pretrain_default
from pipelines.simulate import Arguments
from pipelines.simulate.measure import world_of


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


def test_pretraining_leaves_a_model_that_can_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr("models.pretraining._PACE", replace(_PACE, n_epochs=1))
    version = pretrain_default(tmp_path, n_worlds=5, n_accounts=2000, seed=0)
    assert version == version_of(read_model(tmp_path))
    assert version.startswith("gnn-default-")


def test_the_same_lessons_give_the_same_model(monkeypatch):
    monkeypatch.setattr("models.pretraining._PACE", replace(_PACE, n_epochs=3))
    lesson = world_lesson(*world_of(Arguments(1500, 2, 10, 5, "disclosure"), lambda _: None))
    first, again = (version_of(pretrain([lesson, lesson], [lesson], seed=0)) for _ in range(2))
    assert first == again
    assert version_of(pretrain([lesson, lesson], [lesson], seed=1)) != first
