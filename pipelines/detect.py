"""Detect one night: snapshot, score, rings, export, and write back if no later night has been detected.

An older night sees the ledger, the champion and the rings as of then, and leaves the graph's newer scores alone.
"""

import hashlib
import json
import time
from dataclasses import dataclass
from datetime import date

import numpy as np
from neo4j import Driver

from models.detection import Detection
from models.detection import detect as detect_rings
from models.registry import Registry
from models.rings import Rings
from models.scoring import score
from models.snapshot import Snapshot
from models.structural import STRUCTURAL_THRESHOLDS, structural_scores
from models.thresholds import Thresholds
from pipelines.graph_load import Say
from pipelines.ledger import Ledger
from pipelines.reviews import harvest_reviews
from pipelines.runs import Run, read_run, read_run_table, run_nights, write_run
from pipelines.settings import Settings
from pipelines.snapshot import snapshot_digest, take_snapshot
from pipelines.write_back import count_labels, write_back
from pipelines.writer_lock import writer_lock

STRUCTURAL = "structural"


@dataclass(frozen=True)
class DetectResult:
    """What a detection found, and where it is."""

    run_id: str
    date: str
    model_version: str
    is_structural: bool
    in_graph: bool  # False: a later night's scores stay in the graph
    counts: dict[str, int]
    scores: str
    seconds: float
    faults: list[str]


@dataclass(frozen=True)
class _Scores:
    values: np.ndarray  # [n_accounts] float64
    thresholds: Thresholds
    model_version: str


def detect(settings: Settings, driver: Driver, *, date: date, say: Say = lambda _: None) -> DetectResult:
    """Detect a night that has been loaded.

    Raises:
        NothingToLoadError: it has not.
    """
    with writer_lock(settings, f"detection of {date}"):
        began = time.monotonic()
        faults = harvest_reviews(driver, Ledger(settings))
        snapshot = take_snapshot(settings, driver, date, say)
        scores = _score(settings, snapshot, say)
        say("finding rings")
        detection = detect_rings(
            snapshot,
            scores.values,
            thresholds=scores.thresholds,
            previous=_previous_rings(settings, date),
            is_structural=scores.model_version == STRUCTURAL,
        )
        run = _run(settings, snapshot, scores, detection)
        in_graph = all(night <= date for night in run_nights(settings))
        write_run(settings, run, detection)
        if in_graph:
            write_back(driver, run, detection, say)
    return DetectResult(
        run_id=run.run_id,
        date=str(date),
        model_version=run.model_version,
        is_structural=run.is_structural,
        in_graph=in_graph,
        counts=run.counts,
        scores=str(settings.exports_dir / "scores" / f"date={date}"),
        seconds=round(time.monotonic() - began, 3),
        faults=faults,
    )


def _score(settings: Settings, snapshot: Snapshot, say: Say) -> _Scores:
    registry = Registry(settings.models_dir)
    version = registry.champion_as_of(snapshot.date)
    if version is None:
        say("scoring by structure alone, for there is no trained model as of that night")
        return _Scores(structural_scores(snapshot), STRUCTURAL_THRESHOLDS, STRUCTURAL)
    say(f"scoring {snapshot.n_accounts:,} accounts with {version}")
    model = registry.load(version)
    return _Scores(score(model, snapshot), model.thresholds, version)


def _previous_rings(settings: Settings, night: date) -> Rings | None:
    before = [other for other in run_nights(settings) if other < night]
    if not before:
        return None
    return Rings(read_run_table(settings, before[-1], "rings"), read_run_table(settings, before[-1], "members"))


def _run(settings: Settings, snapshot: Snapshot, scores: _Scores, detection: Detection) -> Run:
    accounts, rings = count_labels(detection.accounts), count_labels(detection.rings)
    before = [other for other in run_nights(settings) if other < snapshot.date]
    inputs = {
        "snapshot": snapshot_digest(settings, snapshot.date),
        "model_version": scores.model_version,
        "previous": read_run(settings, before[-1]).run_id if before else None,
    }
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    return Run(
        run_id=f"run-{snapshot.date}-{digest[:8]}",
        date=snapshot.date,
        model_version=scores.model_version,
        is_structural=scores.model_version == STRUCTURAL,
        thresholds=scores.thresholds,
        counts={
            "n_accounts": snapshot.n_accounts,
            "n_suspicious": accounts["suspicious"],
            "n_watch": accounts["watch"],
            "n_rings": detection.rings.num_rows,
            "n_suspicious_rings": rings["suspicious"],
        },
    )
