"""Why an account was scored as it was: readable sentences about facts of the snapshot, the strongest first.

Only rare identifiers are cited; what a hub's users have in common is no evidence. A sharing fact weighs what its kind
is worth, times the log of the number of accounts it ties to, up to threefold if all of them are suspicious. What
people decided comes before all else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ringwatch.models.data.decisions import Decisions
from ringwatch.models.data.identifiers import SharedKind
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.explain.direct_facts import direct_facts
from ringwatch.models.explain.facts import Fact, Uses, all_uses, shared_with, sharing_fact, signup_uses

MAX_REASONS = 5
DEFAULT_REASON = "ranked by the default model: too few labels are known to prove it on this platform"
_CHUNK = 20_000  # accounts at a time: bounds the pairs in memory


@dataclass(frozen=True)
class Findings:
    """What detection has found so far, rows in the order of the snapshot's accounts.

    Attributes:
        scores: `[n_accounts]` float64.
        is_suspicious: `[n_accounts]` bool.
        ring: `[n_accounts]` int64 number of the account's ring, -1 for none.
        account_notes: the first reason of an account, by its row: why it was cleared or reopened.
        ring_notes: the same of a ring, by its number.
        decisions: the people's.
        is_default: whether scores come of the default model.
    """

    scores: np.ndarray
    is_suspicious: np.ndarray
    ring: np.ndarray
    account_notes: Mapping[int, str]
    ring_notes: Mapping[int, str]
    decisions: Decisions
    is_default: bool


def account_reasons(
    snapshot: Snapshot, kinds: Sequence[SharedKind], findings: Findings, rows: np.ndarray
) -> list[list[str]]:
    """At most `MAX_REASONS` sentences, strongest first, for each of the accounts at `rows`; at least one."""
    # A subnet is left to its addresses, which describe it better.
    every_use = [all_uses(snapshot, kind) for kind in kinds if kind.label != "Subnet"]
    signups = [signup_uses(snapshot, kind) for kind in kinds if kind.type == "USED_IP"]
    direct = direct_facts(snapshot, findings.ring, findings.is_suspicious)
    reasons: list[list[str]] = []
    for start in range(0, rows.size, _CHUNK):
        chunk = rows[start : start + _CHUNK]
        facts = [_of(fact, chunk) for fact in direct] + _sharing_facts(
            every_use, signups, findings.is_suspicious, chunk
        )
        reasons += [_strongest(facts, i, int(row), findings) for i, row in enumerate(chunk)]
    return reasons


def _sharing_facts(
    every_use: Sequence[Uses], signups: Sequence[Uses], is_suspicious: np.ndarray, rows: np.ndarray
) -> list[Fact]:
    """Facts about sharing; of an address, the sign-up alone where its other use ties to nobody else."""
    facts = []
    n_signed_up = np.zeros(rows.size, dtype=np.int64)
    for uses in signups:
        shared = shared_with(uses, is_suspicious, rows)
        facts.append(sharing_fact(uses, shared))
        n_signed_up = shared.n_others
    for uses in every_use:
        shared = shared_with(uses, is_suspicious, rows)
        fact = sharing_fact(uses, shared)
        is_covered = (shared.n_others <= n_signed_up) & (uses.kind.type == "USED_IP")
        facts.append(Fact(np.where(is_covered, 0, fact.weight), fact.describe))
    return facts


def _of(fact: Fact, rows: np.ndarray) -> Fact:
    """A fact about all accounts, as one about some of them."""
    return Fact(fact.weight[rows], lambda i: fact.describe(int(rows[i])))


def _strongest(facts: Sequence[Fact], i: int, row: int, findings: Findings) -> list[str]:
    decision = findings.decisions.sentences.get(row)
    sentences = [decision] if decision else []
    if findings.decisions.is_cleared[row]:
        return sentences
    sentences += [findings.account_notes[row]] if row in findings.account_notes else []
    weighed = sorted((-fact.weight[i], order) for order, fact in enumerate(facts) if fact.weight[i] > 0)
    n_wanted = MAX_REASONS - len(sentences) - findings.is_default
    sentences += [facts[order].describe(i) for _, order in weighed[:n_wanted]]
    if findings.is_default:
        sentences.append(DEFAULT_REASON)
    return sentences or [f"the model scores it {findings.scores[row]:.2f} for what it does and what it is linked to"]
