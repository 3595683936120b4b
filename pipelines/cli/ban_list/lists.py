"""Commands of the ban list, from its proposal to its consumer."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ringwatch.pipelines.cli.app import By, Day, Json, app, day_of, show
from ringwatch.pipelines.common.errors import ApprovalError
from ringwatch.pipelines.common.settings import read_settings

ban_list_app = typer.Typer(
    no_args_is_help=True, help="The ban list of a night: proposed by policy, decided by a person, published whole."
)
app.add_typer(ban_list_app, name="ban-list")


@ban_list_app.command("propose")
def propose(date: Day, as_json: Json = False) -> None:
    """Propose the list of a night that has been detected; nothing leaves until a person approves it."""
    from ringwatch.pipelines.ban_list import Proposal
    from ringwatch.pipelines.ban_list import propose as run_propose

    def lines(found: Proposal) -> str:
        changes = ", ".join(f"{n:,} to {action}" for action, n in found.counts["delta"].items() if n)
        n_contested = sum(found.counts["contested"].values())
        contested = f"; {n_contested:,} contested, one person against the model (contested.csv)" if n_contested else ""
        waiting = "".join(f"; {n:,} {why}" for why, n in found.counts["waiting"].items() if n)
        held = "".join(f"ABOVE THE CAPS: {reason}\n" for reason in found.over_caps)
        held += "".join(f"HELD: {reason}\n" for reason in found.held)
        return (
            f"{held}proposed for {found.date}: {sum(found.counts['ban_list'].values()):,} accounts listed,"
            f" {changes or 'no change'}{contested}{waiting}\n{_limit(found.facts['audit'])}\n"
            f"look at it in {found.folder}, then `ringwatch ban-list approve --date {found.date} --by NAME`"
        )

    show(run_propose(read_settings(), date=day_of(date)), as_json, lines)


def _limit(audit: dict[str, Any]) -> str:
    n_decided = audit["n_fake"] + audit["n_legitimate"]
    if not n_decided:
        return "how many of the rules' listings are wrong is not known: nobody held out has been decided"
    return (
        f"of the rules' listings at most {audit['wrong_at_most']:.1%} are wrong (95 % confidence):"
        f" {audit['n_legitimate']:,} of {n_decided:,} held out and decided were"
    )


@ban_list_app.command("approve")
def approve(
    date: Day,
    by: By,
    release: Annotated[bool, typer.Option("--release", help="Approve it although drift holds it.")] = False,
    as_json: Json = False,
) -> None:
    """Approve what is proposed for a night, as it stands now."""
    from ringwatch.pipelines.ban_list import approve as run_approve

    show(run_approve(read_settings(), date=day_of(date), by=by, release=release), as_json)


@ban_list_app.command("reject")
def reject(date: Day, by: By, as_json: Json = False) -> None:
    """Reject what is proposed for a night: it will not be published."""
    from ringwatch.pipelines.ban_list import reject as run_reject

    show(run_reject(read_settings(), date=day_of(date), by=by), as_json)


@ban_list_app.command("publish")
def publish(
    date: Day,
    by: Annotated[str | None, typer.Option("--by", help="Approve in this person's name first.")] = None,
    as_json: Json = False,
) -> None:
    """Publish the approved list of a night, whole or not at all. Safe to repeat."""
    from ringwatch.pipelines.ban_list import approve as run_approve
    from ringwatch.pipelines.ban_list import approve_by_policy, read_proposal
    from ringwatch.pipelines.ban_list import publish as run_publish

    settings = read_settings()
    if by is not None:
        run_approve(settings, date=day_of(date), by=by)
    else:
        approve_by_policy(settings, read_proposal(settings, day_of(date))[0])
    result: Any = run_publish(settings, date=day_of(date))
    show(result, as_json)


Folder = Annotated[Path, typer.Argument(help="The published folder: EXPORTS/ban_lists/date=D.")]


@ban_list_app.command("verify")
def verify(folder: Folder, as_json: Json = False) -> None:
    """Check a published folder as a consumer should: files, signature (RINGWATCH_SIGNING_KEY), list and delta."""
    from ringwatch.pipelines.ban_list.verification import Verification
    from ringwatch.pipelines.ban_list.verification import verify as run_verify

    def lines(found: Verification) -> str:
        if found.faults:
            return "\n".join([f"{folder} is not right:", *(f"- {fault}" for fault in found.faults)])
        signed = "signed with your key" if found.is_signed else "signature not checked: set RINGWATCH_SIGNING_KEY"
        delta = (
            f"its delta leads here from {found.former}" if found.former else "no list before it to check the delta by"
        )
        by = f"approved by {found.manifest['approved_by']} at {found.manifest['approved_at']}"
        return f"{folder} is right: {signed}; {delta}; {by}"

    found = run_verify(folder, key=_key())
    show(found, as_json, lines)
    if found.faults:
        raise typer.Exit(ApprovalError.exit_code)


@ban_list_app.command("consume")
def consume(
    folder: Folder,
    state: Annotated[Path, typer.Option("--state", help="File that keeps what has been enforced; made when missing.")],
    as_json: Json = False,
) -> None:
    """Print what to do to enforce a published list after those before: a reference for enforcement tools."""
    from ringwatch.pipelines.ban_list.consumer import consume as run_consume

    def lines(changes: dict[str, str]) -> str:
        return "\n".join(f"{action} {account_id}" for account_id, action in changes.items()) or "nothing to do"

    run_consume(folder, state, key=_key(), act=lambda changes: show(changes, as_json, lines))


def _key() -> str | None:
    key = read_settings().signing_key
    return key.get_secret_value() if key else None
