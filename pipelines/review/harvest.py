"""What people decided in the graph, kept in the ledger so that it outlives the graph.

Decisions are read, never written: `review_*` belongs to people. One on a ring holds for the members that the
ring had then, which are those in the graph until the next detection writes its own.
"""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from neo4j import Driver

from graph_schema.browser.marks import DECISIONS
from graph_schema.signals import Kind
from pipelines.ledger import Ledger
from pipelines.neo4j_client import run

REVIEWS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("decision", pa.string()),
        ("reason", pa.string()),
        ("reviewed_by", pa.string()),
        ("reviewed_at", Kind.TIMESTAMP.arrow_type),
        ("ring_id", pa.string()),  # null: decided on the account itself
        ("is_audit", pa.bool_()),  # asked at random
    ]
)

_READ = """
MATCH (a:Account) WHERE a.review_decision IS NOT NULL
RETURN a.account_id AS account_id, null AS ring_id,
    EXISTS { (a)<-[:ABOUT]-(:ReviewQuestion {kind: 'audit'}) } AS is_audit, a.review_decision AS decision,
    a.review_reason AS reason, a.reviewed_by AS reviewed_by, toString(a.reviewed_at) AS reviewed_at
UNION ALL
MATCH (g:Ring)<-[:MEMBER_OF_RING]-(a:Account) WHERE g.review_decision IS NOT NULL
RETURN a.account_id AS account_id, g.ring_id AS ring_id, false AS is_audit, g.review_decision AS decision,
    g.review_reason AS reason, g.reviewed_by AS reviewed_by, toString(g.reviewed_at) AS reviewed_at
"""


def harvest_reviews(driver: Driver, ledger: Ledger) -> list[str]:
    """Add the decisions that stand in the graph to the ledger; returns a sentence for each that is malformed."""
    kept = ledger.read_state("reviews", REVIEWS_SCHEMA)
    # A ring's decision was kept with the members it had: one decided before is not extended to later members.
    known_rings = {(r["ring_id"], r["reviewed_at"]) for r in kept.to_pylist() if r["ring_id"]}
    known = {(r["account_id"], r["ring_id"], r["reviewed_at"], r["decision"]) for r in kept.to_pylist()}
    fresh, faults = [], []
    for record in run(driver, _READ):
        what = f"ring {record['ring_id']}" if record["ring_id"] else f"account {record['account_id']}"
        reviewed_at = _time(record["reviewed_at"])
        if record["decision"] not in DECISIONS or reviewed_at is None:
            faults.append(
                f"the decision on {what} is passed over: review_decision must be one of {', '.join(DECISIONS)}"
                " and reviewed_at a time, such as datetime()."
            )
            continue
        record["reviewed_at"] = reviewed_at
        key = (record["account_id"], record["ring_id"], reviewed_at, record["decision"])
        if key not in known and (record["ring_id"], reviewed_at) not in known_rings:
            fresh.append(record)
    if fresh:
        table = pa.concat_tables([kept, pa.Table.from_pylist(fresh, REVIEWS_SCHEMA)])
        ledger.write_state("reviews", table.sort_by([("reviewed_at", "ascending"), ("account_id", "ascending")]))
    return sorted(set(faults))


def _time(text: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(text).split("[")[0])
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
