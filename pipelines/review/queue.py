"""The questions that a night asks people, as they are kept with its run. `questions` makes them."""

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.runs.store import detected_nights, read_run_table

RING, ACCOUNT, SECOND_LOOK, AUDIT = "ring", "account", "second look", "audit"
QUESTIONS_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("id", pa.string()),
        ("n_open", pa.int64()),
        ("fraud_score", pa.float64()),
        ("fraud_label", pa.string()),
        ("worth", pa.float64()),
        ("why", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("asked_since", pa.date32()),
    ]
)


@dataclass(frozen=True)
class Question:
    """One thing to decide.

    Attributes:
        kind: ring, account, second look (one person's word against the model's), or audit (drawn at random).
        id: of the ring or the account.
        n_open: accounts that the decision would be about, those decided before left out.
        fraud_score: as the newest night has it.
        fraud_label: the same.
        worth: accounts whose treatment the answer is expected to change; 0 for an audit.
        why: why it is asked.
        reasons: of the model.
        asked_since: the first of the nights in a row that asked it.
    """

    kind: str
    id: str
    n_open: int
    fraud_score: float
    fraud_label: str
    worth: float
    why: str
    reasons: list[str]
    asked_since: date


def read_queue(settings: Settings, *, limit: int) -> list[Question]:
    """The questions most worth asking after the newest night, and the accounts at random after them.

    Raises:
        RingwatchError: no night has been detected.
    """
    questions = read_run_table(settings, detected_nights(settings)[-1], "questions")
    return [Question(**row) for row in first_questions(questions, limit).to_pylist()]


def first_questions(questions: pa.Table, limit: int) -> pa.Table:
    """Of a night's questions the first ones, and all at random after them."""
    is_audit = pc.equal(questions["kind"], AUDIT)
    return pa.concat_tables([questions.filter(pc.invert(is_audit)).slice(0, limit), questions.filter(is_audit)])
