"""Commands of the analysts' guide: export, serve, and what its queries cost."""

from pathlib import Path
from typing import Annotated

import typer

from ringwatch.pipelines.cli.app import Json, app, err, progress, show
from ringwatch.pipelines.cli.evaluation import benchmark_app
from ringwatch.pipelines.cli.tables import Table, counts_table
from ringwatch.pipelines.common.settings import read_settings

guide_app = typer.Typer(
    no_args_is_help=True,
    help="The analysts' guide in Neo4j Browser. The embedded Neo4j opens it by itself; this is for a Neo4j elsewhere.",
)
app.add_typer(guide_app, name="guide")


@guide_app.command("export")
def export(
    folder: Annotated[Path, typer.Option("--out", help="Folder to write guide, style and saved queries to.")],
    url: Annotated[
        str | None, typer.Option("--url", help="Where RINGWATCH_HOME/desk will be served, for the link to the report.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the guide as of the newest night for a web server of your own, and queries to import."""
    from ringwatch.infra.analyst_server.server import desk_files

    folder.mkdir(parents=True, exist_ok=True)
    for name, content in desk_files(read_settings().desk_dir, url).items():
        (folder / name).write_text(content())
    show({"folder": str(folder), "files": sorted(path.name for path in folder.iterdir())}, as_json)


@guide_app.command("serve")
def serve(
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="On 127.0.0.1; another one if it is taken.")
    ] = 8001,
) -> None:
    """Serve guide, style and reports to a Neo4j Browser on this machine, until Ctrl-C."""
    import secrets

    from ringwatch.infra.analyst_server.server import make_server
    from ringwatch.infra.process.ports import HOST, free_port

    port, secret = free_port([port]), secrets.token_urlsafe(16)
    with make_server(read_settings().desk_dir, port, secret) as server:
        base = f"http://{HOST}:{port}/{secret}"
        err.print(f"in Neo4j Browser:\n  :style {base}/ringwatch.grass\n  :guide {base}/guide.html", soft_wrap=True)
        err.print(f"where neo4j.conf says browser.remote_content_hostname_whitelist={HOST}", soft_wrap=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            err.print("stopped")


@benchmark_app.command("guide")
def benchmark_guide(
    asked: Annotated[
        int, typer.Option("--asked", min=1, help="How many of the largest rings and busiest accounts to ask about.")
    ] = 5,
    as_json: Json = False,
) -> None:
    """Run every query of the guide against the graph: rows, widest step, db hits, milliseconds."""
    from ringwatch.pipelines.evaluation.benchmarks.guide import QueryCost, measure_guide
    from ringwatch.pipelines.graph.client import connect

    def lines(costs: list[QueryCost]) -> Table:
        table = counts_table("the most expensive of each", "query", "rows", "widest", "db hits", "first ms", "again ms")
        for each in costs:
            counts = (each.n_rows, each.n_widest, each.n_db_hits)
            table.add_row(each.name, *(f"{n:,}" for n in counts), f"{each.first_ms:.0f}", f"{each.again_ms:.0f}")
        return table

    with progress(), connect(read_settings()) as driver:
        costs = measure_guide(driver, n_asked=asked)
    show(costs, as_json, lines)
