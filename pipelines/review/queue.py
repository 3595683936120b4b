"""What people should look at next: the questions whose answer is worth the most, and a few at random.

The worth of a review is the number of accounts whose treatment it is expected to change. A ring that is not acted on
and is one with probability p may turn out fake: p for each account that nobody has decided. One that is acted on may
turn out lawful: 1 - p for each, times ten, as a person banned wrongly weighs more than a fake left a night longer. What
joined since the night before counts once more, for nobody can have seen it. The few at random have nothing to say for
them: without them, labels would tell of nothing but what looked suspicious.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graph_schema.signals import PEOPLE_SOURCES
from models.snapshot import read_snapshot
from models.wording import count
from pipelines.ban_list.candidates import find_candidates
from pipelines.ban_list.policy import POLICY
from pipelines.errors import RingwatchError
from pipelines.runs import read_run_table, run_nights
from pipelines.settings import Settings

_WRONG_BAN = 10.0  # fakes left a night longer that weigh as much as a person banned wrongly
_RING, _ACCOUNT, _SECOND_LOOK, _AUDIT = "ring", "account", "second look", "audit"


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
    """

    kind: str
    id: str
    n_open: int
    fraud_score: float
    fraud_label: str
    worth: float
    why: str
    reasons: list[str]


def review_queue(settings: Settings, *, limit: int, n_audits: int) -> list[Question]:
    """The questions most worth asking after the newest night, and some accounts at random after them.

    Raises:
        RingwatchError: no night has been detected.
    """
    nights = run_nights(settings)
    if not nights:
        raise RingwatchError("no night has been detected: run `ringwatch nightly` first.")
    night = nights[-1]
    labels = read_snapshot(settings.snapshots_dir / f"date={night}").labels
    decided = labels.filter(pc.is_in(labels["source"], value_set=pa.array(PEOPLE_SOURCES)))["account_id"]
    accounts = read_run_table(settings, night, "accounts")
    is_open = pc.invert(pc.is_in(accounts["account_id"], value_set=decided.combine_chunks()))
    open_accounts = accounts.filter(is_open)
    questions = [
        *_rings(settings, night, open_accounts),
        *_accounts(open_accounts.filter(pc.is_null(open_accounts["ring_id"]))),
        *_second_looks(settings, night),
    ]
    questions.sort(key=lambda question: (-question.worth, question.id))
    return questions[:limit] + list(_audits(open_accounts, night, n_audits))


def _rings(settings: Settings, night: date, open_accounts: pa.Table) -> Iterator[Question]:
    n_open = dict(zip(*_counts(open_accounts["ring_id"]), strict=True))
    for ring in read_run_table(settings, night, "rings").to_pylist():
        n = n_open.get(ring["ring_id"], 0)
        if n:
            share_new = min(ring["n_new_accounts"] / ring["n_accounts"], 1.0)
            new = f", {ring['n_new_accounts']:,} of them new" if ring["n_new_accounts"] else ""
            why = f"{count(n, 'account')} undecided{new}; {_doubt(ring)}"
            worth = n * _worth_of_one(ring) * (1 + share_new)
            yield _question(_RING, ring["ring_id"], n, ring, worth, why)


def _accounts(alone: pa.Table) -> Iterator[Question]:
    for row in alone.filter(pc.not_equal(alone["fraud_label"], "clear")).to_pylist():
        yield _question(_ACCOUNT, row["account_id"], 1, row, _worth_of_one(row), f"in no ring; {_doubt(row)}")


def _second_looks(settings: Settings, night: date) -> Iterator[Question]:
    for entry in find_candidates(settings, night=night, policy=POLICY).contested.values():
        who = entry.decided_by.removeprefix("person: ")
        row = {"fraud_score": entry.fraud_score, "fraud_label": "suspicious", "reasons": list(entry.reasons)}
        why = f"{who} found it fake, the model scores it {entry.fraud_score:.2f}: it takes a second person"
        yield _question(_SECOND_LOOK, entry.account_id, 1, row, _WRONG_BAN / 2, why)


def _audits(open_accounts: pa.Table, night: date, n_audits: int) -> Iterator[Question]:
    """The same ones however often it is asked, and others the next night."""
    n = min(n_audits, open_accounts.num_rows)
    drawn = np.sort(np.random.default_rng(night.toordinal()).choice(open_accounts.num_rows, n, replace=False))
    for row in open_accounts.take(pa.array(drawn)).to_pylist():
        yield _question(_AUDIT, row["account_id"], 1, row, 0.0, "drawn at random, so that labels tell of everybody")


def _question(kind: str, id_: str, n_open: int, row: dict[str, Any], worth: float, why: str) -> Question:
    return Question(kind, id_, n_open, row["fraud_score"], row["fraud_label"], worth, why, list(row["reasons"]))


def _worth_of_one(row: dict[str, Any]) -> float:
    score = float(row["fraud_score"])
    return _WRONG_BAN * (1 - score) if row["fraud_label"] == "suspicious" else score


def _doubt(row: dict[str, Any]) -> str:
    said = {"suspicious": "acted on", "watch": "watched", "clear": "cleared"}[row["fraud_label"]]
    return f"{said} at a score of {row['fraud_score']:.2f}"


def _counts(column: pa.ChunkedArray) -> tuple[list[str], list[int]]:
    counted = pc.value_counts(column.drop_null())
    return [each["values"] for each in counted.to_pylist()], [each["counts"] for each in counted.to_pylist()]
