"""What labels are worth: average precision on the accounts that nobody labels, by how many fakes are known.

The labels are drawn from the truth of a world in place of its own, fakes and legitimate accounts in the proportion in
which its own desk found them, and none is wrong. Always the same accounts are left unlabelled and judged.
"""

import logging
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import pyarrow as pa
from sklearn.metrics import average_precision_score

from ringwatch.graph_schema.layout import LABELS_SCHEMA
from ringwatch.models.common.errors import TooFewLabelsError
from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import Snapshot, make_snapshot
from ringwatch.models.data.truth import Truth
from ringwatch.models.evaluation.baselines import boosted_scores
from ringwatch.models.registry.model import TrainedModel
from ringwatch.models.scoring.scoring import score
from ringwatch.models.training.training import train

N_KNOWN_FAKES = (0, 5, 20, 70, 200, 1000)
_JUDGED = 0.3  # share of accounts that are never labelled
_MIN_LEGITIMATE = 40
_log = logging.getLogger(__name__)


class LabelPoint(TypedDict):
    """One point of the curve; `trees` is the tree with neighbour aggregates, none without labels."""

    n_known_fakes: int
    n_known_legitimate: int
    ours: float
    trees: float | None


def label_curve(snapshot: Snapshot, truth: Truth, default: TrainedModel, *, seed: int) -> list[LabelPoint]:
    """The points that the world has fakes enough for."""
    rng = np.random.default_rng(seed)
    is_judged = truth.is_evaluated & (rng.random(snapshot.n_accounts) < _JUDGED)
    to_label = truth.is_evaluated & ~is_judged
    fakes, legitimate = (rng.permutation(np.flatnonzero(to_label & each)) for each in (truth.is_fake, ~truth.is_fake))
    known = known_labels(snapshot)
    per_fake = (known.target == 0).sum() / max(known.is_fake.sum(), 1)
    points = []
    for n_fakes in N_KNOWN_FAKES:
        if n_fakes > fakes.size:
            break
        _log.info("with %s known fakes", n_fakes)
        n_legitimate = min(max(_MIN_LEGITIMATE, round(per_fake * n_fakes)), legitimate.size) if n_fakes else 0
        labelled = _labelled(snapshot, fakes[:n_fakes], legitimate[:n_legitimate])
        is_fake = truth.is_fake[is_judged]
        ours = _scores(labelled, default, seed=seed)[is_judged]
        trees = None
        if n_fakes:
            of_trees = boosted_scores(labelled, known_labels(labelled).is_known, has_neighbours=True, seed=seed)
            trees = float(average_precision_score(is_fake, of_trees[is_judged]))
        points.append(LabelPoint(
            n_known_fakes=n_fakes, n_known_legitimate=n_legitimate,
            ours=float(average_precision_score(is_fake, ours)), trees=trees,
        ))  # fmt: skip
    return points


def _scores(snapshot: Snapshot, default: TrainedModel, *, seed: int) -> np.ndarray:
    try:
        return train(snapshot, seed=seed, default=default).scores
    except TooFewLabelsError:
        return score(default, snapshot).fake


def _labelled(snapshot: Snapshot, fakes: Sequence[int] | np.ndarray, legitimate: np.ndarray) -> Snapshot:
    """The snapshot with these labels in place of its own."""
    rows = np.concatenate([fakes, legitimate]).astype(np.int64)
    columns = {
        "account_id": snapshot.accounts["id"].take(pa.array(rows)),
        "label": pa.array(["fake"] * len(fakes) + ["legitimate"] * len(legitimate), pa.string()),
        "label_confidence": pa.array(np.ones(rows.size)),
        "source": pa.array(["audit_sample"] * rows.size, pa.string()),
        "known_at": pa.array(np.full(rows.size, snapshot.end_of_day - np.timedelta64(1, "h"))),
        "n_people": pa.array(np.ones(rows.size, dtype=np.int64)),
    }
    labels = pa.table({name: columns[name] for name in LABELS_SCHEMA.names})
    return make_snapshot(snapshot.date, snapshot.nodes, snapshot.relationships, labels)
