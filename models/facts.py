"""Facts about accounts that can be said in a sentence: a weight to rank them by, and the words, made when asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from models.identifiers import SharedKind
from models.snapshot import Snapshot
from models.wording import count, identifiers_noun, named, of_them_suspicious

_CARD_TYPES = ("card", "prepaid_card")


@dataclass(frozen=True)
class Fact:
    """One kind of sentence about each of n accounts: its weight `[n]`, 0 where it does not hold, and its words."""

    weight: np.ndarray
    say: Callable[[int], str]


@dataclass(frozen=True)
class Uses:
    """Some uses of one kind's identifiers, through which accounts share them.

    Attributes:
        kind: the identifiers.
        incidence: `[n_accounts, n_identifiers]` ones where an account uses an identifier with at least one other.
        is_card: `[n_identifiers]` bool.
        by_signup: whether these are the addresses that accounts signed up from.
    """

    kind: SharedKind
    incidence: sparse.csr_matrix
    is_card: np.ndarray
    by_signup: bool


@dataclass(frozen=True)
class SharedWith:
    """What each of n accounts shares with how many others.

    Attributes:
        identifiers: `[n, n_identifiers]` ones.
        n_others: `[n]` int64 other accounts.
        n_suspicious: `[n]` int64 suspicious ones among them.
        weight: `[n]` float64.
    """

    identifiers: sparse.csr_matrix
    n_others: np.ndarray
    n_suspicious: np.ndarray
    weight: np.ndarray


def all_uses(snapshot: Snapshot, kind: SharedKind) -> Uses:
    """Every use of a kind's shared identifiers."""
    is_card = np.zeros(kind.degree.size, dtype=bool)
    if kind.label == "PaymentInstrument":
        types = snapshot.nodes[kind.label]["instrument_type"]
        is_card = pc.fill_null(pc.is_in(types, value_set=pa.array(_CARD_TYPES)), False).to_numpy().astype(bool)
    return Uses(kind, kind.incidence(snapshot.n_accounts), is_card, by_signup=False)


def signup_uses(snapshot: Snapshot, kind: SharedKind) -> Uses:
    """The addresses that accounts signed up from, where more than one did."""
    signup = kind.select(snapshot.relationships[kind.type]["signup"].to_numpy().astype(bool)[kind.row])
    n_signups = np.bincount(signup.identifier, minlength=kind.degree.size)
    shared = signup.select(n_signups[signup.identifier] > 1)
    return Uses(kind, shared.incidence(snapshot.n_accounts), np.zeros(kind.degree.size, dtype=bool), by_signup=True)


def shared_with(uses: Uses, is_suspicious: np.ndarray, rows: np.ndarray) -> SharedWith:
    """What the accounts at `rows` share with whom."""
    identifiers = uses.incidence[rows]
    others = identifiers @ uses.incidence.T
    others.data[:] = 1  # an account counts once, however much is shared with it
    is_sharing = np.diff(identifiers.indptr) > 0  # and so finds itself among the others
    n_others = np.diff(others.indptr).astype(np.int64) - is_sharing
    n_suspicious = np.rint(others @ is_suspicious.astype(np.float64)).astype(np.int64)
    n_suspicious -= is_sharing & is_suspicious[rows]
    share = n_suspicious / np.maximum(n_others, 1)
    weight = uses.kind.evidence.strength * np.log2(1 + n_others) * (1 + 2 * share)
    return SharedWith(identifiers, n_others, n_suspicious, weight)


def sharing_fact(uses: Uses, shared: SharedWith) -> Fact:
    """The sentence about that sharing."""

    def say(i: int) -> str:
        identifiers = shared.identifiers.indices[shared.identifiers.indptr[i] : shared.identifiers.indptr[i + 1]]
        n_others, n_suspicious = int(shared.n_others[i]), int(shared.n_suspicious[i])
        others = count(n_others, "other account")
        if uses.by_signup:
            said = f"signed up from {uses.kind.ids[int(identifiers[0])].as_py()}, as did {others}"
        elif identifiers.size == 1 and uses.kind.label != "PaymentInstrument":
            said = f"shares {named(uses.kind, int(identifiers[0]))} with {others}"
        else:
            noun = identifiers_noun(uses.kind, identifiers.size, int(uses.is_card[identifiers].sum()))
            said = f"shares {noun} with {others}"
        return said + of_them_suspicious(n_suspicious, n_others)

    return Fact(shared.weight, say)
