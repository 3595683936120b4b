"""Commands for simulated worlds: simulate, difficulty, outcome."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ringwatch.pipelines.cli.app import Json, app, out, progress, show
from ringwatch.pipelines.cli.tables import Table, counts_table
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import read_settings

if TYPE_CHECKING:
    from ringwatch.pipelines.evaluation.outcome import Outcome

Scenario = Annotated[
    str,
    typer.Option(
        "--scenario", help="disclosure, novel, camouflage, quiet, drift, evasion, framing or random-structure."
    ),
]
Accounts = Annotated[int, typer.Option("--accounts", min=1, help="Accounts that have signed up by the last night.")]
Nights = Annotated[int, typer.Option("--nights", min=1, help="Nights after the history.")]
History = Annotated[int, typer.Option("--history-days", min=1, help="Days before the first night.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same arguments and seed give the same bytes.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="How many worlds, of consecutive seeds.")]
Vary = Annotated[
    float,
    typer.Option("--vary", min=0, max=1, help="Vary every knob at random: 0 not at all, 1 by a factor of up to 3."),
]
Knobs = Annotated[
    Path | None,
    typer.Option("--knobs", help='JSON file of knobs to set, as {"graders.cards.shared": 0.2}; see KNOBS.md.'),
]


@app.command()
def simulate(
    world: Annotated[
        Path | None, typer.Option("--out", help="Folder for the world: landing/, truth.parquet, ...")
    ] = None,
    accounts: Accounts = 20_000,
    nights: Nights = 8,
    history_days: History = 30,
    seed: Seed = 0,
    scenario: Scenario = "disclosure",
    vary: Vary = 0.0,
    knobs: Knobs = None,
    continued: Annotated[
        Path | None, typer.Option("--continue", help="Append the next night to the world in this folder instead.")
    ] = None,
    ban_list: Annotated[
        Path | None, typer.Option("--ban-list", help="With --continue: the ban_list.csv in force from that night on.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate a platform: a landing zone of ordinary people and campaigns of fake accounts, with the truth beside it.

    With --continue, append the next night to a world: accounts on --ban-list fall silent, and campaigns answer.
    """
    from ringwatch.pipelines.simulate import Arguments, continue_world
    from ringwatch.pipelines.simulate import simulate as run

    if (world is None) == (continued is None):
        raise RingwatchError("give either --out, to make a world, or --continue, to go on with one.")
    if ban_list is not None and continued is None:
        raise RingwatchError("--ban-list goes with --continue: a world is made first, and then answers to bans.")
    with progress():
        if continued is not None:
            result = continue_world(continued, ban_list)
        else:
            arguments = Arguments(accounts, nights, history_days, seed, scenario, vary, read_knobs(knobs))
            result = run(arguments, Path(str(world)))
    show(result, as_json)
    if not as_json and continued is None:
        landing = Path(str(world)) / "landing"
        out.print(
            f"Next: ringwatch backfill --landing {landing} --from {result.first_day} --to {result.first_night}",
            soft_wrap=True,
        )


@app.command("difficulty")
def show_difficulty(
    accounts: Accounts = 50_000,
    nights: Nights = 8,
    history_days: History = 30,
    seed: Seed = 0,
    seeds: Seeds = 5,
    scenario: Scenario = "disclosure",
    vary: Vary = 0.0,
    knobs: Knobs = None,
    as_json: Json = False,
) -> None:
    """Measure how hard simulated worlds are: boosted trees, components, and an oracle, on accounts not yet labelled."""
    from ringwatch.pipelines.evaluation.measure import measure
    from ringwatch.pipelines.simulate import Arguments

    arguments = Arguments(accounts, nights, history_days, seed, scenario, vary, read_knobs(knobs))
    with progress():
        reports = measure(arguments, n_seeds=seeds)
    show(reports, as_json, _difficulty_table)


@app.command("outcome")
def show_outcome(
    world: Annotated[Path, typer.Option("--world", help="Folder of the world whose nights were detected.")],
    as_json: Json = False,
) -> None:
    """Compare what was detected and banned with a world's truth: caught, leaked before, false positives."""
    from ringwatch.pipelines.evaluation.outcome import outcome_of

    result = outcome_of(read_settings(), world)
    if as_json:
        show(result, True)
        return
    for table in outcome_tables(result):
        out.print(table, soft_wrap=True)


def outcome_tables(outcome: "Outcome") -> tuple[Table, Table]:
    """An outcome as tables: campaigns, and false positives."""
    campaigns = counts_table(
        f"campaigns by {outcome.night}",
        "campaign", "active", "suspicious", "banned", "first ban", "requests\nbefore it", "requests\nsince",
    )  # fmt: skip
    for each in outcome.campaigns:
        caught = (f"{n:,}" for n in (each.n_active, each.n_suspicious, each.n_banned))
        since = f"{each.n_since:,}" if each.first_banned else ""
        campaigns.add_row(each.campaign, *caught, each.first_banned or "never", f"{each.n_before:,}", since)
    ordinary = counts_table("false positives", "ordinary people", "accounts", "suspicious", "banned")
    for kind in outcome.ordinary:
        ordinary.add_row(kind.kind, *(f"{n:,}" for n in (kind.n_accounts, kind.n_suspicious, kind.n_banned)))
    return campaigns, ordinary


def _difficulty_table(reports: list[dict[str, Any]]) -> Table:
    table = counts_table(
        "average precision (AP) on accounts not yet labelled",
        "seed", "fakes\nto find", "fakes\nknown", "AP, account\nfeatures", "AP, neighbour\naggregates", "AP,\noracle",
        "ordinary people\nbeside a fake",
    )  # fmt: skip
    for report in reports:
        precision = report["average_precision"]
        table.add_row(
            str(report["seed"]),
            f"{report['n_fakes_judged']:,}",
            f"{report['n_fakes_known']:,}",
            *(f"{precision[name]:.3f}" for name in ("account_features", "neighbour_aggregates", "oracle")),
            f"{report['components']['ordinary_accused']:,}",
        )
    return table


def read_knobs(file: Path | None) -> dict[str, object]:
    """Knobs to set, from a JSON file; none without one.

    Raises:
        RingwatchError: it cannot be read, or holds no object.
    """
    if file is None:
        return {}
    try:
        knobs = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise RingwatchError(f"{file} cannot be read as JSON ({error}).") from None
    if not isinstance(knobs, dict):
        raise RingwatchError(f'{file} must hold an object, as {{"graders.cards.shared": 0.2}}.')
    return knobs
