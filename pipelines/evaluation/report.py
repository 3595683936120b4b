"""The evaluation as files: metrics.json, and report.html with its plots inside, which opens without a network."""

import html
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from matplotlib.axes import Axes

from ringwatch.models.evaluation.metrics import CAMPAIGN_FOUND
from ringwatch.pipelines.common.html_page import figure, page, table

Report = dict[str, Any]

_MIN_ACTIVE = 10
_SHOWN = ("ours", "trees, neighbour aggregates", "trees, account features", "label propagation", "Fraudar", "oracle")


def write_report(reports: Sequence[Report], folder: Path) -> None:
    """Write both files of some worlds' evaluations."""
    _write(reports, _body(reports), folder)


def write_hindsight(reports: Sequence[Report], folder: Path) -> None:
    """Write both files of stored nights' evaluations."""
    judged = ", ".join(
        f"{each['name']}: {each['ranking']['n_judged']:,} by {each['model_version']}" for each in reports
    )
    parts = [
        "<h1>How right earlier nights were</h1><p>Accounts whose label became known after the night. They are no fair"
        f" sample: what looked bad was looked at first. {html.escape(judged)}.</p>",
        _ranking_table(reports),
        figure(partial(_plot_precision_recall, reports[-1]), f"Precision against recall, {reports[-1]['name']}."),
        figure(partial(_plot_reliability, reports), "What a score said, and what turned out true."),
    ]
    _write(reports, "\n".join(parts), folder)


def _write(reports: Sequence[Report], body: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(reports, indent=1) + "\n")
    (folder / "report.html").write_text(page("Evaluation", body))


def _body(reports: Sequence[Report]) -> str:
    ranked = [each for each in reports if each["ranking"]]
    worlds = f"{len(reports)} worlds of {reports[0]['n_accounts']:,} accounts, scenario {reports[0]['scenario']}"
    parts = [f"<h1>How detection does</h1><p>{html.escape(worlds)}. Accounts not yet labelled, true prevalence.</p>"]
    if ranked:
        parts.append("<h2>Ranking accounts</h2>" + _ranking_table(ranked))
        parts.append(figure(partial(_plot_precision_recall, ranked[0]), "Precision against recall, first seed."))
        parts.append(figure(partial(_plot_reliability, ranked), "What a score says, and what is true of it."))
        parts.append("<h2>Campaigns</h2>" + _campaign_table(reports))
        caption = "Share of each large campaign's active members that are suspicious, by night, first seed."
        parts.append(figure(partial(_plot_campaigns, ranked[0]), caption))
        if any(any(each["evasion_budgets"].values()) for each in ranked):
            caption = "What campaigns with ten or more active members spend on fresh identifiers, and the share found."
            parts.append("<h2>Evasion</h2>" + figure(partial(_plot_evasion, ranked), caption))
        parts.append("<h2>Evidence</h2>" + _evidence_table(ranked))
    parts.append("<h2>By night</h2>" + _night_table(reports))
    parts.append("<h2>Rings</h2>" + _rings_table(reports))
    parts.append("<h2>Harm</h2>" + _harm_table(reports))
    return "\n".join(parts)


def _ranking_table(reports: Sequence[Report]) -> str:
    names = list(reports[0]["ranking"]["metrics"])
    head = ["", "AP", "by seed", "recall at 99 %", "recall at 95 %", "recall at K", "AUROC", "calibration error"]
    fields = ("recall_at_precision_99", "recall_at_precision_95", "recall_at_k", "auroc", "calibration_error")
    rows = []
    for name in names:
        metrics = [each["ranking"]["metrics"][name] for each in reports]
        ap = [each["average_precision"] for each in metrics]
        means = (f"{fmean(each[field] for each in metrics):.3f}" for field in fields)
        rows.append([name, f"{fmean(ap):.3f} ± {pstdev(ap):.3f}", " ".join(f"{each:.3f}" for each in ap), *means])
    lead = [each["ranking"]["ours_less_trees"] for each in reports]
    said = ", ".join(f"{each['average_precision']:+.3f} ± {each['standard_error']:.3f}" for each in lead)
    return table(head, rows) + f"<p>Ours less trees with neighbour aggregates (paired bootstrap): {said}.</p>"


def _campaign_table(reports: Sequence[Report]) -> str:
    head = ["campaign", "seed", "active", "type was labelled", "suspicious by the last night", "found in night"]
    rows = []
    for report in reports:
        for name, each in sorted(report["campaigns"].items(), key=lambda item: -item[1]["n_active"]):
            if each["is_large"]:
                share = each["share_suspicious_by_night"][-1]
                night = each["nights_to_found"] or "never"
                labelled = "yes" if each["type_was_labelled"] else "no"
                rows.append([name, report["seed"], f"{each['n_active']:,}", labelled, f"{share:.0%}", night])
    return table(head, rows)


def _night_table(reports: Sequence[Report]) -> str:
    head = ["", "night", "suspicious: precision", "recall", "listed: precision", "recall"]
    rows = []
    for report in reports:
        for night in report["by_night"]:
            figures = (night[who][what] for who in ("suspicious", "listed") for what in ("precision", "recall"))
            rows.append([report["name"], night["date"], *("" if each is None else f"{each:.3f}" for each in figures)])
    return table(head, rows)


def _rings_table(reports: Sequence[Report]) -> str:
    head = ["seed", "rings", "purity", "B-cubed F1, campaigns", "precision", "recall", "B-cubed F1, groups"]
    rows = []
    for report in reports:
        one, other = report["rings"]["against_campaigns"], report["rings"]["against_groups"]
        figures = (
            one["purity"],
            one["b_cubed_f1"],
            one["b_cubed_precision"],
            one["b_cubed_recall"],
            other["b_cubed_f1"],
        )
        rows.append([report["seed"], one["n_rings"], *(f"{figure:.3f}" for figure in figures)])
    return table(head, rows)


def _evidence_table(reports: Sequence[Report]) -> str:
    head = ["seed", "accounts", "log-odds fall by named evidence", "by random", "named falls more"]
    rows = []
    for report in reports:
        found = report["ranking"]["evidence"]
        falls = (f"{found['fall_named']:.2f}", f"{found['fall_random']:.2f}", f"{found['share_named_falls_more']:.0%}")
        rows.append([report["seed"], found["n_accounts"], *falls])
    return "<p>What its evidence names is taken from an account, or as much at random.</p>" + table(head, rows)


def _harm_table(reports: Sequence[Report]) -> str:
    head = ["", "accounts", "suspicious", "banned"]
    fields = ("accounts", "suspicious", "banned")
    kinds = sorted({kind for report in reports for kind in report["harm_by_kind"]})
    rows = [["fakes", "", *(f"{sum(each[name]['fakes'] for each in reports):,}" for name in ("suspicious", "banned"))]]
    for kind in kinds:
        of_kind = [each["harm_by_kind"][kind] for each in reports if kind in each["harm_by_kind"]]
        rows.append([kind, *(f"{sum(each[field] for each in of_kind):,}" for field in fields)])
    return f"<p>All seeds together. {_of_groups(reports)}</p>" + table(head, rows)


def _of_groups(reports: Sequence[Report]) -> str:
    def total(what: str, which: str) -> str:
        return f"{sum(each[what][which] for each in reports):,}"

    lawful, contested = "cleared_as_lawful", "contested"
    return (
        f"{total(lawful, 'groups')} groups that raised a question were cleared as lawful: {total(lawful, 'ordinary')}"
        f" ordinary accounts, {total(lawful, 'fakes')} fakes. Of people's findings {total(contested, 'ordinary')} about"
        f" ordinary accounts and {total(contested, 'fakes')} about fakes wait for a second person's."
    )


def _plot_precision_recall(report: Report, axes: Axes) -> None:
    curves = report["ranking"]["precision_recall"]
    for name in (each for each in _SHOWN if each in curves):
        recall, precision = curves[name]
        axes.plot(recall, precision, label=name, linewidth=2.5 if name == "ours" else 1.2)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(fontsize="small")


def _plot_reliability(reports: Sequence[Report], axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color="#bbb", linestyle="--")
    for report in reports:
        said, true, _ = report["ranking"]["reliability"]
        axes.plot(said, true, marker="o", label=report["name"])
    axes.set(xlabel="score", ylabel="share that is fake", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(fontsize="small")


def _plot_campaigns(report: Report, axes: Axes) -> None:
    for name, each in report["campaigns"].items():
        if each["is_large"]:
            shares = [float("nan") if share is None else share for share in each["share_suspicious_by_night"]]
            axes.plot(range(1, len(shares) + 1), shares, marker="o", label=name)
    axes.axhline(CAMPAIGN_FOUND, color="#bbb", linestyle="--")
    axes.set(xlabel="night", ylabel="share suspicious", ylim=(0, 1.02))
    axes.legend(fontsize="small")


def _plot_evasion(reports: Sequence[Report], axes: Axes) -> None:
    for report in reports:
        large = {name: each for name, each in report["campaigns"].items() if each["n_active"] >= _MIN_ACTIVE}
        budgets = [report["evasion_budgets"][name] for name in large]
        axes.scatter(budgets, [each["share_suspicious_by_night"][-1] for each in large.values()], s=14)
    axes.set(xlabel="share of identifiers bought afresh", ylabel="share suspicious", ylim=(-0.02, 1.02))
