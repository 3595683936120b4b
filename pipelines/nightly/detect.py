"""Detect one night: snapshot, score, rings, export, and write back if no later night has been detected.

An older night sees the ledger, the champion and the rings as of then, and leaves the graph's newer scores alone.
"""

import hashlib
import json
import logging
import time
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from neo4j import Driver

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.registry.default_model import default_model, default_version
from ringwatch.models.registry.drift import drift_from
from ringwatch.models.registry.store import Registry
from ringwatch.models.rings.cleared import ClearedRings
from ringwatch.models.rings.identity import Rings
from ringwatch.models.scoring.detection import Detection
from ringwatch.models.scoring.detection import detect as detect_rings
from ringwatch.models.scoring.detector import Detector, GnnDetector, load_detector
from ringwatch.models.scoring.scoring import Scores
from ringwatch.pipelines.ban_list.rules.candidates import candidates_of
from ringwatch.pipelines.ban_list.rules.policy import read_policy
from ringwatch.pipelines.common.locks import writer_lock
from ringwatch.pipelines.common.metering import metered
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.cleared import cleared_rings
from ringwatch.pipelines.decisions.harvest import harvest_reviews
from ringwatch.pipelines.indicators.inbound.matching import match_partners
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.nightly.snapshot import snapshot_digest, take_snapshot
from ringwatch.pipelines.nightly.write_back import count_labels, write_back
from ringwatch.pipelines.report import write_report
from ringwatch.pipelines.review.questions import make_questions
from ringwatch.pipelines.runs.store import (
    Run,
    night_before,
    read_run,
    read_run_table,
    run_nights,
    table_digest,
    write_run,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DetectResult:
    """What a detection found, and where it is."""

    run_id: str
    date: str
    model_version: str
    is_default: bool
    in_graph: bool  # False: a later night's scores stay in the graph
    counts: dict[str, int]
    scores: str
    report: str
    seconds: float
    faults: list[str]


class _Scored(NamedTuple):
    scores: Scores
    detector: Detector
    model_version: str
    is_default: bool
    drift: dict[str, float]


def detect(settings: Settings, driver: Driver, *, date: date) -> DetectResult:
    """Detect a night that has been loaded.

    Raises:
        NothingToLoadError: it has not.
    """
    with writer_lock(settings, f"detection of {date}"):
        began = time.monotonic()
        faults = harvest_reviews(driver, Ledger(settings))
        snapshot = take_snapshot(settings, driver, date)
        in_graph = all(night <= date for night in run_nights(settings))
        run, detection = detect_in(settings, snapshot)
        if in_graph:
            with metered("write back") as meter:
                meter.rows = write_back(settings, driver, run, detection)
        with metered("report"):
            report = write_report(settings, date)
    return DetectResult(
        run_id=run.run_id,
        date=str(date),
        model_version=run.model_version,
        is_default=run.is_default,
        in_graph=in_graph,
        counts=run.counts,
        scores=str(settings.exports_dir / "scores" / f"date={date}"),
        report=str(report),
        seconds=round(time.monotonic() - began, 3),
        faults=faults,
    )


def detect_in(settings: Settings, snapshot: Snapshot) -> tuple[Run, Detection]:
    """Detect in a snapshot that is kept, and keep what was found; the graph is left as it is."""
    scored, cleared = _score(settings, snapshot), cleared_rings(settings, snapshot)
    _log.info("finding rings")
    with metered("rings") as meter:
        detection = detect_rings(
            snapshot,
            scored.scores,
            thresholds=scored.detector.thresholds,
            ring_classifier=scored.detector.ring_classifier,
            previous=_previous_rings(settings, snapshot.date),
            cleared_rings=cleared,
            is_default=scored.is_default,
        )
        meter.rows = snapshot.n_accounts
    with metered("export") as meter:
        run = _export(settings, snapshot, scored, cleared, detection)
        meter.rows = snapshot.n_accounts
    return run, detection


def _export(
    settings: Settings, snapshot: Snapshot, scored: _Scored, cleared: ClearedRings, detection: Detection
) -> Run:
    """Keep what was found, with what to ask people about it."""
    run = _run(settings, snapshot, scored, cleared, detection)
    candidates = candidates_of(settings, run, snapshot, detection.accounts, read_policy(settings.policy))
    matches = match_partners(settings, snapshot, detection.accounts)
    write_run(settings, run, detection, make_questions(settings, detection, candidates, matches.hits), matches.table)
    return run


def _score(settings: Settings, snapshot: Snapshot) -> _Scored:
    registry = Registry(settings.models_dir)
    champion = registry.champion_as_of(snapshot.date)
    detector: Detector = (
        load_detector(registry, champion) if champion else GnnDetector(default_model(settings.default_model))
    )
    version = champion or default_version(settings.default_model)
    _log.info("scoring %s accounts with %s", f"{snapshot.n_accounts:,}", version)
    with metered("score", model=version) as meter:
        scores, meter.rows = detector.score(snapshot), snapshot.n_accounts
    reference = registry.reference(champion) if champion else None
    with metered("drift") as meter:
        drift, meter.rows = drift_from(reference, snapshot, scores.fake) if reference else {}, snapshot.n_accounts
    return _Scored(scores, detector, version, champion is None, drift)


def _previous_rings(settings: Settings, night: date) -> Rings | None:
    before = night_before(settings, night)
    if before is None:
        return None
    return Rings(read_run_table(settings, before, "rings"), read_run_table(settings, before, "members"))


def _run(settings: Settings, snapshot: Snapshot, scored: _Scored, cleared: ClearedRings, detection: Detection) -> Run:
    accounts, rings = count_labels(detection.accounts), count_labels(detection.rings)
    before = night_before(settings, snapshot.date)
    inputs = {
        "snapshot": snapshot_digest(settings, snapshot.date),
        "model_version": scored.model_version,
        "cleared_rings": [[ring.decision, ring.members.tolist()] for ring in cleared.rings],
        "previous": read_run(settings, before).run_id if before else None,
        # What came out as well: whatever setting or change of code made it differ, it is another run.
        "findings": [table_digest(table) for table in (detection.accounts, detection.rings, detection.members)],
    }
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    return Run(
        run_id=f"run-{snapshot.date}-{digest[:8]}",
        date=snapshot.date,
        model_version=scored.model_version,
        is_default=scored.is_default,
        thresholds=scored.detector.thresholds,
        counts={
            "n_accounts": snapshot.n_accounts,
            "n_suspicious": accounts["suspicious"],
            "n_watch": accounts["watch"],
            "n_rings": rings["suspicious"] + rings["watch"],
            "n_suspicious_rings": rings["suspicious"],
            "n_lawful_groups": rings["clear"],
        },
        drift=scored.drift,
    )
