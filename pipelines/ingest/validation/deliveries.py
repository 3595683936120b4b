"""Deliveries in, accepted and quarantined rows out: reads, casts and checks one signal, one or many nights together."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.signals import Signal
from ringwatch.pipelines.ingest.batches import gather_batches, read_files
from ringwatch.pipelines.ingest.casting.contacts import strike_contacts
from ringwatch.pipelines.ingest.landing import Delivery
from ringwatch.pipelines.ingest.readers import RawFile
from ringwatch.pipelines.ingest.validation.data_docs import DataDocs
from ringwatch.pipelines.ingest.validation.outcome import ValidationOutcome, validate_batch
from ringwatch.pipelines.ledger.quarantine import quarantine_schema
from ringwatch.pipelines.ledger.store import rows_schema

_N_SAMPLES = 3
_EXPECT_READABLE = "expect_line_to_be_readable"  # what a broken line fails, before Great Expectations sees it


@dataclass(frozen=True)
class Checked:
    """A night's delivery of one signal, checked. rows_in = accepted + quarantined."""

    signal: Signal
    date: date
    accepted: pa.Table  # see ledger.rows_schema; in order of precedence
    quarantined: pa.Table  # see quarantine.quarantine_schema
    rows_in: int
    files_quarantined: int  # unreadable as a whole, and outside the row counts
    notes: tuple[str, ...]  # what was ignored or unreadable, in sentences
    over_limit: str | None  # why the night must stop; None while the share in quarantine is within the limit


@dataclass
class _Night:
    """What is known of a night so far."""

    delivery: Delivery
    accepted: list[pa.Table] = field(default_factory=list)
    quarantined: list[pa.Table] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)  # rows by the expectation that they failed
    samples: dict[str, list[tuple[str, int]]] = field(default_factory=dict)  # file and row of some of them
    files_quarantined: int = 0
    notes: list[str] = field(default_factory=list)


def check(
    signal: Signal, deliveries: Sequence[Delivery], *, quarantine_limit: float, docs: DataDocs | None
) -> dict[date, Checked]:
    """Read, cast and check deliveries of one signal.

    Args:
        signal: what the files should hold.
        deliveries: of different nights; tiny ones cost little when they are checked together.
        quarantine_limit: the share of a night's rows in quarantine above which `over_limit` is said.
        docs: where Great Expectations' pages go; None for nowhere.

    Returns:
        The outcome on each night.
    """
    nights = {delivered.date: _Night(delivered) for delivered in deliveries}
    results = []
    for batch in gather_batches(_note_files(signal, read_files(signal, deliveries), nights)):
        outcome = validate_batch(signal, batch)
        _split_by_night(outcome, nights)
        results.append(outcome.result)
    checked = {day: _conclude(signal, night, quarantine_limit) for day, night in nights.items()}
    if docs is not None and results:
        docs.add(signal, sorted(nights), results)
    return checked


def _note_files(
    signal: Signal, files: Iterator[tuple[Delivery, Path, RawFile]], nights: dict[date, _Night]
) -> Iterator[tuple[Delivery, Path, RawFile]]:
    """Pass the files on, keeping what is to be said of each and its broken lines."""
    for night in nights.values():
        night.notes += [f"{path.name} was ignored: unknown ending" for path in night.delivery.ignored]
    for delivered, path, raw in files:
        night = nights[delivered.date]
        if raw.unreadable is not None:
            night.files_quarantined += 1
            night.notes.append(f"{path.name} was quarantined as a file: {raw.unreadable}")
        night.notes += [f"{path.name}: unknown column {name} was ignored" for name in raw.unknown_columns]
        if raw.broken:
            night.quarantined.append(_broken_rows(signal, delivered, path, raw))
            night.failed[_EXPECT_READABLE] += len(raw.broken)
            night.samples.setdefault(_EXPECT_READABLE, [(path.name, line.row) for line in raw.broken[:_N_SAMPLES]])
        yield delivered, path, raw


def _broken_rows(signal: Signal, delivered: Delivery, path: Path, raw: RawFile) -> pa.Table:
    place = {"signal": signal.name, "partition": delivered.date.isoformat(), "file": path.name}
    texts = strike_contacts(pa.array([line.text for line in raw.broken], pa.string())).to_pylist()
    rows = [
        {**place, "row": line.row, "reason": line.reason, "raw": text}
        for line, text in zip(raw.broken, texts, strict=True)
    ]
    return pa.Table.from_pylist(rows, quarantine_schema(signal))


def _split_by_night(outcome: ValidationOutcome, nights: dict[date, _Night]) -> None:
    """Give each night its rows; those of one night lie together."""
    for day, rows in _by_day(outcome.accepted["partition"]):
        nights[day].accepted.append(outcome.accepted.slice(*rows).drop_columns("partition"))
    for day, rows in _by_day(outcome.quarantined["partition"].cast(pa.date32())):
        nights[day].quarantined.append(outcome.quarantined.slice(*rows))
    for failure in outcome.failures:
        failed = outcome.origin.take(pa.array(failure.rows))
        for day, (start, n_rows) in _by_day(failed["partition"]):
            sample = failed.slice(start, min(n_rows, _N_SAMPLES)).select(["file", "row"]).to_pylist()
            nights[day].failed[failure.expectation] += n_rows
            nights[day].samples.setdefault(failure.expectation, [(row["file"], row["row"]) for row in sample])


def _by_day(days: pa.ChunkedArray) -> Iterator[tuple[date, tuple[int, int]]]:
    """Runs of one day, with the offset and number of their rows."""
    if not len(days):
        return
    runs = pc.run_end_encode(days.combine_chunks())
    starts = np.concatenate([[0], runs.run_ends.to_numpy()])
    for day, start, end in zip(runs.values.to_pylist(), starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        yield day, (start, end - start)


def _conclude(signal: Signal, night: _Night, quarantine_limit: float) -> Checked:
    accepted = pa.concat_tables([rows_schema(signal).empty_table(), *night.accepted])
    if len(night.accepted) > 1:
        accepted = accepted.sort_by("precedence")
    quarantined = pa.concat_tables([quarantine_schema(signal).empty_table(), *night.quarantined])
    if len(night.quarantined) > 1:
        quarantined = quarantined.sort_by([("file", "ascending"), ("row", "ascending")])
    rows_in = accepted.num_rows + quarantined.num_rows
    is_over = quarantined.num_rows > quarantine_limit * rows_in
    return Checked(
        signal=signal,
        date=night.delivery.date,
        accepted=accepted,
        quarantined=quarantined,
        rows_in=rows_in,
        files_quarantined=night.files_quarantined,
        notes=tuple(night.notes),
        over_limit=_over_limit(signal, night, quarantined, rows_in, quarantine_limit) if is_over else None,
    )


def _over_limit(signal: Signal, night: _Night, quarantined: pa.Table, rows_in: int, quarantine_limit: float) -> str:
    expectation, n_failed = night.failed.most_common(1)[0]
    reasons = [_reason(quarantined, *place) for place in night.samples[expectation]]
    return (
        f"{signal.name} of {night.delivery.date}: {quarantined.num_rows} of {rows_in} rows are in quarantine, more "
        f"than the limit of {quarantine_limit:.0%}; {n_failed} failed {expectation}. For example {'; '.join(reasons)}. "
        "Mend the delivery and load the night again, or raise RINGWATCH_QUARANTINE_LIMIT."
    )


def _reason(quarantined: pa.Table, file: str, row: int) -> str:
    rows = quarantined.filter((pc.field("file") == file) & (pc.field("row") == row))
    return f"{file} row {row}: {rows['reason'][0]}"
