"""The benchmark of nights, on a platform so small that it is over soon."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ringwatch.pipelines.cli import app
from ringwatch.pipelines.evaluation.benchmarks.pipeline import AGAIN, FIRST, NEXT, TRAINING


@pytest.mark.timeout(900)
def test_every_step_of_every_phase_is_measured_beside_the_limits(tmp_path: Path) -> None:
    arguments = ["benchmark", "pipeline", "--accounts", "1000", "--in", str(tmp_path), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    [size] = json.loads((tmp_path / "out" / "results.json").read_text())["sizes"]
    steps = {(line["phase"], line["step"]) for line in size["steps"]}
    for phase in (FIRST, NEXT):
        of_night = ("check", "stage", "write", "load", "snapshot", "score", "rings", "export", "write back")
        assert {(phase, step) for step in of_night} <= steps
    assert {(TRAINING, "epoch"), (AGAIN, "read graph")} <= steps
    assert all(value > 0 for value in size["ceilings"].values())
    assert all(value > 0 for value in size["shares"].values())
    assert {"ringwatch", "neo4j"} <= size["peak_mb"].keys()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("ringwatch-benchmark")]
