"""Commands of the nights: import, load, backfill, train, detect, nightly."""

import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ringwatch.pipelines.cli.app import Day, Json, Landing, app, as_data, day_of, err, progress, show
from ringwatch.pipelines.cli.tables import Table, number
from ringwatch.pipelines.common.progress import percent_logger
from ringwatch.pipelines.common.settings import read_settings

_log = logging.getLogger(__name__)

import_app = typer.Typer(no_args_is_help=True, help="Convert published data to a landing zone.")
app.add_typer(import_app, name="import")

_COLUMNS = ("rows_in", "loaded", "superseded", "quarantined", "held", "released", "expired", "fields_nulled")
_DROPPED = {
    "expired": 4,
    "released": 3,
    "superseded": 2,
    "fields_nulled": 1,
}


@import_app.command("p2p")
def import_p2p(
    source: Annotated[Path, typer.Argument(help="Folder with the P2P platform's Parquet files.")],
    landing: Annotated[Path, typer.Option("--landing", help="Folder to write the landing zone to.")],
    as_json: Json = False,
) -> None:
    """Convert the peer-to-peer payment platform's files to a landing zone that keeps the real dates."""
    from ringwatch.pipelines.evaluation.benchmarks.import_p2p import import_p2p as run_import

    with progress():
        result = run_import(source, landing, progress=percent_logger(_log, "writing partitions"))
    show(result, as_json)


@app.command()
def load(landing: Landing, date: Day, as_json: Json = False) -> None:
    """Load one night: check every signal, put it in the ledger, write what changed to the graph."""
    from ringwatch.pipelines.graph.client import connect
    from ringwatch.pipelines.nightly.load import load_night

    settings = read_settings()
    with progress(), connect(settings) as driver:
        counts = load_night(settings, driver, landing=landing, date=day_of(date))
    _show_counts(counts, as_json)


@app.command()
def backfill(
    landing: Landing,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First night.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last night.")],
    detect_every: Annotated[
        int | None, typer.Option(min=1, help="Also detect every so many nights; by default only the last.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Load every night of a period, and detect the last. Nights that have not changed are not loaded again."""
    from ringwatch.pipelines.graph.client import connect
    from ringwatch.pipelines.nightly.backfill import backfill as run_backfill

    settings = read_settings()
    with progress(), connect(settings) as driver:
        result = run_backfill(
            settings,
            driver,
            landing=landing,
            first=day_of(first),
            last=day_of(last),
            detect_every=detect_every,
        )
    if as_json:
        show(result, as_json)
        return
    show(_sum_nights(result.nights), False, _counts_table(f"{len(result.nights)} nights loaded"))
    if result.empty:
        err.print(f"{len(result.empty)} nights have no partition and were passed over.")
    for detection in result.detections:
        show(detection, False)


@app.command()
def train(
    date: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The night; by default the last loaded.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model on the labels known at a night; it becomes champion if it is not worse on held-out accounts."""
    from ringwatch.pipelines.graph.client import connect
    from ringwatch.pipelines.nightly.train import train as run_train

    settings = read_settings()
    with progress(), connect(settings) as driver:
        result = run_train(settings, driver, date=day_of(date) if date else None)
    show(result, as_json)


@app.command()
def detect(date: Day, as_json: Json = False) -> None:
    """Score the accounts of a night, find the rings, export both and write them to the graph."""
    from ringwatch.pipelines.graph.client import connect
    from ringwatch.pipelines.nightly.detect import detect as run_detect

    settings = read_settings()
    with progress(), connect(settings) as driver:
        result = run_detect(settings, driver, date=day_of(date))
    show(result, as_json)


@app.command()
def report(date: Day, as_json: Json = False) -> None:
    """Write the report of a detected night again, as `detect` does, and print where it is."""
    from ringwatch.pipelines.report import write_report

    show({"report": str(write_report(read_settings(), day_of(date)))}, as_json)


@app.command()
def nightly(landing: Landing, date: Day, as_json: Json = False) -> None:
    """Run a whole night: load, train when it is due, detect, propose a ban list."""
    from ringwatch.pipelines.graph.client import connect
    from ringwatch.pipelines.nightly.nightly import nightly as run_nightly

    settings = read_settings()
    with progress(), connect(settings) as driver:
        result = run_nightly(settings, driver, landing=landing, date=day_of(date))
    if as_json:
        # The night's counts stand at the top, as `load` prints them.
        show({**result.counts, **{name: value for name, value in as_data(result).items() if name != "counts"}}, True)
        return
    _show_counts(result.counts, False)
    for step in (result.trained, result.detected, result.proposed):
        if step is not None:
            show(step, False)


def _show_counts(counts: dict[str, Any], as_json: bool) -> None:
    [(night, by_signal)] = counts.items()
    if as_json:
        show(counts, True)
        return
    show(by_signal, False, _counts_table(f"night of {night}"))
    for name, each in by_signal.items():
        for note in each["notes"]:
            err.print(f"{name}: {note}", soft_wrap=True)


def _counts_table(title: str) -> Any:
    def lines(by_signal: Mapping[str, Mapping[str, Any]]) -> Table:
        table = Table("signal", *(number(name, drop=_DROPPED.get(name, 0)) for name in _COLUMNS), title=title)
        for name, counts in by_signal.items():
            table.add_row(name, *(f"{counts[column]:,}" for column in _COLUMNS))
        return table

    return lines


def _sum_nights(nights: dict[str, dict[str, Any]]) -> dict[str, dict[str, int]]:
    total: dict[str, dict[str, int]] = {}
    for by_signal in nights.values():
        for name, counts in by_signal.items():
            row = total.setdefault(name, dict.fromkeys(_COLUMNS, 0))
            for column in _COLUMNS:
                row[column] += counts[column]
    return total
