"""Load nights: check the signals, stage them, put them in the ledger, write what changed to the graph.

`stage_signal` needs no graph and may run for several signals at once; `load_staged` is the single writer.
Either can be run again at any point: nothing adds up twice.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neo4j import Driver

from ringwatch.graph_schema.graph import declaration_digest
from ringwatch.graph_schema.signals import ACCOUNTS, SIGNALS, SIGNALS_BY_NAME, Signal
from ringwatch.pipelines.common.errors import NothingToLoadError, QuarantineLimitError
from ringwatch.pipelines.common.locks import writer_lock
from ringwatch.pipelines.common.metering import metered
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.sql import Connection
from ringwatch.pipelines.decisions.harvest import harvest_reviews
from ringwatch.pipelines.graph.bulk_import import can_import, import_graph
from ringwatch.pipelines.graph.client import run
from ringwatch.pipelines.graph.load import Written, seen_since, write_graph
from ringwatch.pipelines.graph.mirror import GraphCopy
from ringwatch.pipelines.indicators.inbound import inbox
from ringwatch.pipelines.ingest.landing import Delivery, check_landing, delivery, fingerprint
from ringwatch.pipelines.ledger import accounting, in_force
from ringwatch.pipelines.ledger.quarantine import write_expired, write_rejected
from ringwatch.pipelines.ledger.store import (
    HELD_RELATIONSHIPS_SCHEMA,
    HELD_SCHEMA,
    UNWRITTEN_SCHEMA,
    Ledger,
    rows_schema,
)
from ringwatch.pipelines.ledger.tables import create_accounts, create_identifiers, create_relationships
from ringwatch.pipelines.ledger.touched import find_touched

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from ringwatch.pipelines.ingest.validation import Checked

Counts = dict[str, Any]


# Check and stage ------------------------------------------------------------------------------------


def stage_signal(settings: Settings, *, landing: Path, date: date, signal: str) -> Counts:
    """Check one signal of one night and keep its accepted rows for the load; the graph is not touched.

    Returns:
        The counts of the check: rows_in, quarantined, files_quarantined, and notes.

    Raises:
        QuarantineLimitError: too large a share of the rows failed.
    """
    check_landing(landing)
    declared = SIGNALS_BY_NAME[signal]
    found = delivery(landing, declared, date, require_success_file=settings.require_success_file)
    checked = check_deliveries(settings, [found]) if found else {}
    with metered("stage", signal=signal) as meter:
        record = stage_checked(settings, declared, date, found, checked.get(date))
        meter.rows = record["n_accepted"]
    return record


def check_deliveries(settings: Settings, deliveries: Sequence[Delivery]) -> "dict[date, Checked]":
    """Check deliveries of one signal together, by night."""
    # Here, for Great Expectations takes seconds to import, and who only loads the graph need not wait for it.
    from ringwatch.pipelines.ingest.validation import DataDocs, check

    signal = deliveries[0].signal
    with metered("check", signal=signal.name) as meter:
        checked = check(signal, deliveries, quarantine_limit=settings.quarantine_limit, docs=DataDocs(settings))
        meter.rows = sum(each.rows_in for each in checked.values())
    return checked


def stage_checked(
    settings: Settings, signal: Signal, day: date, found: Delivery | None, checked: "Checked | None"
) -> Counts:
    """Keep a checked delivery for the load, and its rejected rows in quarantine. None: there is no partition.

    Raises:
        QuarantineLimitError: too large a share of the rows failed.
    """
    ledger = Ledger(settings)
    if found is None or checked is None:
        record: Counts = {"delivered": False, "n_accepted": 0}
        ledger.stage(signal, day, rows_schema(signal).empty_table(), record)
        return record
    write_rejected(settings, signal, day, checked.quarantined)
    if checked.over_limit:
        raise QuarantineLimitError(checked.over_limit)
    record = {
        "delivered": True,
        "n_accepted": checked.accepted.num_rows,
        "rows_in": checked.rows_in,
        "quarantined": checked.quarantined.num_rows,
        "files_quarantined": checked.files_quarantined,
        "notes": list(checked.notes),
        "fingerprint": fingerprint(found),
    }
    ledger.stage(signal, day, checked.accepted, record)
    return record


# Load -----------------------------------------------------------------------------------------------


def load_staged(settings: Settings, driver: Driver, *, landing: Path, date: date) -> Counts:
    """Load the night that is staged. Returns its counts: `{date: {signal: counts}}`.

    Raises:
        NothingToLoadError: the night has no partition of any signal, or no accounts are known by then.
    """
    with writer_lock(settings, f"load of {date}"):
        return load_staged_nights(settings, driver, landing=landing, nights=[date])


def load_night(settings: Settings, driver: Driver, *, landing: Path, date: date) -> Counts:
    """Check, stage and load one night."""
    with writer_lock(settings, f"load of {date}"):
        for signal in SIGNALS:
            _log.info("checking %s", signal.name)
            stage_signal(settings, landing=landing, date=date, signal=signal.name)
        return load_staged_nights(settings, driver, landing=landing, nights=[date])


def load_staged_nights(settings: Settings, driver: Driver, *, landing: Path, nights: list[date]) -> Counts:
    """Load staged nights: one, or a batch that is later than all loaded before. Wants the writer lock."""
    began = time.monotonic()
    ledger = Ledger(settings)
    records = {night: ledger.staged_records(night) for night in nights}
    _demand_something(ledger, landing, records)
    note_unwritten_accounts(driver, ledger)
    faults = harvest_reviews(driver, ledger, nights)
    taken_in = {night: inbox.take_in(settings, landing, night) for night in nights}
    touched = find_touched(ledger, nights)
    GraphCopy(ledger).note(touched)
    ledger.write_state("unwritten", touched)
    ledger.commit_staged(nights)
    others = [night for night in ledger.nights() if night not in nights]
    with metered("load") as meter, ledger.query() as connection:
        accounts, written = _write(settings, driver, ledger, connection, nights, max(others, default=None))
        meter.rows = written.n_records
    _keep(settings, ledger, nights, accounts)
    counts = {str(night): _night_counts(night, records[night], accounts) for night in nights}
    seconds = round(time.monotonic() - began, 3)
    for night in nights:
        graph = asdict(written) if night == nights[-1] else None
        fingerprints = {name: record.get("fingerprint") for name, record in records[night].items()}
        facts = {"counts": counts[str(night)], "fingerprints": fingerprints, "graph": graph}
        facts |= {"indicators": taken_in[night], "indicators_fingerprint": inbox.fingerprint(settings, landing, night)}
        ledger.write_night(night, {**facts, "seconds": seconds, "faults": faults})
    ledger.write_declaration(declaration_digest())
    ledger.write_state("unwritten", UNWRITTEN_SCHEMA.empty_table())
    ledger.clear_staged(nights)
    return counts


def note_unwritten_accounts(driver: Driver, ledger: Ledger) -> None:
    """Note that every account is to be written, if the graph was emptied or is declared otherwise than it was."""
    if ledger.nights() and (ledger.declaration() != declaration_digest() or _is_empty(driver)):
        with ledger.query() as connection:
            everyone = connection.sql("SELECT DISTINCT account_id FROM ledger.accounts").to_arrow_table()
        ledger.write_state("unwritten", everyone.cast(UNWRITTEN_SCHEMA))


def _demand_something(ledger: Ledger, landing: Path, records: dict[date, dict[str, Counts]]) -> None:
    """Refuse nights without any partition, and those before the first accounts."""
    first_accounts = min(
        [*ledger.partitions(ACCOUNTS), *(night for night in records if records[night][ACCOUNTS.name]["delivered"])],
        default=date.max,
    )
    for night, by_signal in records.items():
        if not any(record["delivered"] for record in by_signal.values()):
            raise NothingToLoadError(
                f"{landing} has no partition of any signal for {night}: expected for instance"
                f" {landing / ACCOUNTS.name / f'date={night}'}. Is the date right, and has the export ended?"
            )
        if night < first_accounts:
            raise NothingToLoadError(
                f"no accounts are known by {night}: load the night of the first accounts partition in {landing} first."
            )


def _write(
    settings: Settings,
    driver: Driver,
    ledger: Ledger,
    connection: Connection,
    nights: list[date],
    latest_before: date | None,
) -> tuple[accounting.Accounts, Written]:
    connection.register("touched", ledger.read_state("unwritten", UNWRITTEN_SCHEMA))
    in_force.create_known_accounts(connection)
    is_empty = _is_empty(driver)  # then all accounts are touched
    only = "true" if is_empty else "account_id IN (FROM touched)"
    in_force.create_views(connection, held_days=settings.held_days, only=only)
    _log.info("counting")
    accounts = accounting.account_for(
        connection,
        nights=nights,
        latest_before=latest_before,
        held_days=settings.held_days,
        held_before=ledger.read_state("held", HELD_SCHEMA),
        held_relationships_before=ledger.read_state("held_relationships", HELD_RELATIONSHIPS_SCHEMA),
    )
    latest = max([*nights, latest_before or nights[0]])
    cutoff = seen_since(settings.retention_days, latest)
    create_relationships(connection, seen_since=cutoff)
    create_accounts(connection)
    if is_empty:
        create_identifiers(connection)
        if can_import(settings, driver, connection):
            _log.info("importing the graph, for which Neo4j pauses")
            return accounts, Written(import_graph(settings, driver, connection, ledger))
    with metered("write graph") as meter:
        written = write_graph(driver, connection, is_empty=is_empty, held_days=settings.held_days, seen_since=cutoff)
        meter.rows = written.n_records
    return accounts, written


def _is_empty(driver: Driver) -> bool:
    return not run(driver, "MATCH (n:Account) RETURN 1 AS one LIMIT 1")


def _keep(settings: Settings, ledger: Ledger, nights: list[date], accounts: accounting.Accounts) -> None:
    write_expired(settings, accounts.expired, nights)
    ledger.write_state("held", accounts.held)
    ledger.write_state("held_relationships", accounts.held_relationships)


def _night_counts(night: date, records: dict[str, Counts], accounts: accounting.Accounts) -> dict[str, Counts]:
    counts = {}
    for signal in SIGNALS:
        record = records[signal.name]
        read = dict.fromkeys(accounting.READ_COUNTS, 0) | accounts.read.get((night, signal.name), {})
        read = {"rows_in": record.get("rows_in", 0), **read, "files_quarantined": record.get("files_quarantined", 0)}
        read["quarantined"] += record.get("quarantined", 0)
        waited = dict.fromkeys(accounting.NIGHT_COUNTS, 0) | accounts.nights.get((night, signal.name), {})
        partitions = {str(night): read} if record["delivered"] else {}
        counts[signal.name] = {**read, **waited, "partitions": partitions, "notes": record.get("notes", [])}
    return counts
