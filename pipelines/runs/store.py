"""What each night's detection found, kept by night: the run's facts, scores, rings, members, and what to ask people.

RUNS/date=D/run.json, accounts.parquet, rings.parquet, members.parquet, questions.parquet, partner_matches.parquet
EXPORTS/scores/date=D/scores.parquet, rings.parquet   what enforcement reads, in the contract's columns
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ringwatch.models.common.atomic_folder import replace_folder
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.pipelines.common.atomic_file import write_json
from ringwatch.pipelines.common.date_folders import nights_in
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.ledger.store import write_parquet

if TYPE_CHECKING:  # those who read runs need not import what scores
    from ringwatch.models.scoring.detection import Detection

_MONTH = 30  # nights that analysts and reports look back


@dataclass(frozen=True)
class Run:
    """The facts of one night's detection; `drift` is empty for a model that no night here has trained."""

    run_id: str
    date: date
    model_version: str
    is_default: bool
    thresholds: Thresholds
    counts: dict[str, int]
    # PSI against the model's training night by column, `ringwatch.models.registry.drift.SCORE` among them
    drift: dict[str, float] = field(default_factory=dict)


def write_run(
    settings: Settings, run: Run, detection: "Detection", questions: pa.Table, partner_matches: pa.Table
) -> None:
    """Keep a run and publish its scores, each folder whole or not at all."""
    facts = {**asdict(run), "date": str(run.date)}
    tables = {
        "accounts": detection.accounts,
        "rings": detection.rings,
        "members": detection.members,
        "questions": questions,
        "partner_matches": partner_matches,
    }
    _write_folder(settings.runs_dir / f"date={run.date}", tables, facts)
    scores = {"scores": detection.accounts, "rings": detection.rings}
    _write_folder(settings.exports_dir / "scores" / f"date={run.date}", scores, None)


def run_nights(settings: Settings) -> list[date]:
    """Nights detected, in order."""
    return nights_in(settings.runs_dir)


def night_before(settings: Settings, night: date) -> date | None:
    """The night detected last before another; None if there is none."""
    return max((other for other in run_nights(settings) if other < night), default=None)


def nights_up_to(settings: Settings, night: date) -> list[date]:
    """A night and those detected before it, in order, at most `_MONTH` of them."""
    return [other for other in run_nights(settings) if other <= night][-_MONTH:]


def detected_nights(settings: Settings) -> list[date]:
    """Nights detected, in order, of which there must be some.

    Raises:
        RingwatchError: there is none.
    """
    nights = run_nights(settings)
    if not nights:
        raise RingwatchError("no night has been detected: run `ringwatch nightly` first.")
    return nights


def read_run(settings: Settings, night: date) -> Run:
    """The facts of a night's run.

    Raises:
        RingwatchError: the night has not been detected.
    """
    path = settings.runs_dir / f"date={night}" / "run.json"
    if not path.exists():
        raise RingwatchError(f"{night} has not been detected: run `ringwatch detect --date {night}` first.")
    facts: dict[str, Any] = json.loads(path.read_text())
    facts["thresholds"] = Thresholds(**facts["thresholds"])
    return Run(**{**facts, "date": date.fromisoformat(facts["date"])})


def read_run_table(
    settings: Settings,
    night: date,
    name: str,
    *,
    columns: Sequence[str] | None = None,
    filters: Sequence[tuple[str, str, object]] | None = None,
) -> pa.Table:
    """A table of a night's run: accounts, rings, members or questions; or some columns, and the rows that pass filters.

    Raises:
        RingwatchError: the night was detected before such a table was kept.
    """
    path = settings.runs_dir / f"date={night}" / f"{name}.parquet"
    if not path.exists():
        raise RingwatchError(f"{path} is not there: run `ringwatch detect --date {night}` again.")
    return pq.read_table(path, columns=list(columns) if columns else None, filters=filters, partitioning=None)


def table_digest(table: pa.Table) -> str:
    """SHA-256 of a table's content as Parquet."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return hashlib.sha256(sink.getvalue()).hexdigest()


def _write_folder(target: Path, tables: dict[str, pa.Table], facts: dict[str, Any] | None) -> None:
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name, table in tables.items():
        write_parquet(table, partial / f"{name}.parquet")
    if facts is not None:
        write_json(facts, partial / "run.json")
    replace_folder(partial, target)
