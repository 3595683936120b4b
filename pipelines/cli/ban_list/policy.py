"""Commands of the ban list about its policy: compare it with another, rehearse it, and whom its pace keeps waiting."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from ringwatch.pipelines.cli.app import Day, Json, day_of, progress, show
from ringwatch.pipelines.cli.ban_list.lists import ban_list_app
from ringwatch.pipelines.cli.tables import Column, Table, counts_table, text
from ringwatch.pipelines.cli.worlds import Accounts, History, Scenario, Seed
from ringwatch.pipelines.common.settings import read_settings

_log = logging.getLogger(__name__)


@ban_list_app.command("policy")
def policy() -> None:
    """Print the policy that ships as TOML, to start your own from: change it, and name the file in RINGWATCH_POLICY."""
    from ringwatch.pipelines.ban_list.rules.policy import STARTING_POLICY

    print(STARTING_POLICY.read_text(encoding="utf-8"), end="")


@ban_list_app.command("audit")
def audit(as_json: Json = False) -> None:
    """Measure the rules' precision on the accounts held out of the lists, by what reviewers found."""
    from ringwatch.pipelines.ban_list.audit import audit as run_audit
    from ringwatch.pipelines.ban_list.rules.audited import Audit

    def lines(found: Audit) -> str:
        decided = f"{found.n_fake:,} found fake, {found.n_legitimate:,} legitimate, {found.n_undecided:,} undecided"
        right = (
            f"the rules are right in {found.precision:.1%} (95 % interval {found.at_least:.1%} to {found.at_most:.1%})"
            if found.precision is not None
            else "nothing can be said yet: `ringwatch review queue` asks about them"
        )
        if not found.n_held_out:
            right = "nothing can be said: the policy holds nobody out (holdout_share)"
        right += (
            f"\nwrong so far at most {found.wrong_at_most:.1%} of those listed, and {found.wrong_rings_at_most:.1%} of"
            f" rings (95 % confidence); 1 in 500 takes {found.n_to_certify:,} accounts checked and none wrong"
        )
        return f"{found.n_held_out:,} accounts held out: {decided}\n{right}" + "".join(f"\n- {a}" for a in found.wrong)

    show(run_audit(read_settings()), as_json, lines)


@ban_list_app.command("compare")
def compare(
    policy: Annotated[Path, typer.Option("--policy", help="TOML file of the policy to try.")],
    nights: Annotated[int, typer.Option("--nights", min=1, help="How many of the newest nights detected.")] = 7,
    as_json: Json = False,
) -> None:
    """Show whom another policy would have listed on past nights, beside the policy in force; nothing is changed."""
    from ringwatch.pipelines.ban_list.rules.comparison import NightUnderBoth, compare_policies
    from ringwatch.pipelines.ban_list.rules.policy import read_policy

    settings = read_settings()
    now, then = read_policy(settings.policy), read_policy(policy)

    def lines(found: list[NightUnderBoth]) -> Table:
        names = (f"by {now.version}", f"by {then.version}", f"only by\n{now.version}", f"only by\n{then.version}")
        table = counts_table("accounts listed", "night", *names)
        for each in found:
            differences = (len(each.only_now), len(each.only_then))
            table.add_row(str(each.date), *(f"{n:,}" for n in (each.n_listed, each.n_would_be_listed, *differences)))
        return table

    with progress():
        _log.info("listing %s nights by both policies", nights)
        found = compare_policies(settings, now, then, n_nights=nights)
    show(found, as_json, lines)


@ban_list_app.command("waiting")
def waiting(date: Day, as_json: Json = False) -> None:
    """List the accounts that a rule would list, but that the policy delays or holds out for an audit."""
    from ringwatch.pipelines.ban_list.proposal import read_waiting
    from ringwatch.pipelines.ban_list.rules.pacing import Waiting

    def lines(found: list[Waiting]) -> Table | str:
        table = Table("account", Column("ring", drop=1), text("why"), "found on", "due on")
        for each in found:
            table.add_row(each.account_id, each.ring_id, each.why, each.seen_on, each.due_on)
        return table if found else "nobody waits"

    show(read_waiting(read_settings(), day_of(date)), as_json, lines)


@ban_list_app.command("rehearse")
def rehearse(
    accounts: Accounts = 20_000,
    nights: Annotated[int, typer.Option("--nights", min=1, help="How many nights the world answers.")] = 10,
    history_days: History = 30,
    seed: Seed = 0,
    scenario: Scenario = "disclosure",
    policy: Annotated[
        Path | None, typer.Option("--policy", help="TOML file of the policy. Default: RINGWATCH_POLICY.")
    ] = None,
    reviews: Annotated[
        int, typer.Option("--reviews", min=0, help="Questions answered after each night, 95 in 100 correctly.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Try a policy on a simulated world that reacts to its lists: bans, wrong bans, lifts and leaks by night."""
    from ringwatch.pipelines.ban_list.rules.policy import read_policy
    from ringwatch.pipelines.evaluation.rehearsal import RehearsedNight
    from ringwatch.pipelines.evaluation.rehearsal import rehearse as run_rehearse
    from ringwatch.pipelines.simulate import Arguments

    def lines(found: list[RehearsedNight]) -> Table:
        table = counts_table(
            "of each number how many are wrong, in brackets",
            "night", "fakes", "banned", "restricted", "lifted", "waiting", "in force", "leaked",
        )  # fmt: skip
        for each in found:
            table.add_row(
                each.date + (" ABOVE THE CAPS" if each.is_over_caps else ""),
                f"{each.n_fakes:,}",
                f"{each.n_banned:,} ({each.n_banned_wrongly:,})",
                f"{each.n_restricted:,} ({each.n_restricted_wrongly:,})",
                f"{each.n_lifted:,} ({each.n_lifted_wrongly:,})",
                f"{each.n_waiting:,}",
                f"{each.n_in_force:,} ({each.n_in_force_wrongly:,})",
                f"{each.n_leaked_requests:,}",
            )
        return table

    arguments = Arguments(accounts, 1, history_days, seed, scenario)
    with progress():
        by = read_policy(policy or read_settings().policy)
        played = run_rehearse(arguments, by, n_nights=nights, n_reviews=reviews)
    show(played, as_json, lines)
