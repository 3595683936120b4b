"""What was started of the embedded Airflow, in a file, so that another command finds it and can end it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ringwatch.infra.process.sessions import Session
from ringwatch.pipelines.common.atomic_file import write_json
from ringwatch.pipelines.common.settings import Settings


@dataclass(frozen=True)
class Record:
    """The port, and the sessions of the parts started so far."""

    port: int
    sessions: tuple[Session, ...]


def read_record(settings: Settings) -> Record | None:
    """What was started and not stopped; None for nothing."""
    try:
        raw = json.loads(_file(settings).read_text())
    except FileNotFoundError:
        return None
    return Record(raw["port"], tuple(Session(**session) for session in raw["sessions"]))


def write_record(settings: Settings, record: Record) -> None:
    """Keep what was started."""
    write_json(asdict(record), _file(settings))


def remove_record(settings: Settings) -> None:
    """Forget it: all was ended."""
    _file(settings).unlink(missing_ok=True)


def _file(settings: Settings) -> Path:
    return settings.airflow_dir / "processes.json"
