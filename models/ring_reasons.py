"""Why a group of accounts is a ring: readable sentences about facts of the snapshot, the strongest first."""

from collections.abc import Sequence

import numpy as np

from models.facts import Fact, all_uses
from models.identifiers import SharedKind
from models.reasons import DEFAULT_REASON, MAX_REASONS, Judged
from models.snapshot import Snapshot
from models.wording import count, identifiers_noun

_KNOWN_WEIGHT, _SUSPICIOUS_WEIGHT, _DIRECT_WEIGHT, _NEW_WEIGHT = 4.0, 3.0, 0.5, 0.1


def ring_reasons(
    snapshot: Snapshot, kinds: Sequence[SharedKind], judged: Judged, n_new_accounts: np.ndarray
) -> list[list[str]]:
    """At most `MAX_REASONS` sentences, strongest first, for each ring; `n_new_accounts` is `[n_rings]`."""
    n_rings = n_new_accounts.size
    size = _per_ring(judged.ring, np.ones(judged.ring.size, dtype=bool), n_rings)
    n_fake = _per_ring(judged.ring, judged.decisions.is_fake, n_rings)
    n_suspicious = _per_ring(judged.ring, judged.is_suspicious, n_rings)
    facts = [
        _fact(_KNOWN_WEIGHT, n_fake, size, "people found {who} fake"),
        _fact(_SUSPICIOUS_WEIGHT, n_suspicious, size, "{who} {are} suspicious"),
    ]
    facts += [_sharing_fact(snapshot, kind, judged.ring, size) for kind in kinds if kind.label != "Subnet"]
    facts += [
        _direct_fact(snapshot, "SENT_MONEY_TO", judged.ring, size, "{who} sent money to others in it"),
        _direct_fact(snapshot, "REFERRED_BY", judged.ring, size, "{who} {were} referred by others in it"),
        _fact(_NEW_WEIGHT, n_new_accounts * (n_new_accounts < size), size, "{who} {are} new since the night before"),
    ]
    return [_strongest(facts, ring, judged.is_default) for ring in range(n_rings)]


def _strongest(facts: Sequence[Fact], ring: int, is_default: bool) -> list[str]:
    weighed = sorted((-fact.weight[ring], order) for order, fact in enumerate(facts) if fact.weight[ring] > 0)
    sentences = [facts[order].say(ring) for _, order in weighed[: MAX_REASONS - is_default]]
    return [*sentences, DEFAULT_REASON] if is_default else sentences


def _per_ring(ring: np.ndarray, holds: np.ndarray, n_rings: int) -> np.ndarray:
    """Number of accounts of each ring for which something holds, `[n_rings]` int64."""
    return np.bincount(ring[holds & (ring >= 0)], minlength=n_rings)


def _fact(strength: float, n_members: np.ndarray, size: np.ndarray, words: str) -> Fact:
    """A fact about some members of each ring, weighed by their share; `{who}` is `3 of its 8 accounts`."""

    def say(ring: int) -> str:
        n = int(n_members[ring])
        are, were = ("is", "was") if n == 1 else ("are", "were")
        return words.format(who=_of_its_accounts(n, int(size[ring])), are=are, were=were)

    return Fact(strength * n_members / np.maximum(size, 1), say)


def _of_its_accounts(n: int, size: int) -> str:
    return f"all {size:,} accounts" if n == size else f"{n:,} of its {count(size, 'account')}"


def _sharing_fact(snapshot: Snapshot, kind: SharedKind, ring: np.ndarray, size: np.ndarray) -> Fact:
    """How many members share how many identifiers with another member."""
    of_ring = ring[kind.account]
    uses = np.flatnonzero(of_ring >= 0)
    pair = of_ring[uses].astype(np.int64) * max(kind.degree.size, 1) + kind.identifier[uses]
    pairs, position, n_members = np.unique(pair, return_inverse=True, return_counts=True)
    shared_pairs = pairs[n_members > 1]
    ring_of_pair, identifier = np.divmod(shared_pairs, max(kind.degree.size, 1))
    n_identifiers = np.bincount(ring_of_pair, minlength=size.size)
    n_cards = np.bincount(ring_of_pair[all_uses(snapshot, kind).is_card[identifier]], minlength=size.size)
    is_sharing = np.zeros(ring.size, dtype=bool)
    is_sharing[kind.account[uses[n_members[position] > 1]]] = True
    n_sharing = _per_ring(ring, is_sharing, size.size)

    def say(i: int) -> str:
        nouns = identifiers_noun(kind, int(n_identifiers[i]), int(n_cards[i]))
        return f"{_of_its_accounts(int(n_sharing[i]), int(size[i]))} share {nouns}"

    return Fact(2 * kind.evidence.strength * n_sharing / np.maximum(size, 1), say)


def _direct_fact(snapshot: Snapshot, type_: str, ring: np.ndarray, size: np.ndarray, words: str) -> Fact:
    ends = snapshot.ends[type_]
    within = (ring[ends.start] >= 0) & (ring[ends.start] == ring[ends.end]) & (ends.start != ends.end)
    is_start = np.zeros(ring.size, dtype=bool)
    is_start[ends.start[within]] = True
    return _fact(_DIRECT_WEIGHT, _per_ring(ring, is_start, size.size), size, words)
