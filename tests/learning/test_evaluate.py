"""A whole evaluation of a small world, and a whole pre-training, as their commands do them."""

import datetime as dt
import json
import logging
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ringwatch.models.registry.artifact import read_model, version_of
from ringwatch.models.training.pretraining import _SCHEDULE, pretrain, world_training_graph
from ringwatch.pipelines.evaluation.measure import world_of
from ringwatch.pipelines.evaluation.pretrain import _worlds, pretrain_default
from ringwatch.pipelines.evaluation.report import write_report
from ringwatch.pipelines.evaluation.worlds import evaluate_world, evaluate_world_of_others
from ringwatch.pipelines.simulate import Arguments, simulate


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


def test_a_world_is_judged_the_same_when_others_deliver_it(report, tmp_path):
    """As a landing zone with its truth: rankings, campaigns and lists are those of the simulated world."""
    simulate(Arguments(6000, 3, 20, 3, "disclosure", knobs={"desk.reviews_per_day": 400}), tmp_path)
    truth = pq.read_table(tmp_path / "truth.parquet")
    names = ["first_active_date" if name == "first_active_at" else name for name in truth.column_names]
    given = truth.rename_columns(names)
    # A fake that never acted as one has no date here, and would count as one from its first day.
    never = pc.and_(given["is_fake"], pc.is_null(given["first_active_date"]))
    later = pc.if_else(never, pa.scalar(dt.datetime(2100, 1, 1, tzinfo=dt.UTC)), given["first_active_date"])
    position = names.index("first_active_date")
    pq.write_table(given.set_column(position, "first_active_date", later), tmp_path / "truth.parquet")
    of_others = evaluate_world_of_others(tmp_path, n_nights=3, with_label_curve=True)
    assert of_others["suspicious"]["fakes"] == report["suspicious"]["fakes"]
    assert of_others["banned"] == report["banned"]
    ours = of_others["first_night"]["metrics"]["ours"]["average_precision"]
    assert ours > of_others["first_night"]["metrics"]["trees, account features"]["average_precision"]
    assert [point["n_known_fakes"] for point in of_others["label_curve"]][:3] == [0, 5, 20]
    write_report([of_others], tmp_path / "out")
    assert "What labels are worth" in (tmp_path / "out" / "report.html").read_text()


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
