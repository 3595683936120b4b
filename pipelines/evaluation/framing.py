"""What framing an ordinary person comes to: for each style its cost, and what became of its victims."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.models.evaluation.world import DetectedNight
from ringwatch.pipelines.simulate.framing import NIGHTS_BEFORE_LAST
from ringwatch.pipelines.simulate.knobs.framing import STYLES


def framing_of(nights: Sequence[DetectedNight], truth: pa.Table) -> list[dict[str, Any]]:
    """For each style: victims, cost per victim, and scores, suspicion and listing before and after; none elsewhere.

    Before is the night before the attackers sign up.
    """
    if "framed_by" not in truth.column_names or len(nights) <= NIGHTS_BEFORE_LAST + 1:
        return []
    before, after = nights[-NIGHTS_BEFORE_LAST - 2], nights[-1]
    found = []
    for style in STYLES:
        victims = truth.filter(pc.equal(truth["framed_by"], style.name))["account_id"]
        was, now = before.snapshot.account_codes(victims), after.snapshot.account_codes(victims)
        attackers = after.truth.campaign == f"framing: {style.name}"
        found.append(
            {
                "style": style.name,
                "about": style.about,
                "n_accounts": style.n_attackers,
                "n_kinds": style.n_kinds,
                "victims": len(victims),
                "score_before": _median(before.score[was[was >= 0]]),
                "score_after": _median(after.score[now]),
                "suspicious_before": int(before.is_suspicious[was[was >= 0]].sum()),
                "suspicious": int(after.is_suspicious[now].sum()),
                "listed": int(after.is_banned[now].sum()),
                "attackers": int(attackers.sum()),
                "attackers_suspicious": int(after.is_suspicious[attackers].sum()),
            }
        )
    return found


def _median(scores: np.ndarray) -> float | None:
    return float(np.median(scores)) if scores.size else None
