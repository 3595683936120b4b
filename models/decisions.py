"""What people decided about accounts: it outranks every score."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph_schema.signals import PEOPLE_SOURCES, Kind
from models.snapshot import Snapshot

# One row for each decision that the graph holds about an account; a ring's decision is one row for each member it had.
REVIEWS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("review_decision", pa.string()),  # fake, legitimate, needs_more
        ("reviewed_by", pa.string()),
        ("reviewed_at", Kind.TIMESTAMP.arrow_type),
    ]
)
_VERDICTS = {"fake": 1, "legitimate": 0}
_WORDS = {"manual_review": "a manual review", "audit_sample": "an audit", "appeal": "an appeal"}


@dataclass(frozen=True)
class Decisions:
    """The people's decision that holds for each account.

    Attributes:
        verdict: `[n_accounts]` int8: 1 fake, 0 legitimate, -1 nobody decided.
        sentences: who decided what and when, by the account's row.
    """

    verdict: np.ndarray
    sentences: dict[int, str]

    @property
    def is_fake(self) -> np.ndarray:
        """Accounts that people found fake, `[n_accounts]` bool."""
        return np.asarray(self.verdict == 1)

    @property
    def is_cleared(self) -> np.ndarray:
        """Accounts that people found legitimate, `[n_accounts]` bool."""
        return np.asarray(self.verdict == 0)


def decisions_of(snapshot: Snapshot, reviews: pa.Table | None) -> Decisions:
    """The newest decision on each account, of the people's labels and of the reviews made in the graph.

    Reviews that ask for more, come after the snapshot's day or name an unknown account decide nothing. Of two at the
    same instant the later row holds, and a review before a label.
    """
    by_people = snapshot.labels.filter(pc.is_in(snapshot.labels["source"], pa.array(PEOPLE_SOURCES)))
    row, label, at, who = _columns(snapshot, by_people, "label", "known_at", "source")
    who = [_WORDS[source] for source in who]
    if reviews is not None:
        reviewed = _columns(snapshot, reviews, "review_decision", "reviewed_at", "reviewed_by")
        row, at = np.r_[row, reviewed[0]], np.r_[at, reviewed[2]]
        label, who = label + reviewed[1], who + [person or "a reviewer" for person in reviewed[3]]
    verdict = np.full(snapshot.n_accounts, -1, dtype=np.int8)
    sentences = {}
    for i in np.argsort(at, kind="stable"):
        if row[i] >= 0 and label[i] in _VERDICTS and at[i] < snapshot.end_of_day:
            verdict[row[i]] = _VERDICTS[label[i]]
            sentences[int(row[i])] = f"{who[i]} found it {label[i]} on {str(at[i])[:10]}"
    return Decisions(verdict, sentences)


def _columns(
    snapshot: Snapshot, table: pa.Table, decision: str, time: str, who: str
) -> tuple[np.ndarray, list[str], np.ndarray, list[str]]:
    at = table[time].cast(pa.timestamp("us")).to_numpy()
    return snapshot.account_codes(table["account_id"]), table[decision].to_pylist(), at, table[who].to_pylist()
