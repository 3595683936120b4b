"""A decision of a person, written where analysts write theirs: `review_*` on the account or the ring.

All of it or none, in one transaction, and only where it contradicts nothing that another person decided.
"""

from dataclasses import dataclass
from typing import Any

from neo4j import Driver, ManagedTransaction

from pipelines.errors import RingwatchError
from pipelines.review.harvest import DECISIONS, VERDICTS

_CONTRADICTED = """
MATCH (a:Account)-[:MEMBER_OF_RING]->(:Ring {ring_id: $id})
WHERE a.review_decision IN $verdicts AND $decision IN $verdicts AND a.review_decision <> $decision
RETURN a.account_id AS id, a.review_decision AS decision, a.reviewed_by AS by ORDER BY id
"""
_FORMER = "MATCH (n:{label} {{{key}: $id}}) RETURN n.review_decision AS decision, n.reviewed_by AS by"
_DECIDE = """
MATCH (n:{label} {{{key}: $id}})
SET n.review_decision = $decision, n.review_reason = $reason, n.reviewed_by = $by, n.reviewed_at = datetime()
WITH n RETURN toString(n.reviewed_at) AS at, COUNT {{ (n)<-[:MEMBER_OF_RING]-() }} AS n_members
"""
_KEYS = {"Account": "account_id", "Ring": "ring_id"}


@dataclass(frozen=True)
class Decided:
    """What was decided, and about how many accounts."""

    id: str
    decision: str
    by: str
    at: str
    n_accounts: int


def decide(
    driver: Driver,
    *,
    ring: str | None,
    account: str | None,
    decision: str,
    reason: str,
    by: str,
    overrule: bool = False,
) -> Decided:
    """Decide on a ring as it stands, or on an account.

    Args:
        driver: to the graph that analysts read.
        ring: its id, or None.
        account: its id, or None.
        decision: fake, legitimate or needs_more.
        reason: in words that the account's owner may read in an appeal.
        by: who decides.
        overrule: decide against what another person decided.

    Raises:
        RingwatchError: malformed, about nobody, or against another person's decision.
    """
    if (ring is None) == (account is None):
        raise RingwatchError("give either --ring or --account: a decision is about one of them.")
    if decision not in DECISIONS:
        raise RingwatchError(f"{decision!r} is no decision: give one of {', '.join(DECISIONS)}.")
    if not reason.strip() or not by.strip():
        raise RingwatchError("give a --reason and who decides (--by): whoever is banned may ask for both.")
    label, id_ = ("Ring", ring) if ring is not None else ("Account", account)
    values = {"id": id_, "decision": decision, "reason": reason.strip(), "by": by.strip(), "verdicts": VERDICTS}
    with driver.session() as session:
        found: dict[str, Any] = session.execute_write(_write, str(label), values, overrule)
    return Decided(str(id_), decision, by.strip(), found["at"], found["n_members"] if ring is not None else 1)


def _write(transaction: ManagedTransaction, label: str, values: dict[str, Any], overrule: bool) -> dict[str, Any]:
    names = {"label": label, "key": _KEYS[label]}
    former = transaction.run(_FORMER.format(**names), values).single()
    if former is None:
        raise RingwatchError(
            f"there is no {label.lower()} {values['id']!r} in the graph: `ringwatch review queue` lists what to decide."
        )
    if not overrule:
        against = [record.data() for record in transaction.run(_CONTRADICTED, values)] if label == "Ring" else []
        if former["by"] not in (None, values["by"]) and former["decision"] != values["decision"]:
            against.insert(0, {"id": values["id"], "decision": former["decision"], "by": former["by"]})
        if against:
            told = "; ".join(f"{each['by']} found {each['id']} {each['decision']}" for each in against[:5])
            more = f" and {len(against) - 5:,} more" if len(against) > 5 else ""
            raise RingwatchError(
                f"nothing was decided, for it contradicts: {told}{more}. Talk to them, decide on accounts one by one,"
                " or give --overrule."
            )
    written = transaction.run(_DECIDE.format(**names), values).single(strict=True)
    return dict(written)
