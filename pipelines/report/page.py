"""The report of a night as one page with its plots inside."""

import html
from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ringwatch.models.explain.wording import count
from ringwatch.models.registry.drift import SCORE, moves_with_time
from ringwatch.pipelines.common.html_page import figure, page, table
from ringwatch.pipelines.report.facts import NightFacts, RingChange

_N_RINGS, _N_FEATURES = 15, 15
_KINDS = ("new", "grown", "smaller", "gone")
_COUNTS = ("rows_in", "loaded", "superseded", "quarantined", "held", "released", "expired", "fields_nulled")
_STEADY, _WARN, _PALE = "#3d6fb4", "#d1495b", "#b8bcc6"


def report_page(facts: NightFacts) -> str:
    """The page."""
    sections = (_verdict(facts), _loaded(facts), _accounts(facts), _rings(facts), _questions(facts), _drift(facts))
    return page(f"Night of {facts.run.date}", f"<h1>Night of {facts.run.date}</h1>" + "\n".join(sections))


def _verdict(facts: NightFacts) -> str:
    counts = facts.run.counts
    said = (
        f"{counts['n_accounts']:,} accounts: {counts['n_suspicious']:,} suspicious, {counts['n_watch']:,} watched."
        f" Model {facts.model}."
    )
    held = "".join(f"<li>{html.escape(reason)}</li>" for reason in facts.held)
    hold = f'<p style="color: {_WARN}"><strong>The ban list is held:</strong></p><ul>{held}</ul>' if held else ""
    return f"<p>{html.escape(said)}</p>{hold}"


def _loaded(facts: NightFacts) -> str:
    rows = [[name, *(f"{counts[each]:,}" for each in _COUNTS)] for name, counts in _signals(facts).items()]
    body = "<h2>Loaded and quarantined</h2>" + table(["signal", *_COUNTS], rows)
    graph = facts.load["graph"] or {}
    for what, words in (("removed", "taken off the graph"), ("retired", "retired, for nobody used them for long")):
        if changed := {name: n for name, n in graph.get(what, {}).items() if n}:
            body += f"<p>{', '.join(f'{n:,} {name}' for name, n in sorted(changed.items()))} {words}.</p>"
    for fault in facts.load["faults"]:
        body += f"<p>{html.escape(fault)}</p>"
    return body + figure(partial(_plot_rows, facts), "Rows read by night, and those that went to quarantine.")


def _signals(facts: NightFacts) -> dict[str, dict[str, int]]:
    return {name: counts for name, counts in facts.load["counts"].items() if any(counts[each] for each in _COUNTS)}


def _accounts(facts: NightFacts) -> str:
    by_night = partial(_plot_lines, facts, {"suspicious": "n_suspicious", "watched": "n_watch"})
    by_score = figure(partial(_plot_scores, facts), "Accounts by score, tonight and on the model's training night.")
    return "<h2>Accounts</h2>" + figure(by_night, "Accounts by night.") + by_score


def _rings(facts: NightFacts) -> str:
    since = f" since {facts.before}" if facts.before else ""
    body = f"<h2>Rings</h2><p>{count(facts.n_rings, 'ring')}. Changes{since}:</p>"
    kinds = {kind: [each for each in facts.rings if each.kind == kind] for kind in _KINDS}
    body += figure(partial(_plot_lines, facts, {"rings": "n_rings"}), "Rings by night.")
    body += figure(partial(_plot_growth, kinds), "Each ring's size the night before, and tonight.")
    for kind, changes in kinds.items():
        if changes:
            body += f"<h3>{len(changes):,} {kind}</h3>" + _ring_table(changes)
    return body


def _ring_table(changes: Sequence[RingChange]) -> str:
    largest = sorted(changes, key=lambda each: (-abs(each.n_accounts - (each.was or 0)), each.ring_id))[:_N_RINGS]
    rows = [
        [each.ring_id, each.was or "", each.n_accounts or "", f"{each.fraud_score:.3f}", each.fraud_label]
        for each in largest
    ]
    rest = f"<p>and {len(changes) - _N_RINGS:,} more</p>" if len(changes) > _N_RINGS else ""
    return table(["ring", "accounts before", "tonight", "score", "label"], rows) + rest


def _questions(facts: NightFacts) -> str:
    kinds = Counter(each["kind"] for each in facts.questions)
    told = ", ".join(count(n, kind) for kind, n in kinds.most_common()) or "nothing"
    return f"<h2>Asked of people</h2><p>{told}.</p>" + figure(
        partial(_plot_ages, facts), "How many nights questions have waited; those drawn at random are new each night."
    )


def _drift(facts: NightFacts) -> str:
    if not facts.run.drift:
        return "<h2>Drift</h2><p>Not measured: the model was not trained on a night of this platform.</p>"
    return (
        f"<h2>Drift</h2><p>Population stability index against the model's training night. Scores:"
        f" {facts.run.drift[SCORE]:.3f}.</p>"
        + figure(partial(_plot_drift, facts), "Features that moved most. Pale: they move by themselves as time passes.")
    )


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
