"""Commands for people's decisions: review queue, show, decide, history."""

from typing import Annotated, Any

import typer

from ringwatch.pipelines.cli.app import By, Json, app, show
from ringwatch.pipelines.cli.tables import Column, Table, number, text
from ringwatch.pipelines.common.settings import read_settings

review_app = typer.Typer(
    no_args_is_help=True, help="Review by people: what to look at next, rings in detail, decisions."
)
app.add_typer(review_app, name="review")

Ring = Annotated[str | None, typer.Option("--ring", help="A ring's id: decides on the accounts that it has now.")]
Account = Annotated[str | None, typer.Option("--account", help="An account's id.")]


@review_app.command("queue")
def queue(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many questions, the most worth first.")] = 20,
    as_json: Json = False,
) -> None:
    """List the questions most worth reviewing after the newest night, and a few accounts at random."""
    from ringwatch.pipelines.review.queue import Question, read_queue

    def lines(found: list[Question]) -> Table:
        since = Column("asked since", drop=1)
        table = Table("ask about", "id", number("worth", drop=2), text("why"), since, text("strongest reason"))
        for each in found:
            reason = next(iter(each.reasons), "")
            table.add_row(each.kind, each.id, f"{each.worth:.1f}", each.why, each.asked_since, reason)
        return table

    found = read_queue(read_settings(), limit=limit)
    show(found, as_json, lines)


@review_app.command("show")
def show_ring(
    ring: Annotated[str, typer.Argument(help="The ring's id.")],
    members: Annotated[int, typer.Option("--members", min=1, help="How many members to list.")] = 20,
    as_json: Json = False,
) -> None:
    """Show a ring: its members, what they share and how rare that is, its growth, and who decided what."""
    from ringwatch.pipelines.review.ring import RingView, view_ring

    def lines(found: RingView) -> list[Any]:
        table = Table("member", number("score"), "label", text("decided"), text("strongest reason"))
        for each in found.members[:members]:
            reason = next((reason for reason in each["reasons"] if not reason.startswith("is in a ring")), "")
            table.add_row(
                each["account_id"], f"{each['fraud_score']:.2f}", each["fraud_label"], each["decided"], reason
            )
        shared = Table("kind", "identifier", number("members\non it", drop=2), number("accounts\non it", drop=1))
        for each in found.shared:
            shared.add_row(each["kind"], each["id"], f"{each['n_members']:,}", f"{each['n_accounts']:,}")
        nights = Table("night", number("accounts"), number("new"), number("score"), "label")
        for each in found.history:
            size, new = f"{each['n_accounts']:,}", f"{each['n_new_accounts']:,}"
            nights.add_row(each["date"], size, new, f"{each['fraud_score']:.2f}", each["fraud_label"])
        head = f"{found.ring_id}: {len(found.members):,} accounts, {found.fraud_label}, score {found.fraud_score:.3f}"
        rest = len(found.members) - members
        more = [f"... and {rest:,} members more (--members)"] if rest > 0 else []
        return [head, *(f"- {reason}" for reason in found.reasons), table, *more, shared, nights]

    show(view_ring(read_settings(), ring), as_json, lines)


@review_app.command("decide")
def decide(
    decision: Annotated[str, typer.Option("--decision", help="fake, legitimate or needs_more.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in words that the owner may read in an appeal.")],
    by: By,
    ring: Ring = None,
    account: Account = None,
    overrule: Annotated[bool, typer.Option("--overrule", help="Decide against what another person decided.")] = False,
    as_json: Json = False,
) -> None:
    """Decide on a ring as it stands now, or on an account; it counts from the next night on."""
    from ringwatch.pipelines.decisions.decide import decide as run_decide
    from ringwatch.pipelines.graph.client import connect

    with connect(read_settings()) as driver:
        found = run_decide(
            driver, ring=ring, account=account, decision=decision, reason=reason, by=by, overrule=overrule
        )

    def lines(_: object) -> str:
        about = f"{found.n_accounts:,} accounts of {found.id}" if ring else found.id
        return f"{found.by} decided {found.decision} on {about}; it counts from the next night on."

    show(found, as_json, lines)


@review_app.command("history")
def history(ring: Ring = None, account: Account = None, as_json: Json = False) -> None:
    """List the decisions on a ring or an account, the oldest first, as far as a night has taken them in."""
    from ringwatch.pipelines.decisions.store import decisions_on

    def lines(found: list[dict[str, Any]]) -> Table | str:
        table = Table("at", "decision", "by", "on", text("reason"))
        for each in found:
            on = each["ring_id"] or each["account_id"]
            table.add_row(
                f"{each['reviewed_at']:%Y-%m-%d %H:%M}", each["decision"], each["reviewed_by"], on, each["reason"]
            )
        return table if found else "nobody has decided on it, or no night has run since"

    show(decisions_on(read_settings(), ring=ring, account=account), as_json, lines)
