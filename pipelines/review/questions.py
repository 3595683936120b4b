"""What people should look at next: the questions whose answer is worth the most, and a few at random.

The worth of a review is the number of accounts whose treatment it is expected to change. A ring that is not acted on
and is one with probability p may turn out fake: p for each account that nobody has decided. One that is acted on may
turn out lawful: 1 - p for each, times ten, as a person banned wrongly weighs more than a fake left a night longer. What
joined since the night before counts once more, for nobody can have seen it. An account that a partner's indicator names
counts that indicator's confidence more. The few at random have nothing to say for them: without them, labels would tell
of nothing but what looked suspicious. Nor have those whom the policy holds out of the ban list.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.models.explain.wording import count
from ringwatch.models.scoring.detection import Detection
from ringwatch.pipelines.ban_list.published import last_published_before
from ringwatch.pipelines.ban_list.rules.candidates import Candidates
from ringwatch.pipelines.ban_list.rules.entries import RULES
from ringwatch.pipelines.ban_list.rules.pacing import is_held_out
from ringwatch.pipelines.ban_list.rules.policy import read_policy
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.review.partners import PartnerEvidence, partner_evidence, rarest
from ringwatch.pipelines.review.queue import ACCOUNT, AUDIT, QUESTIONS_SCHEMA, RING, SECOND_LOOK
from ringwatch.pipelines.runs.store import night_before, read_run_table

_Row = dict[str, Any]
_MAX_NAMED = 50  # clear accounts in no ring that are asked about in a night because partners name them
_NO_EVIDENCE = PartnerEvidence("", 0.0)
_WRONG_BAN = 10.0  # fakes left a night longer that weigh as much as a person banned wrongly


def make_questions(settings: Settings, detection: Detection, candidates: Candidates, hits: pa.Table) -> pa.Table:
    """All questions of a night, by QUESTIONS_SCHEMA: those most worth asking first, those at random last.

    `hits` are the accounts that partners' indicators name, by `ringwatch.pipelines.indicators.matches.HITS_SCHEMA`.
    """
    night, accounts = candidates.run.date, detection.accounts
    decided = pa.array(sorted(candidates.decided), pa.string())
    open_accounts = accounts.filter(pc.invert(pc.is_in(accounts["account_id"], value_set=decided)))
    questions = [
        *_rings(detection.rings, open_accounts, hits),
        *_accounts(open_accounts.filter(pc.is_null(open_accounts["ring_id"])), hits),
        *_second_looks(candidates),
    ]
    questions.sort(key=lambda question: (-question["worth"], question["id"]))
    questions += [*_held_out(settings, candidates), *_audits(open_accounts, night, settings.audits_per_night)]
    before = _asked_before(settings, night)
    for question in questions:
        question["asked_since"] = before.get((question["kind"], question["id"]), night)
    return pa.Table.from_pylist(questions, QUESTIONS_SCHEMA)


def _rings(rings: pa.Table, open_accounts: pa.Table, hits: pa.Table) -> Iterator[_Row]:
    said = partner_evidence(hits, open_accounts, "ring_id")
    n_open = {each["values"]: each["counts"] for each in pc.value_counts(open_accounts["ring_id"]).to_pylist()}
    for ring in rings.to_pylist():
        n = n_open.get(ring["ring_id"], 0)
        if n:
            new = f", {ring['n_new_accounts']:,} of them new" if ring["n_new_accounts"] else ""
            evidence = said.get(ring["ring_id"], _NO_EVIDENCE)
            why = f"{count(n, 'account')} undecided{new}; {_doubt(ring)}{evidence.text}"
            worth = n * _worth_of_one(ring) * (1 + ring["n_new_accounts"] / ring["n_accounts"])
            yield _question(RING, ring["ring_id"], n, ring, worth + evidence.weight, why)


def _accounts(alone: pa.Table, hits: pa.Table) -> Iterator[_Row]:
    """Those that are not clear, and of the clear ones some that partners name."""
    said = partner_evidence(hits, alone, "account_id")
    is_clear = pc.equal(alone["fraud_label"], "clear")
    named = rarest(hits, alone.filter(is_clear)["account_id"].to_pylist(), _MAX_NAMED)
    asked = pc.or_(pc.invert(is_clear), pc.is_in(alone["account_id"], value_set=pa.array(named, pa.string())))
    for row in alone.filter(asked).to_pylist():
        evidence = said.get(row["account_id"], _NO_EVIDENCE)
        why = f"in no ring; {_doubt(row)}{evidence.text}"
        yield _question(ACCOUNT, row["account_id"], 1, row, _worth_of_one(row) + evidence.weight, why)


def _second_looks(candidates: Candidates) -> Iterator[_Row]:
    for entry in candidates.contested.values():
        who = entry.decided_by.removeprefix("person: ")
        row = {"fraud_score": entry.fraud_score, "fraud_label": "suspicious", "reasons": list(entry.reasons)}
        why = f"{who} found it fake, the model scores it {entry.fraud_score:.2f}: it takes a second person"
        yield _question(SECOND_LOOK, entry.account_id, 1, row, _WRONG_BAN / 2, why)


def _held_out(settings: Settings, candidates: Candidates) -> Iterator[_Row]:
    """Whom a rule would list and the policy holds out: what people find tells whether the rule is right."""
    policy = read_policy(settings.policy)
    before = last_published_before(settings, candidates.run.date) if policy.holdout_share else None
    in_force = {entry.account_id for entry in before.entries()} if before else set()
    for account_id, entry in sorted(candidates.listed.items()):
        if entry.decided_by in RULES and account_id not in in_force and is_held_out(account_id, policy):
            row = {"fraud_score": entry.fraud_score, "fraud_label": "suspicious", "reasons": list(entry.reasons)}
            yield _question(AUDIT, account_id, 1, row, 0.0, "held out of the ban list, to audit the rule that lists it")


def _audits(open_accounts: pa.Table, night: date, n_audits: int) -> Iterator[_Row]:
    """The same ones however often the night is detected, and others the next night."""
    n = min(n_audits, open_accounts.num_rows)
    drawn = np.sort(np.random.default_rng(night.toordinal()).choice(open_accounts.num_rows, n, replace=False))
    for row in open_accounts.take(pa.array(drawn)).to_pylist():
        yield _question(AUDIT, row["account_id"], 1, row, 0.0, "drawn at random, so that labels tell of everybody")


def _question(kind: str, id_: str, n_open: int, row: _Row, worth: float, why: str) -> _Row:
    said = {name: row[name] for name in ("fraud_score", "fraud_label", "reasons")}
    return {"kind": kind, "id": id_, "n_open": n_open, **said, "worth": worth, "why": why}


def _worth_of_one(row: _Row) -> float:
    score = float(row["fraud_score"])
    return _WRONG_BAN * (1 - score) if row["fraud_label"] == "suspicious" else score


def _doubt(row: _Row) -> str:
    said = {"suspicious": "acted on", "watch": "watched", "clear": "cleared"}[row["fraud_label"]]
    return f"{said} at a score of {row['fraud_score']:.2f}"


def _asked_before(settings: Settings, night: date) -> dict[tuple[str, str], date]:
    """Since when the night before asked what it asked, by kind and id; those at random are new each night."""
    before = night_before(settings, night)
    asked = read_run_table(settings, before, "questions").to_pylist() if before else []
    return {(each["kind"], each["id"]): each["asked_since"] for each in asked if each["kind"] != AUDIT}
