"""Commands of what is exchanged with partners: indicators export, check, status, matches."""

import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from ringwatch.pipelines.cli.app import Day, Json, app, day_of, progress, show
from ringwatch.pipelines.cli.tables import Table, counts_table, number, text
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import read_settings

_log = logging.getLogger(__name__)

indicators_app = typer.Typer(
    no_args_is_help=True,
    help="STIX 2.1 indicators: those exported to partners from the published ban list, and those received from them.",
)
app.add_typer(indicators_app, name="indicators")


@indicators_app.command("export")
def export(date: Day, as_json: Json = False) -> None:
    """Export the indicators of a night whose ban list is out: for everybody, and for each of RINGWATCH_PARTNER_KEYS."""
    from ringwatch.pipelines.indicators.outbound.export import Exported, export_indicators

    def lines(found: Exported) -> Table:
        table = counts_table(str(found.folder), "file", "indicators", "infrastructure", "campaigns", "sightings")
        for name, counts in found.files.items():
            table.add_row(name, *(f"{n:,}" for n in counts.values()))
        return table

    with progress():
        _log.info("writing and validating bundles")
        found = export_indicators(read_settings(), date=day_of(date))
    show(found, as_json, lines)


@indicators_app.command("check")
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A bundle, as a partner sent it.")],
    as_json: Json = False,
) -> None:
    """Check a partner's bundle: what would be accepted if it were delivered today. Nothing is stored."""
    from ringwatch.pipelines.indicators.inbound.report import FileReport, report_on_file

    def lines(found: FileReport) -> str:
        if found.faults:
            return "\n".join([f"{file} would be rejected:", *(f"- {fault}" for fault in found.faults)])
        told = [f"{file} is {found.partner}'s; of {found.n_indicators:,} indicators:"]
        return "\n".join([*told, *(f"- {n:,} {what}" for what, n in found.counts.items())])

    found = report_on_file(read_settings(), file)
    show(found, as_json, lines)
    if found.faults:
        raise typer.Exit(RingwatchError.exit_code)


@indicators_app.command("status")
def status(date: Day, as_json: Json = False) -> None:
    """Show which indicators the load of a night accepted, and how many of each partner's are in force then."""
    from ringwatch.pipelines.indicators.inbound.report import Standing, standing

    def lines(found: Standing) -> str:
        taken = ", ".join(f"{n:,} {what}" for what, n in (found.taken_in or {}).items() if what != "notes")
        notes = [f"- {note}" for note in (found.taken_in or {}).get("notes", ())]
        told = [f"taken in of {found.date}: {taken or 'nothing was delivered'}", *notes]
        for partner, counts in found.partners.items():
            told.append(f"{partner}: " + ", ".join(f"{n:,} {what}" for what, n in counts.items()))
        return "\n".join([*told, *(f"cards of {partner} are not matched: no key" for partner in found.unkeyed)])

    show(standing(read_settings(), day_of(date)), as_json, lines)


@indicators_app.command("matches")
def matches(date: Day, as_json: Json = False) -> None:
    """List what partners' indicators matched on a night that has been detected."""
    from ringwatch.pipelines.indicators.matches import read_matches

    def lines(found: list[dict[str, Any]]) -> Table | str:
        table = Table("partner", text("names"), number("confidence"), number("accounts"), text("rings"))
        for each in found:
            rings = ", ".join(each["ring_ids"])
            names = ", ".join(each["identifiers"])
            table.add_row(each["partner"], names, str(each["confidence"]), f"{each['n_accounts']:,}", rings)
        return table if found else "nothing that partners named was seen"

    show(read_matches(read_settings(), day_of(date)).to_pylist(), as_json, lines)
