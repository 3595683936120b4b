"""Commands of the ban list about one account: lift it, its history, and what its owner is told."""

from typing import Annotated, Any

import typer

from ringwatch.pipelines.cli.app import AccountId, By, Json, show
from ringwatch.pipelines.cli.ban_list.lists import ban_list_app
from ringwatch.pipelines.cli.tables import Table, text
from ringwatch.pipelines.common.settings import read_settings


@ban_list_app.command("lift")
def lift(
    account: AccountId,
    reason: Annotated[str, typer.Option("--reason", help="Why its ban was wrong, in words for its owner.")],
    by: By,
    as_json: Json = False,
) -> None:
    """Lift an account from the list in force; no rule will list it again."""
    from ringwatch.pipelines.ban_list.lift import Lifted
    from ringwatch.pipelines.ban_list.lift import lift as run_lift

    def lines(found: Lifted) -> str:
        return (
            f"{found.by} lifted {found.account_id}, which {found.decided_by} had listed.\nIt goes out with the next"
            f" list; to have it out now: `ringwatch ban-list propose --date {found.listed_in}`, approve, publish."
        )

    show(run_lift(read_settings(), account=account, reason=reason, by=by), as_json, lines)


@ban_list_app.command("history")
def history(account: AccountId, as_json: Json = False) -> None:
    """List all that was decided about an account, by people and by lists that went out, the oldest first."""
    from ringwatch.pipelines.ban_list.history import Event, account_history

    def lines(found: list[Event]) -> Table | str:
        table = Table("at", "what", "by", "list", text("why"))
        for each in found:
            corrected = " (corrected since)" if each.is_corrected else ""
            table.add_row(each.at[:10], each.what, each.by, f"{each.list or ''}{corrected}", each.why)
        return table if found else "nothing was decided about it, as far as a night has taken decisions in"

    found = account_history(read_settings(), account)
    show(found, as_json, lines)


@ban_list_app.command("statement")
def statement(account: AccountId, as_json: Json = False) -> None:
    """Write the signed statement for an account's owner, and for an appeal: everything behind its entry in the list."""
    from ringwatch.pipelines.ban_list.statement import statement_of

    def lines(found: dict[str, Any]) -> str:
        ring, shared = found["ring"], found["shared_identifiers"]
        of_ring = (
            [f"Ring {ring['ring_id']}: {ring['n_accounts']:,} accounts", *_listed(ring["reasons"])] if ring else []
        )
        identifiers = [
            f"{each['kind']} {each['id']}: {each['n_accounts']:,} accounts, {each['n_suspicious']:,} of them suspicious"
            for each in shared
        ]
        return "\n".join(
            [
                f"Account {found['account_id']}: {found['action']}, by the list of {found['in_list_of']}",
                f"Decided by {found['decided_by']}: {found['rule']}",
                f"Since {found['first_listed_at']}, until {found['expires_at']}; appeals until {found['appeal_by']}",
                *(["Why:", *_listed(found["reasons"])] if found["reasons"] else []),
                *(["It shares:", *_listed(identifiers)] if identifiers else []),
                *(of_ring or []),
                f"Score {found['fraud_score']:.3f} by model {found['model_version']}, run {found['run_id']}, policy"
                f" {found['policy']['version']}; approved by {found['approved_by']} at {found['approved_at']}",
                f"List {found['content_sha256']}, signature {found['hmac'] or 'none: no RINGWATCH_SIGNING_KEY'}",
            ]
        )

    show(statement_of(read_settings(), account), as_json, lines)


def _listed(sentences: list[str]) -> list[str]:
    return [f"  - {sentence}" for sentence in sentences]
