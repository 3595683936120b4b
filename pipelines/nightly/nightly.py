"""Everything of one night: load, train when the champion is missing or old, detect, propose a ban list."""

import logging
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from neo4j import Driver

from ringwatch.models.registry.catalog import Catalog
from ringwatch.pipelines.ban_list import propose
from ringwatch.pipelines.common.metering import metered
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.nightly.detect import detect
from ringwatch.pipelines.nightly.load import load_night
from ringwatch.pipelines.nightly.train import train

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NightlyResult:
    """What each step of a night reported; `trained` is None where the champion is young enough."""

    counts: dict[str, Any]
    trained: dict[str, Any] | None
    detected: dict[str, Any]
    proposed: dict[str, Any]


def nightly(settings: Settings, driver: Driver, *, landing: Path, date: date) -> NightlyResult:
    """Do one night from its files to a proposed ban list; publishing waits for a person."""
    counts = load_night(settings, driver, landing=landing, date=date)
    trained = asdict(train(settings, driver, date=date)) if is_due(settings, date) else None
    detected = asdict(detect(settings, driver, date=date))
    _log.info("proposing the ban list")
    with metered("propose") as meter:
        proposed = propose(settings, date=date)
        meter.rows = sum(proposed.counts["ban_list"].values())
    return NightlyResult(counts, trained, detected, asdict(proposed))


def is_due(settings: Settings, night: date) -> bool:
    """Whether the newest model as of the night, promoted or not, is missing or too old."""
    tried = [date.fromisoformat(stored.snapshot_date) for stored in Catalog(settings.models_dir).list_models()]
    tried = [day for day in tried if day <= night]
    return not tried or (night - max(tried)).days >= settings.train_every_days
