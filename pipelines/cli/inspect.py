"""Commands that look and change nothing: explain, status, doctor."""

from typing import Any

import typer

from ringwatch.pipelines.cli.app import AccountId, Json, app, show
from ringwatch.pipelines.cli.tables import Column, Table, number, text
from ringwatch.pipelines.common.settings import read_settings


@app.command()
def explain(account: AccountId, as_json: Json = False) -> None:
    """Explain an account's score: reasons, ring, shared identifiers, history."""
    from ringwatch.pipelines.nightly.explain import Explanation
    from ringwatch.pipelines.nightly.explain import explain as run_explain

    def lines(found: Explanation) -> list[Any]:
        counted = (number("accounts\non it", drop=1), number("of them\nsuspicious", drop=2))
        shared = Table("kind", "shared identifier", *counted)
        for each in found.shared_identifiers:
            shared.add_row(each["kind"], each["id"], f"{each['n_accounts']:,}", f"{each['n_suspicious']:,}")
        history = Table("night", number("score"), "label", "ring")
        for each in found.history:
            history.add_row(each["date"], f"{each['fraud_score']:.3f}", each["fraud_label"], each["ring_id"])
        ring = "in no ring"
        if found.ring:
            n, score = found.ring["n_accounts"], found.ring["fraud_score"]
            ring = f"in {found.ring['ring_id']}: {n} accounts, score {score:.3f}"
        head = (
            f"{found.account_id}: {found.fraud_label}, score {found.fraud_score:.3f}"
            f" (suspicious from {found.thresholds['suspicious']:.3f}; {found.model_version}; night of {found.date})"
            f"\n{ring}"
        )
        decided = [f"{each['reviewed_by']} decided {each['decision']}: {each['reason']}" for each in found.decisions]
        said = [f"- {reason}" for reason in found.reasons] or ["no reason to suspect it"]
        return [head, *said, *decided, *([shared] if found.shared_identifiers else []), history]

    show(run_explain(read_settings(), account), as_json, lines)


@app.command()
def status(as_json: Json = False) -> None:
    """Show the last runs, counts, the champion, and where things are."""
    from ringwatch.pipelines.nightly.status import Status, read_status

    def lines(found: Status) -> list[Any]:
        table = Table(
            "night", number("rows in", drop=5), number("quarantined", drop=2), Column("detected", drop=4),
            number("suspicious", drop=1), number("rings", drop=1), Column("model", drop=3), "ban list",
        )  # fmt: skip
        for night in found.nights:
            run: dict[str, Any] = night["run"] or {}
            counts = run.get("counts", {})
            table.add_row(
                night["date"],
                f"{night['rows_in']:,}",
                f"{night['quarantined']:,}",
                "yes" if run else "no",
                f"{counts['n_suspicious']:,}" if run else "",
                f"{counts['n_rings']:,}" if run else "",
                run.get("model_version"),
                night["ban_list"],
            )
        places = [f"{name:>12}  {place}" for name, place in found.places.items()]
        head = f"nights loaded: {found.n_nights}; champion: {found.champion or 'none'}"
        return [head, table, *places]

    show(read_status(read_settings()), as_json, lines)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check set-up, settings, servers and disk; change nothing. Exits with 2 if something has to be fixed."""
    from ringwatch.pipelines.cli.doctor import Finding, examine

    findings = examine()

    def lines(found: list[Finding]) -> Table:
        table = Table("check", "", text("finding"), text("what to do"))
        for each in found:
            table.add_row(each.check, each.state, each.finding, each.remedy)
        return table

    show([vars(each) for each in findings] if as_json else findings, as_json, lines)
    if any(each.state == "bad" for each in findings):
        raise typer.Exit(2)
