"""Which of the partners' indicators are in force at the end of a night, by what had been delivered by then."""

from dataclasses import dataclass
from datetime import date, timedelta

from ringwatch.pipelines.common.clock import end_of
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.indicators.inbound.store import Row, newest_versions
from ringwatch.pipelines.indicators.kinds import Named


@dataclass(frozen=True)
class Indicator:
    """A partner's indicator; `confidence` is 0..100."""

    partner: str
    id: str
    confidence: int
    named: tuple[Named, ...]


def indicators_in_force(settings: Settings, night: date) -> list[Indicator]:
    """Those that are usable, not revoked, begun and not expired; sorted by partner and id."""
    return [
        Indicator(row["partner"], row["indicator_id"], row["confidence"], tuple(Named(**each) for each in row["named"]))
        for row in newest_versions(settings, upto=night)
        if not row["unsupported"] and why_not_in_force(settings, row, night) is None
    ]


def why_not_in_force(settings: Settings, row: Row, night: date) -> str | None:
    """Revoked, not begun or expired; None where it is in force. Without an end it lasts as long as one of ours."""
    at = end_of(night)
    until = row["valid_until"] or max(row["valid_from"], row["modified"]) + timedelta(days=settings.indicators_days)
    if row["revoked"]:
        return "revoked"
    if row["valid_from"] > at:
        return "not begun"
    return "expired" if until <= at else None
