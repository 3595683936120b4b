"""What people are told about partners' indicators: of a file before it is delivered, and of what is in force."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.indicators.inbound.in_force import indicators_in_force, why_not_in_force
from ringwatch.pipelines.indicators.inbound.intake import check_file
from ringwatch.pipelines.indicators.inbound.matching import unkeyed
from ringwatch.pipelines.indicators.inbound.store import Row, newest_versions
from ringwatch.pipelines.ledger.store import Ledger


@dataclass(frozen=True)
class FileReport:
    """What the door says of a file, by today: `counts` of its indicators, by what would become of them."""

    partner: str | None
    n_indicators: int
    faults: list[str]
    counts: dict[str, int]


@dataclass(frozen=True)
class Standing:
    """Partners' indicators on a night.

    Attributes:
        date: the night.
        taken_in: counts of its load; None if nothing was delivered, or it was not loaded.
        partners: of each partner how many of its indicators are in force, and how many are not, by why.
        unkeyed: partners that name cards, and whose key is missing here.
    """

    date: date
    taken_in: dict[str, Any] | None
    partners: dict[str, dict[str, int]]
    unkeyed: list[str]


def report_on_file(settings: Settings, file: Path) -> FileReport:
    """Say what would be taken in of a file, and why the rest would not."""
    today = datetime.now(UTC).date()
    found = check_file(settings, file, day=today)
    counts = Counter(_becomes(settings, row, today) for row in found.rows)
    counts.update(f"quarantined: {reason}" for _, reason in found.refused)
    return FileReport(found.partner, found.n_indicators, found.faults, dict(sorted(counts.items())))


def standing(settings: Settings, night: date) -> Standing:
    """Partners' indicators as of the end of a night."""
    partners: dict[str, Counter[str]] = {}
    for row in newest_versions(settings, upto=night):
        partners.setdefault(row["partner"], Counter())[_becomes(settings, row, night)] += 1
    return Standing(
        night,
        (Ledger(settings).read_night(night) or {}).get("indicators"),
        {partner: dict(sorted(counts.items())) for partner, counts in partners.items()},
        sorted(unkeyed(settings, indicators_in_force(settings, night))),
    )


def _becomes(settings: Settings, row: Row, night: date) -> str:
    if row["unsupported"]:
        return f"unsupported: {row['unsupported']}"
    return why_not_in_force(settings, row, night) or "in force"
