"""Load a span of nights: those that come after all loaded ones together, others singly, unchanged ones not at all."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from neo4j import Driver

from ringwatch.graph_schema.signals import SIGNALS
from ringwatch.pipelines.common.errors import NothingToLoadError, QuarantineLimitError, RingwatchError
from ringwatch.pipelines.common.locks import writer_lock
from ringwatch.pipelines.common.metering import metered
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.indicators.inbound import inbox
from ringwatch.pipelines.ingest.landing import Delivery, check_landing, delivery, fingerprint
from ringwatch.pipelines.ledger.store import UNWRITTEN_SCHEMA, Ledger
from ringwatch.pipelines.nightly.detect import DetectResult, detect
from ringwatch.pipelines.nightly.load import (
    check_deliveries,
    load_staged_nights,
    note_unwritten_accounts,
    stage_checked,
)

_log = logging.getLogger(__name__)

_BATCH_BYTES = 64_000_000  # of files: what is checked together fits in memory many times over

Night = dict[str, Delivery | None]  # what lies for each signal


@dataclass
class BackfillResult:
    """What a backfill did: counts by night and signal, nights passed over, and the detections."""

    nights: dict[str, dict[str, Any]] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    detections: list[DetectResult] = field(default_factory=list)


def backfill(
    settings: Settings,
    driver: Driver,
    *,
    landing: Path,
    first: date,
    last: date,
    detect_every: int | None = None,
) -> BackfillResult:
    """Load every night of a span, and detect the last, or every so many.

    Raises:
        QuarantineLimitError: a night has too large a share of bad rows; the nights before it are loaded.
        NothingToLoadError: no night of the span has a partition.
    """
    check_landing(landing)
    if first > last:
        raise RingwatchError(f"the span from {first} to {last} is empty: --from must not be after --to.")
    result = BackfillResult()
    found = _nights(settings, landing, first, last, result)
    if not found:
        raise NothingToLoadError(f"{landing} has no partition of any signal from {first} to {last}.")
    nights = sorted(found)
    to_detect = {nights[-1], *(nights[detect_every - 1 :: detect_every] if detect_every else ())}
    with writer_lock(settings, f"backfill of {first} to {last}"):
        note_unwritten_accounts(driver, Ledger(settings))
    for span in _spans(Ledger(settings), found, to_detect):
        with writer_lock(settings, f"backfill of {span[0]} to {span[-1]}"):
            _load_span(settings, driver, landing, span, found, result)
        if span[-1] in to_detect:
            result.detections.append(detect(settings, driver, date=span[-1]))
    return result


def _nights(settings: Settings, landing: Path, first: date, last: date, result: BackfillResult) -> dict[date, Night]:
    found = {}
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        night: Night = {
            s.name: delivery(landing, s, day, require_success_file=settings.require_success_file) for s in SIGNALS
        }
        if any(night.values()):
            found[day] = night
        else:
            result.empty.append(str(day))
    return found


def _spans(ledger: Ledger, found: dict[date, Night], to_detect: set[date]) -> Iterator[list[date]]:
    """Nights to load in one go: those after all loaded ones, up to a night to detect; others alone."""
    latest = max(ledger.nights(), default=date.min)
    span: list[date] = []
    for day in sorted(found):
        span.append(day)
        if day <= latest or day in to_detect:
            yield span
            span = []
    if span:
        yield span


def _load_span(
    settings: Settings,
    driver: Driver,
    landing: Path,
    span: list[date],
    found: dict[date, Night],
    result: BackfillResult,
) -> None:
    if len(span) == 1 and (known := _known_counts(settings, landing, span[0], found[span[0]])):
        result.unchanged.append(str(span[0]))
        result.nights[str(span[0])] = known
        return
    staged: list[date] = []
    fault = None
    try:
        for batch in _batches(span, found):
            _log.info("checking %s to %s (%s nights)", batch[0], batch[-1], f"{len(batch):,}")
            for day in _stage_batch(settings, batch, found):
                staged.append(day)
    except QuarantineLimitError as error:
        fault = error
    if staged:
        _log.info("loading %s to %s", staged[0], staged[-1])
        result.nights.update(load_staged_nights(settings, driver, landing=landing, nights=staged))
    if fault:
        raise fault


def _batches(span: list[date], found: dict[date, Night]) -> Iterator[list[date]]:
    """Nights to check in one go, up to a size."""
    batch: list[date] = []
    n_bytes = 0
    for day in span:
        batch.append(day)
        n_bytes += sum(file.stat().st_size for each in found[day].values() if each for file in each.files)
        if n_bytes >= _BATCH_BYTES:
            yield batch
            batch, n_bytes = [], 0
    if batch:
        yield batch


def _stage_batch(settings: Settings, batch: list[date], found: dict[date, Night]) -> Iterator[date]:
    """Check nights together and stage them one by one; yields each that is staged."""
    checked = {}
    for signal in SIGNALS:
        deliveries = [each for day in batch if (each := found[day][signal.name])]
        checked[signal.name] = check_deliveries(settings, deliveries) if deliveries else {}
    for day in batch:
        with metered("stage", night=str(day)) as meter:
            for signal in SIGNALS:
                of_night = checked[signal.name].get(day)
                record = stage_checked(settings, signal, day, found[day][signal.name], of_night)
                meter.rows += record["n_accepted"]
        yield day


def _known_counts(settings: Settings, landing: Path, day: date, night: Night) -> dict[str, Any] | None:
    """Counts of the last load of a night that lies as it was then; None if it must be loaded."""
    ledger = Ledger(settings)
    record = ledger.read_night(day)
    fingerprints = {name: fingerprint(each) if each else None for name, each in night.items()}
    if record is None or record["fingerprints"] != fingerprints:
        return None
    if record.get("indicators_fingerprint") != inbox.fingerprint(settings, landing, day):
        return None
    if ledger.read_state("unwritten", UNWRITTEN_SCHEMA).num_rows:
        return None  # an earlier load was broken off: this one writes what it owes
    counts: dict[str, Any] = record["counts"]
    return counts
