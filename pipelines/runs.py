"""What each night's detection found, kept by night: the run's facts, every account's score, rings and members.

RUNS/date=D/run.json, accounts.parquet, rings.parquet, members.parquet
EXPORTS/scores/date=D/scores.parquet, rings.parquet   what enforcement reads, in the contract's columns
"""

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from models.detection import Detection
from models.thresholds import Thresholds
from pipelines.errors import RingwatchError
from pipelines.ledger import write_json, write_parquet
from pipelines.settings import Settings


@dataclass(frozen=True)
class Run:
    """The facts of one night's detection."""

    run_id: str
    date: date
    model_version: str
    is_default: bool
    thresholds: Thresholds
    counts: dict[str, int]


def write_run(settings: Settings, run: Run, detection: Detection) -> None:
    """Keep a run and publish its scores, each folder whole or not at all."""
    facts = {**asdict(run), "date": str(run.date)}
    tables = {"accounts": detection.accounts, "rings": detection.rings, "members": detection.members}
    _write_folder(settings.runs_dir / f"date={run.date}", tables, facts)
    scores = {"scores": detection.accounts, "rings": detection.rings}
    _write_folder(settings.exports_dir / "scores" / f"date={run.date}", scores, None)


def run_nights(settings: Settings) -> list[date]:
    """Nights detected, in order."""
    return sorted(date.fromisoformat(folder.name.removeprefix("date=")) for folder in settings.runs_dir.glob("date=*"))


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


def read_run_table(settings: Settings, night: date, name: str) -> pa.Table:
    """A table of a night's run: accounts, rings or members."""
    return pq.read_table(settings.runs_dir / f"date={night}" / f"{name}.parquet", partitioning=None)


def _write_folder(target: Path, tables: dict[str, pa.Table], facts: dict[str, Any] | None) -> None:
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name, table in tables.items():
        write_parquet(table, partial / f"{name}.parquet")
    if facts is not None:
        write_json(facts, partial / "run.json")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
