"""What one night says about accounts: who is to be listed, and whom a person found legitimate.

A person's decision holds; where the model sees nothing at all in the account it is contested, and waits for a second
person's. Otherwise an account is listed that the run calls suspicious by its score and that has more against it than
the score; a run without a trained model lists nobody.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.signals import PEOPLE_SOURCES
from ringwatch.models.data.identifiers import shared_kinds
from ringwatch.models.data.snapshot import Snapshot, read_snapshot
from ringwatch.models.explain.evidence import SharedIdentifier, account_evidence
from ringwatch.pipelines.ban_list.rules.entries import BAN, RESTRICT, RULE_KINDS, RULE_RING, RULES, Entry
from ringwatch.pipelines.ban_list.rules.exemptions import Exemptions
from ringwatch.pipelines.ban_list.rules.policy import Policy
from ringwatch.pipelines.common.clock import end_of
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.store import LIFTED, read_reviews
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.runs.store import Run, read_run, read_run_table


@dataclass(frozen=True)
class Candidates:
    """What the night says.

    Attributes:
        run: of the detection.
        listed: entries by account.
        contested: what would be listed by one person's word against the model's, by account.
        cleared: account to the person or source that cleared it.
        exemptions: whom no rule lists, whatever the score.
        snapshot: of the night.
    """

    run: Run
    listed: dict[str, Entry]
    contested: dict[str, Entry]
    cleared: dict[str, str]
    exemptions: Exemptions
    snapshot: Snapshot

    @property
    def decided(self) -> frozenset[str]:
        """Accounts that a person has found fake or legitimate."""
        found_fake = (account for account, entry in self.listed.items() if entry.decided_by not in RULES)
        return frozenset((*found_fake, *self.contested, *self.cleared))


def find_candidates(settings: Settings, *, night: date, policy: Policy) -> Candidates:
    """Accounts to list by a night's detection, which is read from where it is kept.

    Raises:
        RingwatchError: the night has not been detected, or its snapshot cannot be read.
    """
    run = read_run(settings, night)
    snapshot = read_snapshot(settings.snapshots_dir / f"date={night}")
    return candidates_of(settings, run, snapshot, read_run_table(settings, night, "accounts"), policy)


def candidates_of(settings: Settings, run: Run, snapshot: Snapshot, accounts: pa.Table, policy: Policy) -> Candidates:
    """Accounts to list by a night's detection and by what people decided up to then."""
    fake, cleared = _decisions(settings, snapshot)
    by_two = set(snapshot.labels.filter(pc.greater(snapshot.labels["n_people"], 1))["account_id"].to_pylist())
    rows = _rows_to_look_at(accounts, fake, cleared)
    exemptions = Exemptions(snapshot, policy)
    exempt = exemptions.of([row["account_id"] for row in rows])
    evidence = _evidence(snapshot, accounts, [row["account_id"] for row in rows])
    families = {kind.label: kind.evidence.family for kind in shared_kinds(snapshot)}
    listed: dict[str, Entry] = {}
    contested: dict[str, Entry] = {}
    for row in rows:
        account_id, shared = row["account_id"], evidence[row["account_id"]]
        n_kinds = len({families[identifier["kind"]] for identifier in shared})
        decided_by = fake.get(account_id) or (None if account_id in exempt else _rule(row, n_kinds, policy))
        if decided_by:
            is_contested = row["fraud_score"] < policy.contested_below and account_id not in by_two
            (contested if is_contested else listed)[account_id] = _entry(row, decided_by, shared, run, policy)
    return Candidates(run, listed, contested, cleared, exemptions, snapshot)


def _decisions(settings: Settings, snapshot: Snapshot) -> tuple[dict[str, str], dict[str, str]]:
    """Accounts that people found fake, and legitimate, each with who did: the reviewer, else the label's source.

    What became known after the night waits for the next one, but a lift does not: a person waits for it.
    """
    reviews = read_reviews(Ledger(settings)).to_pylist()
    reviewers = {(review["account_id"], review["known_at"]): review["reviewed_by"] for review in reviews}
    found: dict[str, dict[str, str]] = {"fake": {}, "legitimate": {}}
    for label in snapshot.labels.to_pylist():
        if label["source"] in PEOPLE_SOURCES:
            reviewer = reviewers.get((label["account_id"], label["known_at"]))
            found[label["label"]][label["account_id"]] = f"person: {reviewer or label['source']}"
    end = end_of(snapshot.date)
    for review in reviews:
        if review["source"] == LIFTED and review["known_at"] >= end:
            found["legitimate"][review["account_id"]] = f"person: {review['reviewed_by']}"
            found["fake"].pop(review["account_id"], None)
    return found["fake"], found["legitimate"]


def _rows_to_look_at(accounts: pa.Table, fake: Mapping[str, str], cleared: Mapping[str, str]) -> list[dict[str, Any]]:
    ids = accounts["account_id"]
    wanted = pc.is_in(ids, pa.array(list(fake), pa.string()))
    wanted = pc.or_(wanted, pc.equal(accounts["fraud_label"], "suspicious"))
    wanted = pc.and_not(wanted, pc.is_in(ids, pa.array(list(cleared), pa.string())))
    rows: list[dict[str, Any]] = accounts.filter(wanted).to_pylist()
    return rows


def _evidence(snapshot: Snapshot, accounts: pa.Table, account_ids: Sequence[str]) -> dict[str, list[SharedIdentifier]]:
    suspicious = accounts.filter(pc.equal(accounts["fraud_label"], "suspicious"))
    labels = dict.fromkeys(suspicious["account_id"].to_pylist(), "suspicious")
    return account_evidence(snapshot, account_ids, labels)


def _rule(row: Mapping[str, Any], n_kinds: int, policy: Policy) -> str | None:
    """The rule that lists an account whose score is suspicious, if one does."""
    if row["fraud_score"] < min(policy.restrict_from, policy.min_fraud_score):
        return None
    if row["core_size"] < policy.min_core_accounts:
        return None
    if row["ring_id"] is not None:
        return RULE_RING
    return RULE_KINDS if n_kinds >= policy.min_evidence_kinds else None


def _entry(
    row: Mapping[str, Any], decided_by: str, shared: Sequence[SharedIdentifier], run: Run, policy: Policy
) -> Entry:
    listed_at = end_of(run.date)
    is_sure = decided_by not in RULES or row["fraud_score"] >= policy.min_fraud_score
    return Entry(
        account_id=row["account_id"],
        action=BAN if is_sure else RESTRICT,
        ring_id=row["ring_id"],
        fraud_score=row["fraud_score"],
        decided_by=decided_by,
        reasons=tuple(row["reasons"]),
        evidence=json.dumps(shared, ensure_ascii=False, sort_keys=True),
        first_listed_at=listed_at,
        expires_at=listed_at + policy.expires_after,
        appeal_by=listed_at + policy.appeal_within,
        run_id=run.run_id,
        model_version=run.model_version,
    )
