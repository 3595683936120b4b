"""What an account's owner is told, and what an appeal is heard on: one entry of a list, with all that stands behind it.

It stands alone: who or what decided and by which rule, on which evidence, of which model, run and policy, in which list
and who approved it, until when, and how to appeal. Signed as the lists are, so that a copy can be checked years later.
"""

import json
from dataclasses import asdict
from datetime import UTC
from typing import Any

from ringwatch.pipelines.ban_list.published import PublishedList, published_nights, read_published
from ringwatch.pipelines.ban_list.rules.entries import BAN, LIFT, RULE_KINDS, RULE_RING, RULES, Entry
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.signing import sign
from ringwatch.pipelines.runs.store import read_run, read_run_table, run_nights

_RULES_IN_WORDS = {
    RULE_RING: "a fraud score of {score} or more, and membership in a ring of accounts",
    RULE_KINDS: "a fraud score of {score} or more, and {min_evidence_kinds} independent kinds of shared identifiers",
}
_TIMES = ("first_listed_at", "expires_at", "appeal_by")
_RING = ("n_accounts", "fraud_score", "reasons", "first_seen_at", "last_seen_at")


def statement_of(settings: Settings, account_id: str) -> dict[str, Any]:
    """The statement about an account that is or was listed, as JSON can hold it.

    Raises:
        RingwatchError: no list that is out has named it.
    """
    published, entry = _last_told(settings, account_id)
    policy = published.manifest["policy"]
    statement: dict[str, Any] = {
        "account_id": account_id,
        "action": entry.action,
        "in_list_of": str(published.date),
        "decided_by": entry.decided_by,
        "rule": _rule_in_words(entry, policy),
        "fraud_score": entry.fraud_score,
        "reasons": list(entry.reasons),
        "shared_identifiers": json.loads(entry.evidence),
        "ring": _ring(settings, entry),
        **{name: at.astimezone(UTC).isoformat() for name, at in asdict(entry).items() if name in _TIMES},
        "run_id": entry.run_id,
        "model_version": entry.model_version,
        "policy": policy,
        "approved_by": published.manifest["approved_by"],
        "approved_at": published.manifest["approved_at"],
        "content_sha256": published.content_sha256,
        "hmac": None,
    }
    if settings.signing_key is not None:
        statement["hmac"] = sign(statement, settings.signing_key.get_secret_value())
    return statement


def _last_told(settings: Settings, account_id: str) -> tuple[PublishedList, Entry]:
    """The newest list whose delta names the account, and what it says: the entry stood so ever since."""
    for night in reversed(published_nights(settings)):
        published = read_published(settings, night)
        for entry in published.delta() if published else ():
            if published and entry.account_id == account_id:
                return published, entry
    raise RingwatchError(f"no list that is out names {account_id!r}: `ringwatch explain` explains any account's score.")


def _rule_in_words(entry: Entry, policy: dict[str, Any]) -> str:
    if entry.decided_by not in RULES or entry.action == LIFT:
        return entry.decided_by
    score = policy["min_fraud_score" if entry.action == BAN else "restrict_from"]
    return _RULES_IN_WORDS[entry.decided_by].format(score=score, **policy)


def _ring(settings: Settings, entry: Entry) -> dict[str, Any] | None:
    """The ring as the run had it that the entry is by; None without one, or where that night was detected anew."""
    for night in run_nights(settings) if entry.ring_id is not None else ():
        if read_run(settings, night).run_id == entry.run_id:
            rings = read_run_table(settings, night, "rings", filters=[("ring_id", "==", entry.ring_id)])
            for ring in rings.to_pylist():
                told = {name: ring[name] for name in _RING}
                return {"ring_id": entry.ring_id, **told, **{name: str(told[name]) for name in _RING[-2:]}}
    return None
