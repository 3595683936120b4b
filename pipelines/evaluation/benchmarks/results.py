"""What platforms of several sizes took, as files to read: results.json, tables.md, and growth.svg.

In the plot linear growth is as steep as the dotted line.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ringwatch.pipelines.common.plots import as_svg
from ringwatch.pipelines.evaluation.benchmarks.pipeline import AGAIN, FIRST, LOADS, NEXT, TRAINING, PipelineCost

_DRAWN = {
    "first load": (FIRST, LOADS),
    "graph read in full": (AGAIN, ("read graph",)),
    "training": (TRAINING, ("train",)),
    "score": (NEXT, ("score",)),
    "load of 1 %": (NEXT, LOADS),
    "night of 1 %": (NEXT, ()),
}


def write_results(machine: dict[str, Any], costs: Sequence[PipelineCost], folder: Path) -> None:
    """Write them into a folder; costs come with the smallest platform first."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(as_document(machine, costs), indent=1) + "\n")
    (folder / "tables.md").write_text("\n".join(_tables(machine, costs)) + "\n")
    (folder / "growth.svg").write_text(_growth(costs))


def as_document(machine: dict[str, Any], costs: Sequence[PipelineCost]) -> dict[str, Any]:
    """All that was found, of what JSON can hold."""
    return {"machine": machine, "sizes": [asdict(cost) for cost in costs]}


def lines_by_step(cost: PipelineCost) -> Iterator[tuple[str, int, float, int]]:
    """Phase and step, rows, seconds, and peak MB: lines of one step in one phase together, as those of nights are."""
    for phase, step in dict.fromkeys((line["phase"], line["step"]) for line in cost.steps):
        lines = [line for line in cost.steps if (line["phase"], line["step"]) == (phase, step)]
        rows, seconds = sum(line["rows"] for line in lines), sum(line["seconds"] for line in lines)
        yield f"{phase}: {step}", rows, seconds, max(line["peak_mb"] for line in lines)


# Tables ---------------------------------------------------------------------------------------------


def _tables(machine: dict[str, Any], costs: Sequence[PipelineCost]) -> Iterator[str]:
    yield "# What nights take\n"
    yield f"Measured in one run on {machine['n_cpus']} cores ({machine['cpu']}), {machine['memory_gb']} GB; Neo4j had"
    yield f"{machine['neo4j_heap_mb']} MB of heap and {machine['neo4j_pagecache_mb']} MB of page cache.\n"
    yield "![seconds and memory by size](growth.svg)\n"
    sizes = [f"{cost.n_accounts:,} accounts" for cost in costs]
    rates = [{f"{name}, a second": rate for name, rate in vars(cost.ceilings).items()} for cost in costs]
    yield from _table(
        ["", *sizes],
        [
            ["rows delivered before the first load", *(f"{sum(cost.rows.values()):,}" for cost in costs)],
            ["nodes and relationships", *(f"{sum(cost.records.values()):,}" for cost in costs)],
            *_by_name([cost.shares for cost in costs], "{:,.2f}"),
            *_by_name([{f"{k}, MB at most": v for k, v in cost.peak_mb.items()} for cost in costs], "{:,}"),
            *_by_name(rates, "{:,.0f}"),
        ],
    )
    for cost in costs:
        yield f"\n## {cost.n_accounts:,} accounts\n"
        yield "Rows: " + ", ".join(f"{n:,} {name}" for name, n in cost.rows.items()) + ".\n"
        rows = [
            [step, f"{n:,}", f"{seconds:,.1f}", f"{n / max(seconds, 0.001):,.0f}", f"{peak:,}"]
            for step, n, seconds, peak in lines_by_step(cost)
        ]
        yield from _table(["", "rows", "seconds", "rows a second", "peak MB"], rows)


def _by_name(found: Sequence[dict[str, Any]], form: str) -> Iterator[list[str]]:
    """A row a name, a column a size; empty where a size has no such figure."""
    for name in dict.fromkeys(name for each in found for name in each):
        yield [name, *(form.format(each[name]) if name in each else "" for each in found)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|---" + "|---:" * (len(head) - 1) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


# Plot -----------------------------------------------------------------------------------------------


def _growth(costs: Sequence[PipelineCost]) -> str:
    drawn = Figure(figsize=(10, 4.2), layout="constrained")
    seconds, memory = drawn.subplots(1, 2)
    sizes = [cost.n_accounts for cost in costs]
    for name, (phase, steps) in _DRAWN.items():
        seconds.plot(sizes, [cost.seconds(phase, *steps) or float("nan") for cost in costs], "o-", label=name)
    for name in dict.fromkeys(name for cost in costs for name in cost.peak_mb):
        memory.plot(sizes, [cost.peak_mb.get(name, float("nan")) for cost in costs], "o-", label=name)
    for axes, what in ((seconds, "seconds"), (memory, "MB held at most")):
        _dress(axes, sizes, what)
    return as_svg(drawn)


def _dress(axes: Axes, sizes: Sequence[int], what: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    top = axes.get_ylim()[1]
    axes.plot(sizes, [top * size / max(sizes) for size in sizes], "k:", linewidth=1, label="linear")
    axes.set_xlabel("accounts")
    axes.set_ylabel(what)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
