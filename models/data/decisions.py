"""What people decided about accounts: it outranks every score."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.signals import PEOPLE_SOURCES
from ringwatch.models.data.labels import Labels
from ringwatch.models.data.snapshot import Snapshot

_OUTCOMES = {"fake": 1, "legitimate": 0}
_WORDS = {"manual_review": "a manual review", "audit_sample": "an audit", "appeal": "an appeal"}


@dataclass(frozen=True)
class Decisions:
    """The people's decision that holds for each account.

    Attributes:
        outcome: `[n_accounts]` int8: 1 fake, 0 legitimate, -1 nobody decided.
        sentences: who decided what and when, by the account's row.
    """

    outcome: np.ndarray
    sentences: dict[int, str]

    @property
    def is_fake(self) -> np.ndarray:
        """Accounts that people found fake, `[n_accounts]` bool."""
        return np.asarray(self.outcome == 1)

    @property
    def is_cleared(self) -> np.ndarray:
        """Accounts that people found legitimate, `[n_accounts]` bool."""
        return np.asarray(self.outcome == 0)


def decisions_of(snapshot: Snapshot) -> Decisions:
    """The people's decision on each account, by the labels known to the snapshot, those made in the graph included."""
    by_people = snapshot.labels.filter(pc.is_in(snapshot.labels["source"], pa.array(PEOPLE_SOURCES)))
    rows = snapshot.account_codes(by_people["account_id"])
    labels, sources = by_people["label"].to_pylist(), by_people["source"].to_pylist()
    days = by_people["known_at"].cast(pa.timestamp("us")).to_numpy().astype("datetime64[D]")
    outcome = np.full(snapshot.n_accounts, -1, dtype=np.int8)
    sentences = {}
    for row, label, source, day in zip(rows.tolist(), labels, sources, days, strict=True):
        if row >= 0:
            outcome[row] = _OUTCOMES[label]
            sentences[row] = f"{_WORDS[source]} found it {label} on {day}"
    return Decisions(outcome, sentences)


def scores_with_labels(scores: np.ndarray, labels: Labels, decisions: Decisions) -> np.ndarray:
    """Scores `[n_accounts]` where an account known to be fake has its label's confidence, or 1 if people decided it."""
    known = np.where(labels.is_fake, np.maximum(scores, labels.confidence), scores)
    return np.where(decisions.is_fake, 1.0, known)
