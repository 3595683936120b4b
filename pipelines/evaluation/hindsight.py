"""Judges the nights that were detected here, by what has become known since."""

import logging
from typing import Any

from ringwatch.models.data.snapshot import read_snapshot
from ringwatch.models.evaluation.hindsight import MIN_EVALUATED, evaluate_night, labels_of_others
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.runs.store import detected_nights, read_run, read_run_table

_log = logging.getLogger(__name__)


def evaluate_stored_nights(settings: Settings) -> list[dict[str, Any]]:
    """Metrics of each night of which enough has become known, oldest first.

    Raises:
        RingwatchError: there is no such night.
    """
    nights, reports = detected_nights(settings), []
    newest = read_snapshot(settings.snapshots_dir / f"date={nights[-1]}")
    for position, night in enumerate(nights):
        _log.info("night %s of %s: %s", position + 1, len(nights), night)
        snapshot = read_snapshot(settings.snapshots_dir / f"date={night}")
        said = read_run_table(settings, night, "accounts")["fraud_score"].to_numpy()
        ranking = evaluate_night(snapshot, said, labels_of_others(snapshot, newest), seed=0)
        if ranking:
            version = read_run(settings, night).model_version
            reports.append({"name": str(night), "model_version": version, "ranking": ranking})
    if not reports:
        raise RingwatchError(
            f"of none of the {len(nights)} nights detected here have labels of {MIN_EVALUATED} fakes and"
            f" {MIN_EVALUATED} legitimate accounts become known since: deliver labels, or review accounts, and"
            " ask again."
        )
    return reports
