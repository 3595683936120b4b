"""Facts about accounts that can be text in a sentence: a weight to rank them by, and the words, made when asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from ringwatch.graph_schema.graph import RELATIONSHIPS_BY_TYPE
from ringwatch.models.data.identifiers import SharedKind
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.explain.wording import count, identifiers_noun, in_the_same_hour, named, of_them_suspicious

_US_PER_HOUR = 3_600_000_000
_CARD_TYPES = ("card", "prepaid_card")


@dataclass(frozen=True)
class Fact:
    """One kind of fact about each of n accounts: its weight `[n]`, 0 where it does not hold, and its sentence."""

    weight: np.ndarray
    describe: Callable[[int], str]


@dataclass(frozen=True)
class Uses:
    """Some uses of one kind's identifiers, through which accounts share them.

    Attributes:
        kind: the identifiers.
        incidence: `[n_accounts, n_identifiers]` ones where an account uses an identifier with at least one other.
        by_hour: `[n_accounts, n_identifier_hours]` ones where an account first used an identifier in an hour, in which
            others did too; None for a kind whose uses have no times.
        is_card: `[n_identifiers]` bool.
        by_signup: whether these are the addresses that accounts signed up from.
    """

    kind: SharedKind
    incidence: sparse.csr_matrix
    by_hour: sparse.csr_matrix | None
    is_card: np.ndarray
    by_signup: bool


@dataclass(frozen=True)
class SharedWith:
    """What each of n accounts shares with how many others.

    Attributes:
        identifiers: `[n, n_identifiers]` ones.
        n_others: `[n]` int64 other accounts.
        n_suspicious: `[n]` int64 suspicious ones among them.
        n_in_step: `[n]` int64 others that first used one of them within the same hour as the account.
        weight: `[n]` float64.
    """

    identifiers: sparse.csr_matrix
    n_others: np.ndarray
    n_suspicious: np.ndarray
    n_in_step: np.ndarray
    weight: np.ndarray


def all_uses(snapshot: Snapshot, kind: SharedKind) -> Uses:
    """Every use of a kind's shared identifiers."""
    incidence, by_hour = kind.incidence(snapshot.n_accounts), _by_hour(snapshot, kind)
    return Uses(kind, incidence, by_hour, is_card(snapshot, kind), by_signup=False)


def is_card(snapshot: Snapshot, kind: SharedKind) -> np.ndarray:
    """Which of a kind's identifiers are cards, `[n_identifiers] bool`."""
    if kind.label != "PaymentInstrument":
        return np.zeros(kind.degree.size, dtype=bool)
    types = snapshot.nodes[kind.label]["instrument_type"]
    is_one = pc.fill_null(pc.is_in(types, value_set=pa.array(_CARD_TYPES)), False)
    return np.asarray(is_one.to_numpy().astype(bool))


def _by_hour(snapshot: Snapshot, kind: SharedKind) -> sparse.csr_matrix | None:
    if not RELATIONSHIPS_BY_TYPE[kind.type].is_dated:
        return None
    first_seen_at = snapshot.relationships[kind.type]["first_seen_at"].cast("int64").to_numpy()
    hour = first_seen_at[kind.row] // _US_PER_HOUR
    hour -= hour.min(initial=0)
    use = kind.identifier.astype(np.int64) * (hour.max(initial=0) + 1) + hour  # one number a pair: far cheaper to sort
    _, code, n_accounts = np.unique(use, return_inverse=True, return_counts=True)
    together = n_accounts[code] > 1
    at = (kind.account[together], code[together])
    return sparse.csr_matrix((np.ones(at[0].size), at), shape=(snapshot.n_accounts, n_accounts.size))


def signup_uses(snapshot: Snapshot, kind: SharedKind) -> Uses:
    """The addresses that accounts signed up from, where more than one did."""
    signup = kind.select(snapshot.relationships[kind.type]["signup"].to_numpy().astype(bool)[kind.row])
    n_signups = np.bincount(signup.identifier, minlength=kind.degree.size)
    shared = signup.select(n_signups[signup.identifier] > 1)
    incidence, no_card = shared.incidence(snapshot.n_accounts), np.zeros(kind.degree.size, dtype=bool)
    return Uses(kind, incidence, None, no_card, by_signup=True)


def shared_with(uses: Uses, is_suspicious: np.ndarray, rows: np.ndarray) -> SharedWith:
    """What the accounts at `rows` share with whom."""
    identifiers = uses.incidence[rows]
    others, is_sharing = _others(uses.incidence, rows)
    n_others = np.diff(others.indptr).astype(np.int64) - is_sharing
    n_suspicious = np.rint(others @ is_suspicious.astype(np.float64)).astype(np.int64)
    n_suspicious -= is_sharing & is_suspicious[rows]
    n_in_step = np.zeros(rows.size, dtype=np.int64)
    if uses.by_hour is not None:
        in_step, is_in_step = _others(uses.by_hour, rows)
        n_in_step = np.diff(in_step.indptr).astype(np.int64) - is_in_step
    share = n_suspicious / np.maximum(n_others, 1)
    weight = uses.kind.evidence.strength * np.log2(1 + n_others) * (1 + 2 * share)
    return SharedWith(identifiers, n_others, n_suspicious, n_in_step, weight)


def _others(incidence: sparse.csr_matrix, rows: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Ones where an account has something in common with one at `rows`, which finds itself there if it has anything."""
    own = incidence[rows]
    others = own @ incidence.T
    others.data[:] = 1  # an account counts once, however much is shared with it
    return others, np.diff(own.indptr) > 0


def sharing_fact(uses: Uses, shared: SharedWith) -> Fact:
    """The sentence about that sharing."""

    def describe(i: int) -> str:
        identifiers = shared.identifiers.indices[shared.identifiers.indptr[i] : shared.identifiers.indptr[i + 1]]
        n_others, n_suspicious = int(shared.n_others[i]), int(shared.n_suspicious[i])
        others = count(n_others, "other account")
        if uses.by_signup:
            text = f"signed up from {uses.kind.ids[int(identifiers[0])].as_py()}, as did {others}"
        elif identifiers.size == 1 and uses.kind.label != "PaymentInstrument":
            text = f"shares {named(uses.kind, int(identifiers[0]))} with {others}"
        else:
            noun = identifiers_noun(uses.kind, identifiers.size, int(uses.is_card[identifiers].sum()))
            text = f"shares {noun} with {others}"
        return text + of_them_suspicious(n_suspicious, n_others) + in_the_same_hour(int(shared.n_in_step[i]))

    return Fact(shared.weight, describe)
