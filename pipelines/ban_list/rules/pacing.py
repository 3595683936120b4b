"""When what a rule lists goes out: at once, or later, so that a campaign does not learn on which night it was seen.

BAN_LISTS/proposals/date=D/waiting.parquet   whom a rule would list but for this, since when and until when

The accounts of a ring wait together, so that those left do not see the others go. How long is a function of the ring
and the policy: proposing a night again gives the same list. A share of accounts is held out for an audit: what becomes
of accounts that a rule would list and nobody acts on tells whether it is right.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import pyarrow as pa

from ringwatch.pipelines.ban_list.rules.entries import RULES, Entry
from ringwatch.pipelines.ban_list.rules.policy import Policy

DELAYED, HELD_OUT = "delayed", "held out for an audit"
WAITING_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("ring_id", pa.string()),
        ("why", pa.string()),
        ("seen_on", pa.date32()),
        ("due_on", pa.date32()),
    ]
)


@dataclass(frozen=True)
class Waiting:
    """An account that a rule would list, and that waits: why, found on which night, and due on which."""

    account_id: str
    ring_id: str | None
    why: str
    seen_on: date
    due_on: date


def pace(
    listed: Mapping[str, Entry], former: Iterable[Entry], before: Iterable[Waiting], *, night: date, policy: Policy
) -> tuple[dict[str, Entry], list[Waiting]]:
    """What goes out tonight of what the night would list, and what waits, sorted.

    Args:
        listed: by account. What people decided, and what is in force already, does not wait.
        former: the list in force.
        before: who waited on the night before.
        night: tonight.
        policy: says how long.
    """
    in_force = {entry.account_id for entry in former}
    since = {waiting.account_id: waiting.seen_on for waiting in before}
    since_of_ring: dict[str, date] = {}
    for each in before:
        if each.ring_id and each.why == DELAYED:
            since_of_ring[each.ring_id] = min(each.seen_on, since_of_ring.get(each.ring_id, each.seen_on))
    out, waiting = {}, []
    for account_id, entry in sorted(listed.items()):
        seen_on = min(since.get(account_id, night), since_of_ring.get(entry.ring_id or "", night))
        why, due_on = _due(entry, seen_on, policy)
        if entry.decided_by not in RULES or account_id in in_force or due_on <= night:
            out[account_id] = entry
        else:
            waiting.append(Waiting(account_id, entry.ring_id, why, seen_on, due_on))
    return out, waiting


def _due(entry: Entry, seen_on: date, policy: Policy) -> tuple[str, date]:
    jitter = int(_draw(f"jitter {policy.version} {entry.ring_id or entry.account_id}") * (policy.jitter_days + 1))
    due_on = seen_on + timedelta(days=policy.delay_days + jitter)
    if is_held_out(entry.account_id, policy):
        return HELD_OUT, max(due_on, seen_on + timedelta(days=policy.holdout_days))
    return DELAYED, due_on


def is_held_out(account_id: str, policy: Policy) -> bool:
    """Whether an account is of the share that is held out, once a rule would list it."""
    return _draw(f"hold-out {account_id}") < policy.holdout_share


def _draw(about: str) -> float:
    """A number in [0, 1) that is always the same for the same text."""
    return int.from_bytes(hashlib.sha256(about.encode()).digest()[:6]) / 2**48


def to_table(waiting: Iterable[Waiting]) -> pa.Table:
    """As WAITING_SCHEMA."""
    return pa.Table.from_pylist([asdict(each) for each in waiting], schema=WAITING_SCHEMA)


def from_table(table: pa.Table) -> list[Waiting]:
    """What `to_table` made."""
    return [Waiting(**row) for row in table.to_pylist()]
