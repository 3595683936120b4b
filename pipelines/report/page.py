"""The report of a night as one page with its plots inside."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ringwatch.graph_schema.templates import render
from ringwatch.models.explain.wording import count
from ringwatch.models.registry.drift import SCORE, moves_with_time
from ringwatch.pipelines.common.plots import draw
from ringwatch.pipelines.report.facts import NightFacts, RingChange

Table = tuple[list[str], list[list[object]]]

_N_RINGS, _N_FEATURES = 15, 15
_KINDS = ("new", "grown", "smaller", "gone")
_COUNTS = ("rows_in", "loaded", "superseded", "quarantined", "held", "released", "expired", "fields_nulled")
_STEADY, _WARN, _PALE = "#3d6fb4", "#d1495b", "#b8bcc6"


def report_page(facts: NightFacts) -> str:
    """The page."""
    return render(
        "pipelines/report/night.html.j2",
        title=f"Night of {facts.run.date}",
        date=facts.run.date,
        summary=_summary(facts),
        held=facts.held,
        signals=_signals(facts),
        notes=_notes(facts),
        rings=count(facts.n_rings, "ring"),
        before=facts.before,
        changes=[_change(kind, rings) for kind, rings in _by_kind(facts).items() if rings],
        questions=_questions(facts),
        score_drift=f"{facts.run.drift[SCORE]:.3f}" if facts.run.drift else None,
        plots=_plots(facts),
    )


def _plots(facts: NightFacts) -> dict[str, str]:
    plots: dict[str, Callable[[Axes], None]] = {
        "rows": partial(_plot_rows, facts),
        "accounts": partial(_plot_lines, facts, {"suspicious": "n_suspicious", "watched": "n_watch"}),
        "scores": partial(_plot_scores, facts),
        "rings": partial(_plot_lines, facts, {"rings": "n_rings"}),
        "growth": partial(_plot_growth, _by_kind(facts)),
        "ages": partial(_plot_ages, facts),
    }
    if facts.run.drift:
        plots["drift"] = partial(_plot_drift, facts)
    return {name: draw(plot) for name, plot in plots.items()}


def _summary(facts: NightFacts) -> str:
    counts = facts.run.counts
    return (
        f"{counts['n_accounts']:,} accounts: {counts['n_suspicious']:,} suspicious, {counts['n_watch']:,} watched."
        f" Model {facts.model}."
    )


def _signals(facts: NightFacts) -> Table:
    """Of each signal that was delivered, what became of its rows."""
    found = {name: [counts[each] for each in _COUNTS] for name, counts in facts.load["counts"].items()}
    return ["signal", *_COUNTS], [[name, *(f"{n:,}" for n in counts)] for name, counts in found.items() if any(counts)]


def _notes(facts: NightFacts) -> list[str]:
    """What left the graph, and what was wrong with the load."""
    graph, notes = facts.load["graph"] or {}, []
    for what, words in (("removed", "taken off the graph"), ("retired", "retired, for nobody used them for long")):
        if changed := {name: n for name, n in graph.get(what, {}).items() if n}:
            notes.append(f"{', '.join(f'{n:,} {name}' for name, n in sorted(changed.items()))} {words}.")
    return [*notes, *facts.load["faults"]]


def _by_kind(facts: NightFacts) -> dict[str, list[RingChange]]:
    return {kind: [each for each in facts.rings if each.kind == kind] for kind in _KINDS}


def _change(kind: str, rings: Sequence[RingChange]) -> dict[str, Any]:
    """The rings of one kind of change: those that changed most, and how many there are beside them."""
    largest = sorted(rings, key=lambda each: (-abs(each.n_accounts - (each.was or 0)), each.ring_id))[:_N_RINGS]
    rows = [
        [each.ring_id, each.was or "", each.n_accounts or "", f"{each.fraud_score:.3f}", each.fraud_label]
        for each in largest
    ]
    rest = f"{len(rings) - _N_RINGS:,}" if len(rings) > _N_RINGS else None
    return {"title": f"{len(rings):,} {kind}", "rows": rows, "rest": rest}


def _questions(facts: NightFacts) -> str:
    kinds = Counter(each["kind"] for each in facts.questions)
    return ", ".join(count(n, kind) for kind, n in kinds.most_common()) or "nothing"


def _plot_rows(facts: NightFacts, axes: Axes) -> None:
    days = [f"{night['date']:%m-%d}" for night in facts.by_night]
    axes.bar(days, [night["rows_in"] for night in facts.by_night], color=_STEADY, label="read")
    axes.bar(days, [night["quarantined"] for night in facts.by_night], color=_WARN, label="quarantined")
    _name_nights(axes, days)
    axes.legend(fontsize="small")


def _plot_lines(facts: NightFacts, names: dict[str, str], axes: Axes) -> None:
    days = [f"{night['date']:%m-%d}" for night in facts.by_night]
    for label, name in names.items():
        axes.plot(days, [night[name] for night in facts.by_night], marker="o", label=label)
    axes.set_ylim(bottom=0)
    _name_nights(axes, days)
    axes.legend(fontsize="small")


def _name_nights(axes: Axes, days: Sequence[str]) -> None:
    """Names at most eight nights, which have room beside each other."""
    step = -(-len(days) // 8)
    axes.set_xticks(range(0, len(days), step), days[::step], fontsize="small")


def _plot_scores(facts: NightFacts, axes: Axes) -> None:
    edges = ["0", *(f"{edge:g}" for edge in facts.score_edges), "1"]
    names = [f"{low}-{high}" for low, high in pairwise(edges)]
    at, (then, now) = np.arange(len(names)), facts.score_shares
    axes.bar(at + 0.2, now[: len(names)], 0.4, color=_STEADY, label="tonight")
    if then:
        axes.bar(at - 0.2, then[: len(names)], 0.4, color=_PALE, label="training night")
    axes.set_yscale("log")
    axes.set_xticks(at, names, rotation=45, fontsize="x-small")
    axes.set_ylabel("share of accounts")
    axes.legend(fontsize="small")


def _plot_growth(kinds: dict[str, list[RingChange]], axes: Axes) -> None:
    for kind, changes in kinds.items():
        axes.scatter([each.was or 0 for each in changes], [each.n_accounts for each in changes], s=16, label=kind)
    axes.set_xscale("symlog")
    axes.set_yscale("symlog")
    axes.set(xlabel="accounts the night before", ylabel="tonight")
    axes.legend(fontsize="small")


def _plot_ages(facts: NightFacts, axes: Axes) -> None:
    ages = [(facts.run.date - each["asked_since"]).days for each in facts.questions]
    axes.hist(ages, bins=range(max(ages, default=0) + 2), color=_STEADY, align="left")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="nights since first asked", ylabel="questions")


def _plot_drift(facts: NightFacts, axes: Axes) -> None:
    features = sorted((psi, name) for name, psi in facts.run.drift.items() if name != SCORE)[-_N_FEATURES:]
    colours = [_PALE if moves_with_time(name) else _STEADY for _, name in features]
    axes.barh([name for _, name in features], [psi for psi, _ in features], color=colours)
    axes.axvline(facts.max_psi, color=_WARN, linestyle="--")
    axes.tick_params(axis="y", labelsize="x-small")
    axes.set_xlabel("PSI; beyond the dashed line the ban list is held")
