"""Train a candidate on the labels known at a night; it becomes champion when it is not worse than the one that is."""

import logging
import time
from dataclasses import dataclass, field
from datetime import date

from neo4j import Driver

from ringwatch.models.common.errors import TooFewLabelsError
from ringwatch.models.registry.artifact import version_of
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.registry.store import Registry
from ringwatch.models.training.promotion import compare_with_champion, register
from ringwatch.models.training.training import train as train_model
from ringwatch.pipelines.common.errors import NothingToLoadError
from ringwatch.pipelines.common.locks import writer_lock
from ringwatch.pipelines.common.metering import metered
from ringwatch.pipelines.common.progress import percent_logger
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.harvest import harvest_reviews
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.nightly.snapshot import take_snapshot

_log = logging.getLogger(__name__)

_SEED = 0
_LOCK_WAIT_S = 3600.0


@dataclass(frozen=True)
class TrainResult:
    """What training gave. Without enough labels there is no version, and `why` says what is missing."""

    date: str
    version: str | None
    promoted: bool
    why: str
    metrics: dict[str, float | None] = field(default_factory=dict)
    seconds: float = 0.0


def train(settings: Settings, driver: Driver, *, date: date | None = None) -> TrainResult:
    """Train on a night that has been loaded, by default the newest.

    Training takes minutes to hours and works on a snapshot that is kept, so other writers need not wait for it: the
    lock is held to take the snapshot, and to register what came of it.

    Raises:
        NothingToLoadError: it has not been loaded, or nothing has.
    """
    began = time.monotonic()
    # A load takes minutes: hours of training are not to be lost to it, nor a week's training not begun.
    patient = settings.model_copy(update={"lock_timeout_s": max(settings.lock_timeout_s, _LOCK_WAIT_S)})
    with writer_lock(patient, "snapshot for training"):
        ledger = Ledger(settings)
        nights = ledger.nights()
        if not nights:
            raise NothingToLoadError("no night has been loaded: run `ringwatch load` first.")
        night = date or nights[-1]
        harvest_reviews(driver, ledger)
        snapshot = take_snapshot(settings, driver, night)
    _log.info("training")
    try:
        with metered("train") as meter:
            meter.rows = snapshot.n_accounts
            candidate = train_model(
                snapshot,
                seed=_SEED,
                default=default_model(settings.default_model),
                progress=percent_logger(_log, "training"),
            )
    except TooFewLabelsError as error:
        return TrainResult(str(night), None, False, str(error))
    registry = Registry(settings.models_dir)
    champion = registry.champion_as_of(night)
    decision = compare_with_champion(registry, candidate, snapshot)
    with writer_lock(patient, "registration of a model"):
        if registry.champion_as_of(night) != champion:  # promoted or rolled back meanwhile
            decision = compare_with_champion(registry, candidate, snapshot)
        register(registry, candidate, snapshot, decision)
    return TrainResult(
        str(night),
        version_of(candidate.model),
        decision.promoted,
        decision.why,
        dict(candidate.model.metrics),
        round(time.monotonic() - began, 3),
    )
