"""How far a night's accounts have moved from those that a model was trained on: the population stability index.

PSI = sum over bins of (q - p) ln(q / p), with p the shares of the training night and q tonight's. By the custom of
credit scoring (Siddiqi, Credit Risk Scorecards, 2006) under .1 is stable, and over .25 is another population.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.features.account import account_columns, category_columns, fit_vocabulary

SCORE = "score"
# Of a score, where its meaning changes: its own quantiles would all lie where nobody is suspected.
_SCORE_EDGES = (0.01, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.98)
_N_BINS = 10
_LEAST_SHARE = 1e-4  # an empty bin would make the index infinite


@dataclass(frozen=True)
class Distribution:
    """A column on the training night.

    Attributes:
        edges: inner edges of the bins, ascending; a value on an edge is in the upper bin.
        shares: of accounts in each bin, `[n_edges + 1]`, and where nothing is known, last.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]

    def psi(self, values: np.ndarray) -> float:
        """The index of tonight's `[n_accounts]` values against these."""
        p, q = (np.maximum(shares, _LEAST_SHARE) for shares in (self.shares, _shares(values, self.edges)))
        return float(((q - p) * np.log(q / p)).sum())


@dataclass(frozen=True)
class Reference:
    """What a model's training night looked like: a distribution a column, and the words that categories were of."""

    columns: Mapping[str, Distribution]
    vocabulary: Mapping[str, tuple[str, ...]]


def reference_of(snapshot: Snapshot, scores: np.ndarray) -> Reference:
    """The training night of a model.

    Args:
        snapshot: the night.
        scores: `[n_accounts]` that the model gives it.
    """
    vocabulary = fit_vocabulary(snapshot, ACCOUNT, np.arange(snapshot.n_accounts))
    columns = {
        name: Distribution(edges := _quantiles(values), _shares(values, edges))
        for name, values in _columns(snapshot, vocabulary)
    }
    columns[SCORE] = score_distribution(scores)
    return Reference(columns, vocabulary)


def drift_from(reference: Reference, snapshot: Snapshot, scores: np.ndarray) -> dict[str, float]:
    """PSI of every column that both nights have, the scores' under `SCORE`."""
    tonight = {**dict(_columns(snapshot, reference.vocabulary)), SCORE: scores}
    return {name: was.psi(tonight[name]) for name, was in reference.columns.items() if name in tonight}


def score_distribution(scores: np.ndarray) -> Distribution:
    """Of `[n_accounts]` scores, in the bins of the index."""
    return Distribution(_SCORE_EDGES, _shares(scores, _SCORE_EDGES))


def moves_with_time(column: str) -> bool:
    """Whether a column measures time that has passed, so that it moves while nothing changes."""
    return column.endswith(("_days", ".per_day"))


def _columns(snapshot: Snapshot, vocabulary: Mapping[str, tuple[str, ...]]) -> Iterable[tuple[str, np.ndarray]]:
    for columns in (account_columns(snapshot), category_columns(snapshot, ACCOUNT, vocabulary)):
        yield from zip(columns.names, columns.values.T, strict=True)


def _quantiles(values: np.ndarray) -> tuple[float, ...]:
    """Inner edges of bins with equal numbers of accounts, as far as values are not equal: at most nine."""
    known = values[~np.isnan(values)]
    if not known.size:
        return ()
    edges = np.unique(np.quantile(known, np.linspace(0, 1, _N_BINS + 1)[1:-1], method="higher"))
    return tuple(edges[edges > known.min()].tolist())


def _shares(values: np.ndarray, edges: tuple[float, ...]) -> tuple[float, ...]:
    is_known = ~np.isnan(values)
    counts = np.bincount(np.searchsorted(edges, values[is_known], side="right"), minlength=len(edges) + 1)
    return tuple((np.append(counts, (~is_known).sum()) / max(values.size, 1)).tolist())
