"""The evaluation as files: metrics.json, and report.html with its plots inside, which opens without a network."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from matplotlib.axes import Axes

from ringwatch.graph_schema.templates import render
from ringwatch.models.evaluation.metrics import CAMPAIGN_FOUND
from ringwatch.pipelines.common.plots import draw

Report = dict[str, Any]
Table = tuple[list[str], list[list[object]]]

_TITLE = "Evaluation"
_MIN_ACTIVE = 10
_SHOWN = ("ours", "trees, neighbour aggregates", "trees, account features", "label propagation", "Fraudar", "oracle")


def write_report(reports: Sequence[Report], folder: Path) -> None:
    """Write both files of some worlds' evaluations."""
    ranked = [each for each in reports if each["ranking"]]
    facts = {
        "worlds": f"{len(reports)} worlds of {reports[0]['n_accounts']:,} accounts, scenario {reports[0]['scenario']}",
        "ranking": None,
        "by_night": _night_table(reports),
        "rings": _rings_table(reports),
        "harm": _harm_table(reports),
        "groups": _of_groups(reports),
        "framing": _framing_table(reports),
    }
    plots: dict[str, str | None] = {}
    if ranked:
        facts |= {
            "ranking": _ranking_table(ranked),
            "lead": _lead(ranked),
            "campaigns": _campaign_table(reports),
            "evidence": _evidence_table(ranked),
        }
        evades = any(any(each["evasion_budgets"].values()) for each in ranked)
        plots = {
            "precision_recall": draw(partial(_plot_precision_recall, ranked[0])),
            "reliability": draw(partial(_plot_reliability, ranked)),
            "campaigns": draw(partial(_plot_campaigns, ranked[0])),
            "evasion": draw(partial(_plot_evasion, ranked)) if evades else None,
            "labels": draw(partial(_plot_label_curves, ranked)) if ranked[0]["label_curve"] else None,
        }
    _write(reports, render("pipelines/evaluation/report.html.j2", title=_TITLE, plots=plots, **facts), folder)


def write_hindsight(reports: Sequence[Report], folder: Path) -> None:
    """Write both files of stored nights' evaluations."""
    plots = {
        "precision_recall": draw(partial(_plot_precision_recall, reports[-1])),
        "reliability": draw(partial(_plot_reliability, reports)),
    }
    page = render(
        "pipelines/evaluation/hindsight.html.j2",
        title=_TITLE,
        judged=", ".join(
            f"{each['name']}: {each['ranking']['n_judged']:,} by {each['model_version']}" for each in reports
        ),
        ranking=_ranking_table(reports),
        lead=_lead(reports),
        newest=reports[-1]["name"],
        plots=plots,
    )
    _write(reports, page, folder)


def _write(reports: Sequence[Report], page: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(reports, indent=1) + "\n")
    (folder / "report.html").write_text(page)


def _ranking_table(reports: Sequence[Report]) -> Table:
    names = list(reports[0]["ranking"]["metrics"])
    head = ["", "AP", "by world", "recall at 99 %", "recall at 95 %", "recall at K", "AUROC", "calibration error"]
    fields = ("recall_at_precision_99", "recall_at_precision_95", "recall_at_k", "auroc", "calibration_error")
    rows: list[list[object]] = []
    for name in names:
        metrics = [each["ranking"]["metrics"][name] for each in reports]
        ap = [each["average_precision"] for each in metrics]
        means = (f"{fmean(each[field] for each in metrics):.3f}" for field in fields)
        rows.append([name, f"{fmean(ap):.3f} ± {pstdev(ap):.3f}", " ".join(f"{each:.3f}" for each in ap), *means])
    return head, rows


def _lead(reports: Sequence[Report]) -> str:
    leads = [each["ranking"]["ours_less_trees"] for each in reports]
    return ", ".join(f"{each['average_precision']:+.3f} ± {each['standard_error']:.3f}" for each in leads)


def _campaign_table(reports: Sequence[Report]) -> Table:
    head = ["campaign", "world", "active", "type was labelled", "suspicious by the last night", "found in night"]
    rows: list[list[object]] = []
    for report in reports:
        for name, each in sorted(report["campaigns"].items(), key=lambda item: -item[1]["n_active"]):
            if each["is_large"]:
                share = each["share_suspicious_by_night"][-1]
                night = each["nights_to_found"] or "never"
                labelled = "yes" if each["type_was_labelled"] else "no"
                rows.append([name, report["name"], f"{each['n_active']:,}", labelled, f"{share:.0%}", night])
    return head, rows


def _night_table(reports: Sequence[Report]) -> Table:
    head = ["", "night", "suspicious: precision", "recall", "listed: precision", "recall"]
    rows: list[list[object]] = []
    for report in reports:
        for night in report["by_night"]:
            figures = (night[who][what] for who in ("suspicious", "listed") for what in ("precision", "recall"))
            rows.append([report["name"], night["date"], *("" if each is None else f"{each:.3f}" for each in figures)])
    return head, rows


def _rings_table(reports: Sequence[Report]) -> Table:
    head = ["world", "rings", "purity", "B-cubed F1, campaigns", "precision", "recall", "B-cubed F1, groups"]
    rows: list[list[object]] = []
    for report in reports:
        one, other = report["rings"]["against_campaigns"], report["rings"]["against_groups"]
        figures = (
            one["purity"],
            one["b_cubed_f1"],
            one["b_cubed_precision"],
            one["b_cubed_recall"],
            other["b_cubed_f1"],
        )
        rows.append([report["name"], one["n_rings"], *(f"{figure:.3f}" for figure in figures)])
    return head, rows


def _evidence_table(reports: Sequence[Report]) -> Table:
    head = ["world", "accounts", "log-odds fall by named evidence", "by random", "named falls more"]
    rows: list[list[object]] = []
    for report in reports:
        found = report["ranking"]["evidence"]
        falls = (f"{found['fall_named']:.2f}", f"{found['fall_random']:.2f}", f"{found['share_named_falls_more']:.0%}")
        rows.append([report["name"], found["n_accounts"], *falls])
    return head, rows


def _harm_table(reports: Sequence[Report]) -> Table:
    head = ["", "accounts", "suspicious", "banned"]
    fields = ("accounts", "suspicious", "banned")
    kinds = sorted({kind for report in reports for kind in report["harm_by_kind"]})
    rows: list[list[object]] = [
        ["fakes", "", *(f"{sum(each[name]['fakes'] for each in reports):,}" for name in ("suspicious", "banned"))]
    ]
    for kind in kinds:
        of_kind = [each["harm_by_kind"][kind] for each in reports if kind in each["harm_by_kind"]]
        rows.append([kind, *(f"{sum(each[field] for each in of_kind):,}" for field in fields)])
    return head, rows


def _framing_table(reports: Sequence[Report]) -> Table:
    """For each style what it costs and what it comes to, over all worlds; no rows but in the scenario `framing`."""
    head = ["what attackers do", "accounts", "kinds", "victims", "score before", "after", "suspicious", "listed"]
    rows: list[list[object]] = []
    for styles in zip(*(report["framing"] for report in reports), strict=True):
        sums = [sum(each[what] for each in styles) for what in ("victims", "suspicious", "listed")]
        scores = [_mean_score([each[what] for each in styles]) for what in ("score_before", "score_after")]
        first = styles[0]
        rows.append([first["about"], first["n_accounts"], first["n_kinds"], sums[0], *scores, *sums[1:]])
    return head, rows


def _mean_score(scores: Sequence[float | None]) -> str:
    known = [each for each in scores if each is not None]
    return f"{fmean(known):.3f}" if known else ""


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


def _plot_label_curves(reports: Sequence[Report], axes: Axes) -> None:
    for number, report in enumerate(reports):
        points = report["label_curve"]
        known = [point["n_known_fakes"] for point in points]
        colour = f"C{number}"
        axes.plot(known, [point["ours"] for point in points], marker="o", color=colour, label=report["name"])
        trees = [float("nan") if point["trees"] is None else point["trees"] for point in points]
        axes.plot(known, trees, marker=".", color=colour, linestyle=":")
    axes.set(xscale="symlog", xlabel="known fakes", ylabel="average precision", ylim=(0, 1.02))
    axes.legend(fontsize="small")
