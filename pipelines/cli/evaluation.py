"""Commands that judge detection: evaluate."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from pipelines.cli.app import Json, app, as_data, counts_table, err, out, progress, show
from pipelines.cli.worlds import Accounts, History, Knobs, Nights, Scenario, Seed, Vary, read_knobs


@app.command()
def evaluate(
    accounts: Accounts = 50_000,
    nights: Nights = 8,
    history_days: History = 30,
    seed: Seed = 0,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many worlds, of consecutive seeds.")] = 5,
    scenario: Scenario = "disclosure",
    vary: Vary = 0.0,
    knobs: Knobs = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Folder to write metrics.json and report.html to.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play simulated nights against the detector, and judge it beside every baseline, on accounts not yet labelled."""
    from pipelines.evaluation import evaluate_world
    from pipelines.simulate import Arguments

    reports = []
    with progress() as say:
        for each in range(seed, seed + seeds):
            arguments = Arguments(accounts, nights, history_days, each, scenario, vary, read_knobs(knobs))
            reports.append(as_data(evaluate_world(arguments, say)))
    if folder is not None:
        from pipelines.evaluation_report import write_report

        write_report(reports, folder)
        err.print(f"report: {folder / 'report.html'}", soft_wrap=True)
    show(reports, as_json, _ranking_table)
    if not as_json:
        out.print(_finding_table(reports))


def _ranking_table(reports: list[dict[str, Any]]) -> Table:
    judged = [each for each in reports if each["ranking"]]
    table = counts_table("AP on accounts not yet labelled, by seed", "model", *(str(each["seed"]) for each in judged))
    for name in judged[0]["ranking"]["metrics"] if judged else ():
        by_seed = (each["ranking"]["metrics"][name]["average_precision"] for each in judged)
        table.add_row(name, *(f"{value:.3f}" for value in by_seed))
    return table


def _finding_table(reports: list[dict[str, Any]]) -> Table:
    table = counts_table("what was found, by seed", "", *(str(each["seed"]) for each in reports))

    for who in ("fakes", "ordinary"):
        table.add_row(f"{who} suspicious", *(f"{each['suspicious'][who]:,}" for each in reports))
        table.add_row(f"{who} banned by score", *(f"{each['banned'][who]:,}" for each in reports))
        table.add_row(f"{who} banned by a person", *(f"{each['banned_by_a_person'][who]:,}" for each in reports))
    table.add_row("rings, B-cubed F1", *(f"{each['rings']['against_campaigns']['b_cubed_f1']:.3f}" for each in reports))
    table.add_row("large campaigns found", *(_n_found(each["campaigns"]) for each in reports))
    return table


def _n_found(campaigns: dict[str, Any]) -> str:
    large = [each for each in campaigns.values() if each["is_large"]]
    return f"{sum(each['nights_to_found'] is not None for each in large)} of {len(large)}"
