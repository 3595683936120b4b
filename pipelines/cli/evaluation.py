"""Commands that judge detection: evaluate, benchmark."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringwatch.pipelines.cli.app import Json, app, as_data, err, out, progress, show
from ringwatch.pipelines.cli.tables import Table, counts_table
from ringwatch.pipelines.cli.worlds import Accounts, History, Knobs, Nights, Scenario, Seed, Seeds, Vary, read_knobs
from ringwatch.pipelines.common.progress import percent_logger
from ringwatch.pipelines.common.settings import read_settings

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from ringwatch.models.evaluation.public.public_tables import PublicTable

_PUBLISHED_METRICS = ("auroc", "average_precision", "f1")

benchmark_app = typer.Typer(
    no_args_is_help=True,
    help="Benchmarks on public data, by the protocol of the published figures; and what queries cost.",
)
app.add_typer(benchmark_app, name="benchmark")


@app.command()
def evaluate(
    accounts: Accounts = 50_000,
    nights: Nights = 8,
    history_days: History = 30,
    seed: Seed = 0,
    seeds: Seeds = 5,
    scenario: Scenario = "disclosure",
    vary: Vary = 0.0,
    knobs: Knobs = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Folder to write metrics.json and report.html to.")
    ] = None,
    reviews: Annotated[
        int,
        typer.Option(
            "--reviews",
            min=0,
            help="Questions that a simulated analyst answers after each night, 95 in 100 of them correctly.",
        ),
    ] = 0,
    world: Annotated[
        list[Path] | None,
        typer.Option(
            "--world",
            help="Evaluate a world that others made instead: a folder with landing/ and truth.parquet (account_id,"
            " is_fake, campaign, first_active_date). Once for each.",
        ),
    ] = None,
    with_label_curve: Annotated[
        bool,
        typer.Option("--label-curve", help="Also rank the last night with 0, 5, 20, 70, 200 and 1,000 known fakes."),
    ] = False,
    is_stored: Annotated[
        bool,
        typer.Option("--stored", help="Evaluate the nights detected here instead, by labels that became known since."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the detector over nights whose truth is known, and compare it with every baseline.

    Accounts that are not yet labelled are what counts. The nights are simulated, or a world's that others made.
    """
    if is_stored:
        _evaluate_stored(folder, as_json)
        return
    from ringwatch.pipelines.evaluation.worlds import evaluate_world, evaluate_world_of_others
    from ringwatch.pipelines.simulate import Arguments

    reports = []
    with progress():
        for others in world or ():
            judged = evaluate_world_of_others(
                others, n_nights=nights, n_reviews=reviews, with_label_curve=with_label_curve
            )
            reports.append(as_data(judged))
        for each in () if world else range(seed, seed + seeds):
            arguments = Arguments(accounts, nights, history_days, each, scenario, vary, read_knobs(knobs))
            judged = evaluate_world(arguments, n_reviews=reviews, with_label_curve=with_label_curve)
            reports.append(as_data(judged))
    if folder is not None:
        from ringwatch.pipelines.evaluation.report import write_report

        write_report(reports, folder)
        err.print(f"report: {folder / 'report.html'}", soft_wrap=True)
    show(reports, as_json, _ranking_table)
    if not as_json:
        out.print(_finding_table(reports), soft_wrap=True)
        for each in reports:
            for table in _tables_of(each):
                out.print(table, soft_wrap=True)


def _evaluate_stored(folder: Path | None, as_json: bool) -> None:
    from ringwatch.pipelines.evaluation.hindsight import evaluate_stored_nights

    with progress():
        reports = [as_data(each) for each in evaluate_stored_nights(read_settings())]
    if folder is not None:
        from ringwatch.pipelines.evaluation.report import write_hindsight

        write_hindsight(reports, folder)
        err.print(f"report: {folder / 'report.html'}", soft_wrap=True)
    show(reports, as_json, _ranking_table)


@benchmark_app.command("p2p")
def benchmark_p2p(
    source: Annotated[Path, typer.Argument(help="Folder with the P2P platform's Parquet files.")],
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds; each draws new folds.")] = 5,
    as_json: Json = False,
) -> None:
    """Rank the accounts of a real payment platform: five folds by whole components, beside boosted trees."""
    from ringwatch.pipelines.evaluation.benchmarks.p2p import benchmark_p2p as run

    with progress():
        report = run(source, n_seeds=seeds)
    show(report, as_json, _p2p_table)


@benchmark_app.command("tolokers")
def benchmark_tolokers(
    source: Annotated[Path, typer.Argument(help="tolokers.npz of the heterophilous graphs' repository.")],
    splits: Annotated[int, typer.Option("--splits", min=1, max=10, help="How many of the published splits.")] = 10,
    as_json: Json = False,
) -> None:
    """Rank crowd workers by whether they were banned: the published splits, beside boosted trees."""
    from ringwatch.pipelines.evaluation.benchmarks.public_tables import read_tolokers

    _benchmark_table(read_tolokers(source, splits), as_json)


@benchmark_app.command("s-ffsd")
def benchmark_s_ffsd(
    source: Annotated[Path, typer.Argument(help="S-FFSD.csv, gzip or not.")],
    splits: Annotated[int, typer.Option("--splits", min=1, help="The published split, and more of other seeds.")] = 1,
    as_json: Json = False,
) -> None:
    """Rank simulated card transactions: the published split, beside boosted trees."""
    from ringwatch.pipelines.evaluation.benchmarks.public_tables import read_s_ffsd

    _benchmark_table(read_s_ffsd(source, splits), as_json)


@benchmark_app.command("table")
def benchmark_table(
    source: Annotated[Path, typer.Argument(help="A .parquet, .csv or .csv.gz file, one row for each account.")],
    label: Annotated[str, typer.Option("--label", help="Column: 1 fake, 0 legitimate, empty not known.")],
    shared: Annotated[
        list[str], typer.Option("--shared", help="Column whose equal values tie accounts together: device, address.")
    ],
    number: Annotated[list[str] | None, typer.Option("--number", help="Column of numbers.")] = None,
    time: Annotated[
        list[str] | None, typer.Option("--time", help="Column of times; the first orders the rows.")
    ] = None,
    category: Annotated[list[str] | None, typer.Option("--category", help="Column of words.")] = None,
    folds: Annotated[int, typer.Option("--folds", min=2, help="Folds, of whole components.")] = 5,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Rank the accounts of any labelled table: folds of whole components over what is shared, beside boosted trees.

    A random split would put half of a ring into training and test on its other half.
    """
    from ringwatch.pipelines.evaluation.benchmarks.any_table import TableColumns, read_table

    columns = TableColumns(label, shared, number or (), time or (), category or ())
    _benchmark_table(read_table(source, columns, n_folds=folds, seed=seed), as_json)


def _benchmark_table(table: "PublicTable", as_json: bool) -> None:
    from ringwatch.models.evaluation.public.public_tables import evaluate_table

    with progress():
        report = evaluate_table(table, progress=percent_logger(_log, "learning"))
    show(report, as_json, _public_table)


def _public_table(report: dict[str, Any]) -> Table:
    import numpy as np

    splits = report["splits"]
    table = counts_table(f"mean and spread over {len(splits)} splits", "model", "AUROC", "AP", "F1")
    for name in splits[0]:
        figures = ([split[name][metric] for split in splits] for metric in _PUBLISHED_METRICS)
        table.add_row(name, *(f"{np.mean(each):.4f} ± {np.std(each):.4f}" for each in figures))
    for name, metrics in report["published"].items():
        published = (f"{metrics[metric]:.4f}" if metric in metrics else "" for metric in _PUBLISHED_METRICS)
        table.add_row(f"published: {name}", *published)
    return table


def _p2p_table(report: dict[str, Any]) -> Table:
    known = f"{report['n_fakes']} fakes known by {report['date']}, {report['n_fakes_charged_back']} by a chargeback"
    table = counts_table(known, "model", "seed", "AP", "AUROC", "AP by fold")
    for seed, models in report["seeds"].items():
        for name, figures in models.items():
            pooled = figures["pooled"]
            by_fold = " ".join(f"{fold['average_precision']:.2f}".lstrip("0") for fold in figures["folds"])
            table.add_row(name, str(seed), f"{pooled['average_precision']:.3f}", f"{pooled['auroc']:.3f}", by_fold)
    return table


def _ranking_table(reports: list[dict[str, Any]]) -> Table:
    judged = [each for each in reports if each["ranking"]]
    table = counts_table("AP on accounts not yet labelled", "model", *(each["name"] for each in judged))
    for name in judged[0]["ranking"]["metrics"] if judged else ():
        values = (each["ranking"]["metrics"][name]["average_precision"] for each in judged)
        table.add_row(name, *(f"{value:.3f}" for value in values))
    return table


def _finding_table(reports: list[dict[str, Any]]) -> Table:
    table = counts_table("what was found", "", *(each["name"] for each in reports))
    for who in ("fakes", "ordinary"):
        table.add_row(f"{who} suspicious", *(f"{each['suspicious'][who]:,}" for each in reports))
        table.add_row(f"{who} banned by score", *(f"{each['banned'][who]:,}" for each in reports))
        table.add_row(f"{who} banned by a person", *(f"{each['banned_by_a_person'][who]:,}" for each in reports))
        table.add_row(f"{who} contested", *(f"{each['contested'][who]:,}" for each in reports))
        table.add_row(f"{who} cleared as lawful", *(f"{each['cleared_as_lawful'][who]:,}" for each in reports))
    table.add_row("rings, B-cubed F1", *(f"{each['rings']['against_campaigns']['b_cubed_f1']:.3f}" for each in reports))
    table.add_row("large campaigns found", *(_n_found(each["campaigns"]) for each in reports))
    return table


def _tables_of(report: dict[str, Any]) -> Iterator[Table]:
    """What only some worlds have: their first labelled night, and what framing a person comes to."""
    if first := report.get("first_night"):
        table = counts_table(f"{report['name']}, first labelled night ({first['date']})", "", "AP")
        for name, metrics in first["metrics"].items():
            table.add_row(name, f"{metrics['average_precision']:.3f}")
        yield table
    if report["label_curve"]:
        table = counts_table(f"{report['name']}: AP by known fakes", "known fakes", "ours", "trees,\nneighbours")
        for point in report["label_curve"]:
            trees = "" if point["trees"] is None else f"{point['trees']:.3f}"
            table.add_row(f"{point['n_known_fakes']:,}", f"{point['ours']:.3f}", trees)
        yield table
    if report["framing"]:
        table = counts_table(
            f"{report['name']}: framing, by what attackers do", "", "accounts", "kinds", "victims", "score\nbefore",
            "score\nafter", "suspicious", "listed",
        )  # fmt: skip
        for each in report["framing"]:
            counts = (str(each[what]) for what in ("n_accounts", "n_kinds", "victims"))
            scores = ("" if each[what] is None else f"{each[what]:.3f}" for what in ("score_before", "score_after"))
            table.add_row(each["style"], *counts, *scores, str(each["suspicious"]), str(each["listed"]))
        yield table


def _n_found(campaigns: dict[str, Any]) -> str:
    large = [each for each in campaigns.values() if each["is_large"]]
    return f"{sum(each['nights_to_found'] is not None for each in large)} of {len(large)}"
