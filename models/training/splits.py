"""Folds that keep every ring whole: no two accounts that share a rare identifier lie in different folds.

A random split would put half of a ring in training and test on its other half, which flatters.
"""

import numpy as np

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.features.components import components

_MAX_SHARING = 64  # accounts on an identifier that is rare
_MAX_LARGEST_SHARE = 0.25  # a component that holds more of all accounts than this is no ring but a chain of hubs


def component_folds(
    snapshot: Snapshot,
    is_fake: np.ndarray,
    *,
    n_folds: int,
    seed: int,
    kinds: tuple[str, ...] | None = None,
    is_capped: bool = True,
) -> np.ndarray:
    """Fold of every account, `[n_accounts] int64`, by whole components over rare shared identifiers.

    `kinds` limits the relations. Rare means on at most 64 accounts, and fewer
    while one component would swallow the graph; not `is_capped`, every shared identifier counts.
    """
    component = rare_components(snapshot, kinds) if is_capped else components(snapshot, kinds=kinds, max_sharing=None)
    return assign_folds(component, is_fake, n_folds=n_folds, seed=seed)


def assign_folds(component: np.ndarray, is_fake: np.ndarray, *, n_folds: int, seed: int) -> np.ndarray:
    """Fold of every account, `[n_accounts] int64`, by whole components, `[n_accounts] int64` from 0.

    Components with fakes are assigned first, in random order, each to the fold with the fewest fakes so far; the others
    to the fold with the fewest accounts.
    """
    n_components = int(component.max(initial=-1)) + 1
    n_fakes = np.bincount(component[is_fake], minlength=n_components)
    size = np.bincount(component, minlength=n_components)
    order = np.random.default_rng(seed).permutation(n_components)
    order = order[np.argsort(-(n_fakes[order] > 0).astype(np.int8), kind="stable")]
    fold_of, fold_fakes, fold_size = np.empty(n_components, dtype=np.int64), np.zeros(n_folds), np.zeros(n_folds)
    for code in order:
        fold = int(np.lexsort((fold_size, fold_fakes))[0] if n_fakes[code] else fold_size.argmin())
        fold_of[code] = fold
        fold_fakes[fold] += n_fakes[code]
        fold_size[fold] += size[code]
    return np.asarray(fold_of[component])


def rare_components(snapshot: Snapshot, kinds: tuple[str, ...] | None = None) -> np.ndarray:
    """Component of every account over rare shared identifiers, `[n_accounts] int64`: none swallows the graph."""
    cap = _MAX_SHARING
    while True:
        component = components(snapshot, kinds=kinds, max_sharing=cap)
        largest = np.bincount(component, minlength=1).max()
        if cap <= 2 or largest <= _MAX_LARGEST_SHARE * snapshot.n_accounts:
            return component
        cap //= 2
