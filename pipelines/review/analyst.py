"""A simulated analyst, who answers the first questions of the queue after each night, and is right most of the time."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.data.truth import Truth
from ringwatch.pipelines.common.clock import end_of
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.store import add_decisions
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.review.queue import AUDIT, RING, read_queue
from ringwatch.pipelines.runs.store import read_run_table

_RIGHT = 0.95
_COMES_AFTER = timedelta(hours=9)  # the end of the night: what is decided then counts from the next night on


def review_as_analyst(settings: Settings, snapshot: Snapshot, truth: Truth, *, n_questions: int) -> None:
    """Decide on what is asked first, by the truth, and now and then wrong; a ring is fake when most of it is."""
    rng = np.random.default_rng(snapshot.date.toordinal())
    members = read_run_table(settings, snapshot.date, "members")
    decided = []
    for question in read_queue(settings, limit=n_questions):
        is_ring = question.kind == RING
        of_ring = members.filter(pc.equal(members["ring_id"], question.id))["account_id"].to_pylist()
        accounts = of_ring if is_ring else [question.id]
        is_fake = truth.is_fake[snapshot.account_codes(pa.array(accounts))].mean() > 0.5
        is_right = rng.random() < _RIGHT
        decided += [
            {
                "account_id": account,
                "decision": "fake" if is_fake == is_right else "legitimate",
                "reason": question.why,
                "reviewed_by": f"analyst of {snapshot.date}",
                "reviewed_at": end_of(snapshot.date) + _COMES_AFTER,
                "ring_id": question.id if is_ring else None,
                "source": "audit_sample" if question.kind == AUDIT else "manual_review",
            }
            for account in accounts
        ]
    add_decisions(Ledger(settings), decided)
