"""The command `benchmark pipeline`."""

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringwatch.pipelines.cli.app import Json, progress, show
from ringwatch.pipelines.cli.evaluation import benchmark_app
from ringwatch.pipelines.cli.tables import Table, counts_table
from ringwatch.pipelines.cli.worlds import Seed
from ringwatch.pipelines.common.settings import read_settings

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from ringwatch.pipelines.evaluation.benchmarks.pipeline import PipelineCost


@benchmark_app.command("pipeline")
def benchmark_pipeline(
    accounts: Annotated[
        list[int] | None, typer.Option(min=1_000, help="Accounts of the platform; may be given again, for growth.")
    ] = None,
    seed: Seed = 0,
    folder: Annotated[
        Path | None, typer.Option("--in", help="Where to work; by default a temporary folder. About 6 KB an account.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option("--out", help="Write results.json, tables.md and growth.svg into this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Time every step of nights on a simulated platform, and the server's limits, in a Neo4j of its own."""
    from ringwatch.infra.neo4j import server as neo4j_server
    from ringwatch.pipelines.evaluation.benchmarks.pipeline import describe_machine, measure_pipeline
    from ringwatch.pipelines.evaluation.benchmarks.results import as_document, write_results
    from ringwatch.pipelines.graph.client import connect
    from ringwatch.pipelines.simulate import Arguments, simulate

    costs, given = [], read_settings()
    with progress():
        for n_accounts in accounts or [10_000]:
            with tempfile.TemporaryDirectory(prefix="ringwatch-benchmark-", dir=folder) as work:
                settings = given.model_copy(update={"home": Path(work) / "home", "exports": None, "neo4j_uri": None})
                _log.info("simulating %s accounts", f"{n_accounts:,}")
                simulate(Arguments(n_accounts, 1, 29, seed, "disclosure"), Path(work) / "world")
                neo4j_server.start(settings)
                try:
                    with connect(settings) as driver:
                        costs.append(measure_pipeline(settings, driver, Path(work) / "world"))
                finally:
                    neo4j_server.stop(settings)
    machine = describe_machine(given)
    if results:
        write_results(machine, costs, results)
    if as_json:
        show(as_document(machine, costs), as_json)
        return
    for cost in costs:
        show(cost, False, _cost_lines)


def _cost_lines(cost: "PipelineCost") -> list[Any]:
    return [
        _steps_table(cost),
        "records a second: " + ", ".join(f"{k} {v:,.0f}" for k, v in vars(cost.ceilings).items() if v),
        "; ".join(f"{name}: {value:,.2f}" for name, value in cost.shares.items()),
        "held at most, MB: " + ", ".join(f"{k} {v:,}" for k, v in cost.peak_mb.items()),
    ]


def _steps_table(cost: "PipelineCost") -> Table:
    from ringwatch.pipelines.evaluation.benchmarks.results import lines_by_step

    table = counts_table(f"{cost.n_accounts:,} accounts", "", "rows", "seconds", "rows a second", "peak MB")
    for step, rows, seconds, peak in lines_by_step(cost):
        table.add_row(step, f"{rows:,}", f"{seconds:,.1f}", f"{rows / max(seconds, 0.001):,.0f}", f"{peak:,}")
    return table
