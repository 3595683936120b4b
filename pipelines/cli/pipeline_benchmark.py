"""The command `benchmark pipeline`."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from pipelines.cli.app import Json, counts_table, out, progress, show
from pipelines.cli.evaluation import benchmark_app
from pipelines.cli.worlds import Seed
from pipelines.settings import read_settings


@benchmark_app.command("pipeline")
def benchmark_pipeline(
    accounts: Annotated[
        list[int] | None, typer.Option(min=1_000, help="Accounts of the platform; may be given again, for growth.")
    ] = None,
    seed: Seed = 0,
    folder: Annotated[
        Path | None, typer.Option("--in", help="Where to work; by default a temporary folder. About 6 KB an account.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw seconds and memory by size into this SVG file.")] = None,
    as_json: Json = False,
) -> None:
    """Time every step of nights on a simulated platform, beside the server's ceilings, in a Neo4j of its own."""
    from infra import neo4j_server
    from pipelines.growth_plot import draw_growth
    from pipelines.neo4j_client import connect
    from pipelines.pipeline_benchmark import describe_machine, measure_pipeline
    from pipelines.simulate import Arguments, simulate

    costs, given = [], read_settings()
    with progress() as say:
        for n_accounts in accounts or [10_000]:
            with tempfile.TemporaryDirectory(prefix="ringwatch-benchmark-", dir=folder) as work:
                settings = given.model_copy(update={"home": Path(work) / "home", "exports": None, "neo4j_uri": None})
                say(f"simulating {n_accounts:,} accounts")
                simulate(Arguments(n_accounts, 1, 29, seed, "disclosure"), Path(work) / "world")
                neo4j_server.start(settings)
                try:
                    with connect(settings) as driver:
                        costs.append(measure_pipeline(settings, driver, Path(work) / "world", say))
                finally:
                    neo4j_server.stop(settings)
    if plot:
        draw_growth(costs, plot)
    if as_json:
        show({"machine": describe_machine(given), "sizes": [asdict(cost) for cost in costs]}, as_json)
        return
    for cost in costs:
        out.print(_steps_table(f"{cost.n_accounts:,} accounts", cost.steps))
        out.print("records a second: " + ", ".join(f"{k} {v:,.0f}" for k, v in vars(cost.ceilings).items()))
        out.print("; ".join(f"{name}: {value:,.2f}" for name, value in cost.shares.items()))
        out.print("held at most, MB: " + ", ".join(f"{k} {v:,}" for k, v in cost.peak_mb.items()))


def _steps_table(title: str, steps: list[dict[str, Any]]) -> Table:
    """Lines of one step in one phase together, as those of a load's batches are."""
    table = counts_table(title, "", "rows", "seconds", "rows a second", "peak MB")
    for phase, step in dict.fromkeys((line["phase"], line["step"]) for line in steps):
        lines = [line for line in steps if (line["phase"], line["step"]) == (phase, step)]
        rows, seconds = (sum(line[key] for line in lines) for key in ("rows", "seconds"))
        rate, peak = rows / max(seconds, 0.001), max(line["peak_mb"] for line in lines)
        table.add_row(f"{phase}: {step}", f"{rows:,}", f"{seconds:,.1f}", f"{rate:,.0f}", f"{peak:,}")
    return table
