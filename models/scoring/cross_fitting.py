"""Scores of labelled accounts by parts that were fitted without their labels: a label must not confirm itself.

Trees remember what they were fitted to. Whom a person found fake by mistake would score as a fake ever after, and the
model could no longer contradict that person.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ringwatch.models.data.labels import Labels
from ringwatch.models.data.links import Links
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.ensemble.evidence import SharedEvidence
from ringwatch.models.ensemble.parts import TreePart, part_logits
from ringwatch.models.ensemble.stack import Stack
from ringwatch.models.scoring.stacked import StackInputs, stacked_logits


class HeldOut(NamedTuple):
    """Logits by parts that an account's label was hidden from.

    Attributes:
        of_parts: `[n_parts, n_accounts]`, in the order of a stack's weights; of labelled accounts, 0 elsewhere.
        near: `[n_folds, n_parts, n_near]` of the parts of each fold, for labelled accounts and those linked to them.
        rows: `[n_near]` of these.
    """

    of_parts: np.ndarray
    near: np.ndarray
    rows: np.ndarray


def account_folds(snapshot: Snapshot, labels: Labels, n_folds: int, *, salt: int) -> np.ndarray:
    """Fold of each labelled account, `[n_accounts] int64`, by a hash of its id: the same every night, stored nowhere.

    0 for the others, which are nearly all and need none.
    """
    rows = np.flatnonzero(labels.is_known)
    key = salt.to_bytes(8, "big")
    digests = b"".join(
        blake2b(account_id.encode(), digest_size=8, key=key).digest()
        for account_id in snapshot.accounts["id"].take(pa.array(rows)).to_pylist()
    )
    fold = np.zeros(labels.target.size, dtype=np.int64)
    fold[rows] = np.frombuffer(digests, dtype=np.uint64) % np.uint64(n_folds)
    return fold


def held_out_logits(
    folds: Sequence[Sequence[TreePart]], inputs: StackInputs, labels: Labels, fold: np.ndarray
) -> HeldOut:
    """What the parts of each fold, fitted without its labels, say; own networks' logits have to be held out already."""
    rows = _near(inputs.links, inputs.shared, labels.is_known)
    near = np.stack(
        [[*inputs.first[:, rows], *part_logits(parts, inputs.of_parts, rows), *inputs.last[:, rows]] for parts in folds]
    )
    of_parts = np.zeros((near.shape[1], fold.size))
    of_parts[:, rows] = near[fold[rows], :, np.arange(rows.size)].T
    return HeldOut(np.where(labels.is_known, of_parts, 0.0), near, rows)


def combined_held_out(stack: Stack, held_out: HeldOut, inputs: StackInputs, fold: np.ndarray) -> np.ndarray:
    """Held-out logits of a stack, smoothed as those of other accounts are: `[n_accounts]`, of labelled accounts."""
    combined = np.zeros(fold.size)
    for held, of_fold in enumerate(held_out.near):
        logits = np.zeros((len(of_fold), fold.size))
        logits[:, held_out.rows] = of_fold
        combined[fold == held] = stack.combine(logits, inputs.links, inputs.shared)[fold == held]
    return combined


def cross_fitted_logits(stack: Stack, inputs: StackInputs, snapshot: Snapshot, labels: Labels) -> np.ndarray:
    """One logit for each account, `[n_accounts] float64`: of labelled accounts, by parts that did not learn from them.

    A platform's own networks are not fitted again for these folds: their part of a labelled account's logit has seen
    the label.
    """
    logits = stacked_logits(stack, inputs)
    if stack.cross_fit is None or not labels.is_known.any():
        return logits
    fold = account_folds(snapshot, labels, len(stack.cross_fit.folds), salt=stack.cross_fit.salt)
    held_out = held_out_logits(stack.cross_fit.folds, inputs, labels, fold)
    return np.where(labels.is_known, combined_held_out(stack, held_out, inputs, fold), logits)


def _near(links: Links, shared: SharedEvidence, is_known: np.ndarray) -> np.ndarray:
    """Rows of labelled accounts and of those whose logits smoothing spreads to them."""
    is_sent = is_known[links.receiver] & (shared.n_beyond_network > 0)
    return np.union1d(np.flatnonzero(is_known), links.sender[is_sent])
