"""Faithfulness of evidence: whether an account's score depends on the identifiers that its evidence names.

The identifiers that an account's evidence names are taken from it, and the snapshot is scored again; beside it, as many
others of its identifiers are taken, at random. Named evidence that explains the score must cost it more.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypedDict

import numpy as np
import pyarrow as pa
from scipy.special import logit

from ringwatch.graph_schema.graph import IDENTIFIER_RELATIONSHIPS
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.explain.evidence import account_evidence
from ringwatch.models.registry.model import TrainedModel
from ringwatch.models.scoring.scoring import score

N_NAMED = 5  # identifiers taken from an account: those that its evidence names first
_N_ACCOUNTS = 200
_TYPE_OF = {relationship.end.label: relationship.type for relationship in IDENTIFIER_RELATIONSHIPS}
_TINY = 1e-9

_Uses = dict[str, list[int]]  # rows of relationships, by type


class Faithfulness(TypedDict):
    """Mean fall of the log-odds when named evidence is taken, and when random, and how often the first is larger."""

    n_accounts: int
    fall_named: float
    fall_random: float
    share_named_falls_more: float


def faithfulness(model: TrainedModel, snapshot: Snapshot, is_suspicious: np.ndarray, *, seed: int) -> Faithfulness:
    """Measured on up to 200 of the accounts where `is_suspicious`, `[n_accounts] bool`, no two of the same evidence."""
    rng = np.random.default_rng(seed)
    accounts, named, others = [], dict[str, list[int]](), dict[str, list[int]]()
    for account, of_evidence, rest in _apart(snapshot, rng.permutation(np.flatnonzero(is_suspicious))):
        taken = rng.permutation(len(rest))[: len(of_evidence)]
        if len(taken) < len(of_evidence):
            continue  # all that it has is named: nothing to compare with
        accounts.append(account)
        for uses, chosen in ((named, of_evidence), (others, [rest[position] for position in taken])):
            for type_, row in chosen:
                uses.setdefault(type_, []).append(row)
        if len(accounts) == _N_ACCOUNTS:
            break
    if not accounts:
        return Faithfulness(n_accounts=0, fall_named=0.0, fall_random=0.0, share_named_falls_more=0.0)
    before, without_named, without_others = (
        logit(np.clip(score(model, each).fake[accounts], _TINY, 1 - _TINY))
        for each in (snapshot, _without(snapshot, named), _without(snapshot, others))
    )
    return Faithfulness(
        n_accounts=len(accounts),
        fall_named=float(np.mean(before - without_named)),
        fall_random=float(np.mean(before - without_others)),
        share_named_falls_more=float(np.mean(without_named < without_others)),
    )


def _apart(
    snapshot: Snapshot, accounts: np.ndarray
) -> Iterator[tuple[int, list[tuple[str, int]], list[tuple[str, int]]]]:
    """Accounts, the uses that their evidence names and their other uses; none whose evidence was another's before."""
    ids = snapshot.accounts["id"].take(pa.array(accounts)).to_pylist()
    evidence = account_evidence(snapshot, ids, {})
    uses_of = _uses_by_account(snapshot, accounts)
    seen: set[tuple[str, str]] = set()
    for account, account_id in zip(accounts.tolist(), ids, strict=True):
        wanted = [(_TYPE_OF[e["kind"]], e["id"]) for e in evidence[account_id] if e["kind"] in _TYPE_OF][:N_NAMED]
        if not wanted or seen & set(wanted):
            continue
        seen |= set(wanted)
        uses = uses_of[account]
        yield account, [uses[each] for each in wanted], [use for each, use in uses.items() if each not in set(wanted)]


def _uses_by_account(snapshot: Snapshot, accounts: np.ndarray) -> dict[int, dict[tuple[str, str], tuple[str, int]]]:
    """Of each account, by type and identifier, the type and row of the relationship."""
    uses: dict[int, dict[tuple[str, str], tuple[str, int]]] = {int(account): {} for account in accounts}
    for relationship in IDENTIFIER_RELATIONSHIPS:
        start = snapshot.ends[relationship.type].start
        rows = np.flatnonzero(np.isin(start, accounts))
        ids = snapshot.relationships[relationship.type]["end_id"].take(pa.array(rows)).to_pylist()
        for row, id_ in zip(rows.tolist(), ids, strict=True):
            uses[int(start[row])][relationship.type, id_] = (relationship.type, row)
    return uses


def _without(snapshot: Snapshot, uses: _Uses) -> Snapshot:
    relationships = dict(snapshot.relationships)
    for type_, rows in uses.items():
        keep = np.ones(relationships[type_].num_rows, dtype=bool)
        keep[rows] = False
        relationships[type_] = relationships[type_].filter(pa.array(keep))
    return replace(snapshot, relationships=relationships)
