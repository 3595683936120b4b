"""Why a group of accounts is a ring: readable sentences about facts of the snapshot, the strongest first."""

from collections.abc import Sequence

import numpy as np

from ringwatch.models.data.identifiers import SharedKind
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.explain.facts import Fact, is_card
from ringwatch.models.explain.reasons import DEFAULT_REASON, MAX_REASONS, Findings
from ringwatch.models.explain.wording import count, identifiers_noun
from ringwatch.models.rings.sharing import per_group, shared_within

_KNOWN_WEIGHT, _SUSPICIOUS_WEIGHT, _DIRECT_WEIGHT, _NEW_WEIGHT = 4.0, 3.0, 0.5, 0.1


def ring_reasons(
    snapshot: Snapshot, kinds: Sequence[SharedKind], findings: Findings, n_new_accounts: np.ndarray
) -> list[list[str]]:
    """At most `MAX_REASONS` sentences, strongest first, for each ring; `n_new_accounts` is `[n_rings]`.

    Where a ring was cleared or reopened, that comes first.
    """
    n_rings = n_new_accounts.size
    size = per_group(findings.ring, np.ones(findings.ring.size, dtype=bool), n_rings)
    n_fake = per_group(findings.ring, findings.decisions.is_fake, n_rings)
    n_suspicious = per_group(findings.ring, findings.is_suspicious, n_rings)
    facts = [
        _fact(_KNOWN_WEIGHT, n_fake, size, "people found {who} fake"),
        _fact(_SUSPICIOUS_WEIGHT, n_suspicious, size, "{who} {are} suspicious"),
    ]
    facts += [_sharing_fact(snapshot, kind, findings.ring, size) for kind in kinds if kind.label != "Subnet"]
    facts += [
        _direct_fact(snapshot, "SENT_MONEY_TO", findings.ring, size, "{who} sent money to others in it"),
        _direct_fact(snapshot, "REFERRED_BY", findings.ring, size, "{who} {were} referred by others in it"),
        _fact(_NEW_WEIGHT, n_new_accounts * (n_new_accounts < size), size, "{who} {are} new since the night before"),
    ]
    return [_strongest(facts, ring, findings) for ring in range(n_rings)]


def _strongest(facts: Sequence[Fact], ring: int, findings: Findings) -> list[str]:
    weighed = sorted((-fact.weight[ring], order) for order, fact in enumerate(facts) if fact.weight[ring] > 0)
    first = [findings.ring_notes[ring]] if ring in findings.ring_notes else []
    last = [DEFAULT_REASON] if findings.is_default else []
    n_facts = MAX_REASONS - len(first) - len(last)
    return [*first, *(facts[order].describe(ring) for _, order in weighed[:n_facts]), *last]


def _fact(strength: float, n_members: np.ndarray, size: np.ndarray, words: str) -> Fact:
    """A fact about some members of each ring, weighed by their share; `{who}` is `3 of its 8 accounts`."""

    def describe(ring: int) -> str:
        n = int(n_members[ring])
        are, were = ("is", "was") if n == 1 else ("are", "were")
        return words.format(who=_of_its_accounts(n, int(size[ring])), are=are, were=were)

    return Fact(strength * n_members / np.maximum(size, 1), describe)


def _of_its_accounts(n: int, size: int) -> str:
    return f"all {size:,} accounts" if n == size else f"{n:,} of its {count(size, 'account')}"


def _sharing_fact(snapshot: Snapshot, kind: SharedKind, ring: np.ndarray, size: np.ndarray) -> Fact:
    """How many members share how many identifiers with another member."""
    shared = shared_within(kind, ring)
    n_identifiers = np.bincount(shared.group, minlength=size.size)
    n_cards = np.bincount(shared.group[is_card(snapshot, kind)[shared.identifier]], minlength=size.size)
    n_sharing = per_group(ring, shared.is_sharing, size.size)

    def describe(i: int) -> str:
        nouns = identifiers_noun(kind, int(n_identifiers[i]), int(n_cards[i]))
        return f"{_of_its_accounts(int(n_sharing[i]), int(size[i]))} share {nouns}"

    return Fact(2 * kind.evidence.strength * n_sharing / np.maximum(size, 1), describe)


def _direct_fact(snapshot: Snapshot, type_: str, ring: np.ndarray, size: np.ndarray, words: str) -> Fact:
    ends = snapshot.ends[type_]
    within = (ring[ends.start] >= 0) & (ring[ends.start] == ring[ends.end]) & (ends.start != ends.end)
    is_start = np.zeros(ring.size, dtype=bool)
    is_start[ends.start[within]] = True
    return _fact(_DIRECT_WEIGHT, per_group(ring, is_start, size.size), size, words)
