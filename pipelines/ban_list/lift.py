"""Lift an account from the list: a person found its ban wrong, on appeal or otherwise.

A lift is kept in the ledger as a decision of source `appeal`: from the next night on it is a label, and no rule lists
the account again. It counts at once for a list that is proposed after it, of whatever night.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from ringwatch.pipelines.ban_list.published import published_nights, read_published
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.locks import writer_lock
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.store import LIFTED, add_decisions
from ringwatch.pipelines.ledger.store import Ledger


@dataclass(frozen=True)
class Lifted:
    """A lift, and the entry that it ends."""

    account_id: str
    by: str
    at: str  # ISO 8601, UTC
    listed_in: date  # the night of the list in force
    decided_by: str  # who or what had listed it
    ring_id: str | None


def lift(settings: Settings, *, account: str, reason: str, by: str) -> Lifted:
    """Lift an account that is on the list in force.

    Args:
        settings: where lists and ledger are.
        account: its id.
        reason: in words for its owner.
        by: the person who decides.

    Raises:
        RingwatchError: it is not on the list in force, or the reason or the person is missing.
    """
    if not reason.strip() or not by.strip():
        raise RingwatchError("give a --reason and who decides (--by): the account's owner may ask for both.")
    nights = published_nights(settings)
    published = read_published(settings, nights[-1]) if nights else None
    entry = next((each for each in (published.entries() if published else []) if each.account_id == account), None)
    if published is None or entry is None:
        where = f"on the list in force, of {nights[-1]}" if nights else "on any list, for none is out"
        raise RingwatchError(f"{account!r} is not {where}: there is nothing to lift.")
    now = datetime.now(UTC)
    decision = {
        "account_id": account,
        "decision": "legitimate",
        "reason": reason.strip(),
        "reviewed_by": by.strip(),
        "reviewed_at": now,
        "source": LIFTED,
    }
    with writer_lock(settings, f"lift of {account}"):
        add_decisions(Ledger(settings), [decision])
    at = now.isoformat(timespec="seconds")
    return Lifted(account, by.strip(), at, published.date, entry.decided_by, entry.ring_id)
