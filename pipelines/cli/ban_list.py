"""Commands of the ban list: propose, approve, reject, publish."""

from typing import Annotated, Any

import typer

from pipelines.cli.app import By, Day, Json, app, day_of, show
from pipelines.settings import read_settings

ban_list_app = typer.Typer(
    no_args_is_help=True, help="The ban list of a night: proposed by policy, decided by a person, published whole."
)
app.add_typer(ban_list_app, name="ban-list")


@ban_list_app.command("propose")
def propose(date: Day, as_json: Json = False) -> None:
    """Propose the list of a night that has been detected; nothing leaves until a person approves it."""
    from pipelines.ban_list import Proposal
    from pipelines.ban_list import propose as run_propose

    def lines(found: Proposal) -> str:
        changes = ", ".join(f"{n:,} to {action}" for action, n in found.counts["delta"].items() if n)
        n_contested = sum(found.counts["contested"].values())
        contested = f"; {n_contested:,} contested, one person against the model (contested.csv)" if n_contested else ""
        held = "".join(f"HELD: {reason}\n" for reason in found.held)
        return (
            f"{held}proposed for {found.date}: {sum(found.counts['ban_list'].values()):,} accounts listed,"
            f" {changes or 'no change'}{contested}\nlook at it in {found.folder},"
            f" then `ringwatch ban-list approve --date {found.date} --by NAME`"
        )

    show(run_propose(read_settings(), date=day_of(date)), as_json, lines)


@ban_list_app.command("approve")
def approve(
    date: Day,
    by: By,
    release: Annotated[bool, typer.Option("--release", help="Let it out although drift holds it.")] = False,
    as_json: Json = False,
) -> None:
    """Approve what is proposed for a night, as it stands now."""
    from pipelines.ban_list import approve as run_approve

    show(run_approve(read_settings(), date=day_of(date), by=by, release=release), as_json)


@ban_list_app.command("reject")
def reject(date: Day, by: By, as_json: Json = False) -> None:
    """Reject what is proposed for a night: it will not be published."""
    from pipelines.ban_list import reject as run_reject

    show(run_reject(read_settings(), date=day_of(date), by=by), as_json)


@ban_list_app.command("publish")
def publish(
    date: Day,
    by: Annotated[str | None, typer.Option("--by", help="Approve in this person's name first.")] = None,
    as_json: Json = False,
) -> None:
    """Publish the approved list of a night, whole or not at all; again is safe."""
    from pipelines.ban_list import approve as run_approve
    from pipelines.ban_list import publish as run_publish

    settings = read_settings()
    if by is not None:
        run_approve(settings, date=day_of(date), by=by)
    result: Any = run_publish(settings, date=day_of(date))
    show(result, as_json)
