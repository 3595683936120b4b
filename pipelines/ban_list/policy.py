"""When an account is listed, and for how long. Versioned: every list says which policy made it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True)
class Policy:
    """Rules of the ban list.

    A score alone never lists an account: there must be a ring, or independent kinds of shared identifiers. An
    address and its subnet are one kind. The score asked for is the lowest at which simulated worlds, other than those
    that judge it, had under one ordinary account to 500 fakes. What a person decided comes before all of this, but
    where the model sees nothing at all it takes two: in simulated worlds nine in ten of the reviewers' wrong findings
    are such, and one in twenty of their right ones.
    """

    version: str = "3"
    min_fraud_score: float = 0.98
    contested_below: float = 0.05  # a score with which a person's finding waits for a second person's
    min_evidence_kinds: int = 2  # for an account outside every ring
    expires_after_days: int = 90
    renew_within_days: int = 30  # fresh evidence renews an entry this long before it expires, and not every night
    appeal_within_days: int = 30

    @property
    def expires_after(self) -> timedelta:
        """How long an entry stays in force on the same evidence."""
        return timedelta(days=self.expires_after_days)

    @property
    def renew_within(self) -> timedelta:
        """How long before its end an entry may be renewed."""
        return timedelta(days=self.renew_within_days)

    @property
    def appeal_within(self) -> timedelta:
        """How long the account's owner may appeal."""
        return timedelta(days=self.appeal_within_days)


POLICY = Policy()


def end_of(night: date) -> datetime:
    """The instant at which a night's list begins to hold: midnight that ends its day, UTC."""
    return datetime.combine(night + timedelta(days=1), time(), UTC)
