"""A decision of a person, written where analysts write theirs: `review_*` on the account or the ring.

All of it or none, in one transaction, and only where it contradicts nothing that another person decided.
"""

from dataclasses import dataclass

from neo4j import Driver

from ringwatch.graph_schema.browser.decision import decision_query
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.decisions.store import ring_or_account
from ringwatch.pipelines.graph.client import run


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
    label, id_ = ring_or_account(ring=ring, account=account)
    found = run(
        driver,
        decision_query(label),
        **{label.lower(): id_, "decision": decision, "reason": reason, "by": by, "overrule": overrule},
    )
    if not found:
        raise RingwatchError(
            f"there is no {label.lower()} {id_!r} in the graph: `ringwatch review queue` lists what to decide."
        )
    [written] = found
    if not written["is_decided"]:
        raise RingwatchError(written["outcome"])
    return Decided(id_, decision, by.strip(), written["at"], written["n_members"] if ring is not None else 1)
