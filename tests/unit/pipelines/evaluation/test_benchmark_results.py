"""What a benchmark found, as files: nothing counted twice, and every figure where a reader looks for it."""

import json

import pytest

from ringwatch.pipelines.evaluation.benchmarks.ceilings import Ceilings
from ringwatch.pipelines.evaluation.benchmarks.pipeline import FIRST, NEXT, PipelineCost
from ringwatch.pipelines.evaluation.benchmarks.results import write_results

pytestmark = pytest.mark.unit


def _line(phase, step, seconds, rows=10):
    return {"phase": phase, "step": step, "rows": rows, "seconds": seconds, "rows_per_s": 0, "peak_mb": 100}


def _cost(n_accounts, **shares):
    lines = [
        _line(FIRST, "check", 1.0),
        _line(FIRST, "check", 2.0),
        _line(FIRST, "neo4j-admin import", 4.0),
        _line(FIRST, "load", 5.0),
        _line(NEXT, "read graph", 7.0),
        _line(NEXT, "snapshot", 8.0),
    ]
    ceilings = Ceilings(1, 2, 3, 4, 5, 6, 7)
    return PipelineCost(
        n_accounts, {"accounts": n_accounts}, {"Account": n_accounts}, lines, ceilings, shares, {"x": 9}
    )


def test_a_phase_takes_what_its_steps_take_and_not_their_parts_again():
    cost = _cost(1_000)
    assert cost.seconds(FIRST) == 8.0
    assert cost.seconds(NEXT) == 8.0
    assert cost.seconds(FIRST, "neo4j-admin import") == 4.0


def test_results_tables_and_plot_are_written_for_every_size(tmp_path):
    machine = {"n_cpus": 2, "cpu": "some", "memory_gb": 24, "neo4j_heap_mb": 1, "neo4j_pagecache_mb": 2}
    write_results(machine, [_cost(1_000, small=0.5), _cost(20_000, large=0.25)], tmp_path / "out")
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [size["n_accounts"] for size in found["sizes"]] == [1_000, 20_000]
    tables = (tmp_path / "out" / "tables.md").read_text()
    assert "| small | 0.50 |  |" in tables
    assert "| large |  | 0.25 |" in tables
    assert "| read_rows, a second | 7 | 7 |" in tables
    assert f"| {FIRST}: check | 20 | 3.0 | 7 | 100 |" in tables
    assert (tmp_path / "out" / "growth.svg").read_text().count("<svg") == 1
