"""What lies in a landing zone: which signals, which nights, which files. It opens none of them."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ringwatch.graph_schema.signals import SIGNALS, SIGNALS_BY_NAME, Signal
from ringwatch.pipelines.common.errors import RingwatchError

FILE_ENDINGS = (".parquet", ".csv", ".csv.gz", ".jsonl")
_DATE_FOLDER = re.compile(r"date=(\d{4}-\d{2}-\d{2})")
INDICATORS = "indicators"  # inbound STIX bundles lie beside the signals
_BUNDLE_ENDINGS = (".json",)


@dataclass(frozen=True)
class Delivery:
    """A signal's files for one night as they lie now."""

    signal: Signal
    date: date
    files: tuple[Path, ...]  # by name: of rows with one key the later file's wins
    ignored: tuple[Path, ...]  # of unknown ending


def check_landing(landing: Path) -> list[str]:
    """Make sure that this is a landing zone.

    Returns:
        One readable sentence for each folder in it that is ignored.

    Raises:
        RingwatchError: the folder is missing, or holds no folder named after a signal.
    """
    expected = ", ".join(signal.name for signal in SIGNALS)
    if not landing.is_dir():
        raise RingwatchError(
            f"landing zone {landing} is not a folder: give the one that holds the signals' folders ({expected})."
        )
    names = sorted(entry.name for entry in landing.iterdir() if _is_read(entry.name))
    if not any(name in SIGNALS_BY_NAME and (landing / name).is_dir() for name in names):
        found = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "nothing"
        raise RingwatchError(
            f"landing zone {landing} holds no signal: found {found}, expected at least one folder of {expected}, "
            "each with folders date=YYYY-MM-DD in it."
        )
    notes = [
        f"{name} in the landing zone is no known signal and was ignored"
        for name in names
        if name not in SIGNALS_BY_NAME and name != INDICATORS
    ]
    for signal in SIGNALS:
        notes += [
            f"{signal.name}/{folder} is not named date=YYYY-MM-DD and was ignored"
            for folder in _entries(landing / signal.name)
            if _is_read(folder) and _date_of(folder) is None
        ]
    return notes


def partition_dates(landing: Path, signal: Signal) -> list[date]:
    """The nights for which the signal has a partition folder, oldest first."""
    dates = (_date_of(folder) for folder in _entries(landing / signal.name))
    return sorted(day for day in dates if day is not None)


def delivery(landing: Path, signal: Signal, day: date, *, require_success_file: bool) -> Delivery | None:
    """The signal's files of that night; None without its folder, or without the _SUCCESS file that is demanded."""
    found = _files(landing / signal.name, day, FILE_ENDINGS, require_success_file)
    return None if found is None else Delivery(signal=signal, date=day, files=found[0], ignored=found[1])


def bundles(
    landing: Path, day: date, *, require_success_file: bool
) -> tuple[tuple[Path, ...], tuple[Path, ...]] | None:
    """Partners' bundles of that night, by name, and files that are ignored; None as for a delivery."""
    return _files(landing / INDICATORS, day, _BUNDLE_ENDINGS, require_success_file)


def _files(
    parent: Path, day: date, endings: tuple[str, ...], require_success_file: bool
) -> tuple[tuple[Path, ...], tuple[Path, ...]] | None:
    folder = parent / f"date={day.isoformat()}"
    if not folder.is_dir() or (require_success_file and not (folder / "_SUCCESS").exists()):
        return None
    names = [name for name in _entries(folder) if _is_read(name)]
    known = [name for name in names if name.endswith(endings) and (folder / name).is_file()]
    return tuple(folder / name for name in known), tuple(folder / name for name in names if name not in known)


def fingerprint(delivered: Delivery) -> str:
    """Changes whenever a file of the delivery does, by name or content; not when the same content is written again."""
    return fingerprint_of(delivered.files)


def fingerprint_of(files: Iterable[Path]) -> str:
    """The same, of files in their order."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def _entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


def _is_read(name: str) -> bool:
    return not name.startswith(("_", ".")) and not name.endswith(".tmp")


def _date_of(folder: str) -> date | None:
    match = _DATE_FOLDER.fullmatch(folder)
    if match is None:
        return None
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        return None
