"""What people decided in the graph, kept in the ledger so that it outlives the graph.

Decisions are read, never written: `review_*` belongs to people. One on a ring holds for the members that the
ring had then, which are those in the graph until the next detection writes its own.

A decision counts from when it was made. Where the nights lie behind the clock, as in a world of last spring, that would
be never: so it counts at the latest from the night after the one that harvested it. No night that was harvested before
can see it, however often it is detected again.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from neo4j import Driver

from ringwatch.graph_schema.browser.marks import DECISIONS, VERDICTS
from ringwatch.pipelines.decisions.store import REVIEWS_SCHEMA, add_decisions
from ringwatch.pipelines.graph.client import run
from ringwatch.pipelines.ledger.store import Ledger

_READ = """
MATCH (a:Account) WHERE a.review_decision IS NOT NULL
RETURN a.account_id AS account_id, null AS ring_id,
    CASE WHEN EXISTS { (a)<-[:ABOUT]-(:ReviewQuestion {kind: 'audit'}) } THEN 'audit_sample' ELSE 'manual_review' END
        AS source, a.review_decision AS decision, a.review_reason AS reason, a.reviewed_by AS reviewed_by,
    toString(a.reviewed_at) AS reviewed_at,
    [] AS against
UNION ALL
MATCH (g:Ring)<-[:MEMBER_OF_RING]-(a:Account) WHERE g.review_decision IS NOT NULL
RETURN a.account_id AS account_id, g.ring_id AS ring_id, 'manual_review' AS source, g.review_decision AS decision,
    g.review_reason AS reason, g.reviewed_by AS reviewed_by, toString(g.reviewed_at) AS reviewed_at,
    CASE WHEN a.review_decision <> g.review_decision AND a.review_decision IN $verdicts
        AND g.review_decision IN $verdicts AND a.reviewed_by <> g.reviewed_by AND g.review_overrules IS NULL
        THEN [a.reviewed_by + ' found ' + a.account_id + ' ' + a.review_decision] ELSE [] END AS against
"""


def harvest_reviews(driver: Driver, ledger: Ledger, nights: Sequence[date] = ()) -> list[str]:
    """Add the decisions that stand in the graph to the ledger.

    One that is malformed is passed over, and so is one on a ring, whole, that contradicts another person's on a member
    without saying that it overrules it.

    Args:
        driver: to the graph.
        ledger: which keeps them.
        nights: that are being loaded, beside those that the ledger has.

    Returns:
        A sentence for each that was passed over.
    """
    kept = ledger.read_state("reviews", REVIEWS_SCHEMA)
    # A ring's decision was kept with the members it had: one decided before is not extended to later members.
    known_rings = {(r["ring_id"], r["reviewed_at"]) for r in kept.to_pylist() if r["ring_id"]}
    known = {(r["account_id"], r["ring_id"], r["reviewed_at"], r["decision"]) for r in kept.to_pylist()}
    records = [
        record | {"reviewed_at": _time(record["reviewed_at"])} for record in run(driver, _READ, verdicts=VERDICTS)
    ]
    faults = _faults(records)
    fresh = []
    for record in records:
        key = (record["account_id"], record["ring_id"], record["reviewed_at"], record["decision"])
        is_new = key not in known and (record["ring_id"], record["reviewed_at"]) not in known_rings
        if is_new and _about(record) not in faults:
            fresh.append(record)
    if fresh:
        add_decisions(ledger, fresh, nights)
    return sorted(f"the decision on {about} is passed over: {fault}." for about, fault in faults.items())


def _faults(records: list[dict[str, Any]]) -> dict[str, str]:
    """What is wrong with decisions, by what they are about."""
    faults = {}
    for record in records:
        if record["decision"] not in DECISIONS or record["reviewed_at"] is None:
            named = ", ".join(DECISIONS)
            faults[_about(record)] = (
                f"review_decision must be one of {named} and reviewed_at a time, such as datetime()"
            )
        elif record["against"]:
            told = record["against"][0]
            faults.setdefault(_about(record), f"{told}; decide on accounts one by one, or on the ring with --overrule")
    return faults


def _about(record: dict[str, Any]) -> str:
    return f"ring {record['ring_id']}" if record["ring_id"] else f"account {record['account_id']}"


def _time(text: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(text).split("[")[0])
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
