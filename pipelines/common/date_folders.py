"""Folders named after a night, `date=YYYY-MM-DD`: how everything that is kept by night is laid out."""

from datetime import date
from pathlib import Path

_PREFIX = "date="


def night_of(folder: Path) -> date:
    """The night that a folder is named after."""
    return date.fromisoformat(folder.name.removeprefix(_PREFIX))


def nights_in(parent: Path) -> list[date]:
    """The nights that the folders inside are named after, in order; none where there is no such parent."""
    return sorted(night_of(folder) for folder in parent.glob(f"{_PREFIX}*"))
