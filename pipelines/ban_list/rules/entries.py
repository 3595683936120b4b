"""A line of the ban list, and the list as columns; names and order are the data contract's."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

import pyarrow as pa

from ringwatch.graph_schema.signals import Kind

BAN, RESTRICT, LIFT = "ban", "restrict", "lift"
RULE_RING = "rule: suspicious, in a ring"
RULE_KINDS = "rule: suspicious, by independent kinds of evidence"
RULES = (RULE_RING, RULE_KINDS)  # whatever else decided is a person


@dataclass(frozen=True)
class Entry:
    """One account: what is to be done about it, why, and until when."""

    account_id: str
    action: str  # ban, restrict; in a delta also lift
    ring_id: str | None
    fraud_score: float | None
    decided_by: str  # the rule that decided, or the person
    reasons: tuple[str, ...]
    evidence: str  # JSON: shared identifiers with the number of accounts on each
    first_listed_at: datetime
    expires_at: datetime
    appeal_by: datetime
    run_id: str
    model_version: str | None


ENTRY_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("action", pa.string()),
        ("ring_id", pa.string()),
        ("fraud_score", pa.float64()),
        ("decided_by", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("evidence", pa.string()),
        ("first_listed_at", Kind.TIMESTAMP.arrow_type),
        ("expires_at", Kind.TIMESTAMP.arrow_type),
        ("appeal_by", Kind.TIMESTAMP.arrow_type),
        ("run_id", pa.string()),
        ("model_version", pa.string()),
    ]
)


def to_table(entries: Iterable[Entry]) -> pa.Table:
    """Entries as a table of ENTRY_SCHEMA, in the order given."""
    return pa.Table.from_pylist([asdict(entry) for entry in entries], schema=ENTRY_SCHEMA)


def from_table(table: pa.Table) -> list[Entry]:
    """Entries of a table of ENTRY_SCHEMA."""
    return [Entry(**{**row, "reasons": tuple(row["reasons"])}) for row in table.to_pylist()]


def sort(entries: Iterable[Entry]) -> list[Entry]:
    """Entries in the order of their accounts, so that the same list is the same bytes."""
    return sorted(entries, key=lambda entry: entry.account_id)


def count_actions(entries: Iterable[Entry]) -> dict[str, int]:
    """Number of entries by action; every action is there."""
    counts = {BAN: 0, RESTRICT: 0, LIFT: 0}
    for entry in entries:
        counts[entry.action] += 1
    return counts
