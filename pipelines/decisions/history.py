"""The decisions that nights have taken in, about one account or one ring."""

from typing import Any

import pyarrow.compute as pc

from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.decide import the_one
from ringwatch.pipelines.decisions.harvest import REVIEWS_SCHEMA
from ringwatch.pipelines.ledger.store import Ledger


def decisions_on(settings: Settings, *, ring: str | None, account: str | None) -> list[dict[str, Any]]:
    """Decisions that nights have taken in, the oldest first; of a ring each once.

    Raises:
        RingwatchError: asked about both or neither.
    """
    label, id_ = the_one(ring=ring, account=account)
    reviews = Ledger(settings).read_state("reviews", REVIEWS_SCHEMA).sort_by("reviewed_at")
    found = reviews.filter(pc.equal(reviews[f"{label.lower()}_id"], id_)).to_pylist()
    return found if label == "Account" else list({each["reviewed_at"]: each for each in found}.values())
