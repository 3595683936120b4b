"""When a night ends: everything known before that instant is known to it."""

from datetime import UTC, date, datetime, time, timedelta


def end_of(night: date) -> datetime:
    """The midnight that ends a night's day, UTC."""
    return datetime.combine(night + timedelta(days=1), time(), UTC)
