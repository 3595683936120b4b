"""Commands that look and change nothing: explain, status, doctor."""

from typing import Any

import typer
from rich.console import Group
from rich.table import Table

from ringwatch.pipelines.cli.app import AccountId, Json, app, show
from ringwatch.pipelines.common.settings import read_settings


@app.command()
def explain(account: AccountId, as_json: Json = False) -> None:
    """Say why an account stands where it stands: score, reasons, ring, shared identifiers, history."""
    from ringwatch.pipelines.nightly.explain import Explanation
    from ringwatch.pipelines.nightly.explain import explain as run_explain

    def lines(found: Explanation) -> Group:
        shared = Table("kind", "shared identifier", "accounts on it", "of them suspicious")
        for each in found.shared_identifiers:
            shared.add_row(each["kind"], each["id"], str(each["n_accounts"]), str(each["n_suspicious"]))
        history = Table("night", "score", "label", "ring")
        for each in found.history:
            history.add_row(each["date"], f"{each['fraud_score']:.3f}", each["fraud_label"], each["ring_id"] or "")
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
        return Group(head, *said, *decided, *([shared] if found.shared_identifiers else []), history)

    show(run_explain(read_settings(), account), as_json, lines)


@app.command()
def status(as_json: Json = False) -> None:
    """Show the last runs, counts, the champion, and where things are."""
    from ringwatch.pipelines.nightly.status import Status, read_status

    def lines(found: Status) -> Group:
        table = Table("night", "rows in", "quarantined", "detected", "suspicious", "rings", "model", "ban list")
        for night in found.nights:
            run: dict[str, Any] = night["run"] or {}
            counts = run.get("counts", {})
            table.add_row(
                night["date"],
                f"{night['rows_in']:,}",
                f"{night['quarantined']:,}",
                "yes" if run else "no",
                str(counts.get("n_suspicious", "")),
                str(counts.get("n_rings", "")),
                str(run.get("model_version", "")),
                night["ban_list"],
            )
        places = [f"{name:>12}  {place}" for name, place in found.places.items()]
        head = f"{found.n_nights} nights loaded, champion {found.champion or 'none'}"
        return Group(head, table, *places)

    show(read_status(read_settings()), as_json, lines)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check set-up, settings, servers and disk, and say what to mend. Ends with 2 if something needs mending."""
    from ringwatch.pipelines.cli.doctor import Finding, examine

    findings = examine()

    def lines(found: list[Finding]) -> Table:
        table = Table("check", "", "finding", "what to do")
        for each in found:
            mark = {"ok": "[green]ok[/green]", "note": "[yellow]note[/yellow]", "bad": "[red]bad[/red]"}[each.state]
            table.add_row(each.check, mark, each.finding, each.remedy)
        return table

    show([vars(each) for each in findings] if as_json else findings, as_json, lines)
    if any(each.state == "bad" for each in findings):
        raise typer.Exit(2)
