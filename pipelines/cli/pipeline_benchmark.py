"""The command `benchmark pipeline`."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from pipelines.cli.app import Json, counts_table, out, progress, show
from pipelines.cli.evaluation import benchmark_app
from pipelines.cli.worlds import Accounts, Seed
from pipelines.settings import read_settings


@benchmark_app.command("pipeline")
def benchmark_pipeline(
    accounts: Accounts = 10_000,
    seed: Seed = 0,
    folder: Annotated[
        Path | None, typer.Option("--in", help="Where to work; by default a temporary folder. About 6 KB an account.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Time every step of nights on a simulated platform, beside the server's ceilings, in a Neo4j of its own."""
    from infra import neo4j_server
    from pipelines.neo4j_client import connect
    from pipelines.pipeline_benchmark import measure_pipeline
    from pipelines.simulate import Arguments, simulate

    with progress() as say, tempfile.TemporaryDirectory(prefix="ringwatch-benchmark-", dir=folder) as work:
        given = read_settings()
        settings = given.model_copy(update={"home": Path(work) / "home", "exports": None, "neo4j_uri": None})
        say(f"simulating {accounts:,} accounts")
        simulate(Arguments(accounts, 1, 29, seed, "disclosure"), Path(work) / "world")
        status = neo4j_server.start(settings)
        try:
            with connect(settings) as driver:
                pid = status.pid or 0
                found = measure_pipeline(settings, driver, Path(work) / "world", server_pid=pid, say=say)
        finally:
            neo4j_server.stop(settings)
    show(found, as_json, lambda found: _steps_table(found.steps))
    if not as_json:
        out.print("records a second: " + ", ".join(f"{k} {v:,.0f}" for k, v in vars(found.ceilings).items()))
        out.print("share of the ceiling: " + ", ".join(f"{k} {v:.0%}" for k, v in found.shares.items()))
        out.print(f"Neo4j held at most {found.server_peak_mb:,} MB")


def _steps_table(steps: list[dict[str, Any]]) -> Table:
    """Lines of one step in one phase together, as those of a load's batches are."""
    table = counts_table("what each step took", "", "rows", "seconds", "rows a second", "peak MB")
    for phase, step in dict.fromkeys((line["phase"], line["step"]) for line in steps):
        lines = [line for line in steps if (line["phase"], line["step"]) == (phase, step)]
        rows, seconds = (sum(line[key] for line in lines) for key in ("rows", "seconds"))
        rate, peak = rows / max(seconds, 0.001), max(line["peak_mb"] for line in lines)
        table.add_row(f"{phase}: {step}", f"{rows:,}", f"{seconds:,.1f}", f"{rate:,.0f}", f"{peak:,}")
    return table
