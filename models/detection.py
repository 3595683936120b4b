"""From scores to findings: labels, rings, reasons. What people decided outranks the score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models.communities import find_groups, keep_groups, link_graph
from models.decisions import decisions_of
from models.identifiers import SharedKind, shared_kinds
from models.labels import known_labels
from models.reasons import Judged, account_reasons
from models.ring_reasons import ring_reasons
from models.ring_tables import rings_table
from models.rings import RingIds, Rings, match_rings, ring_scores
from models.scoring import Scores
from models.snapshot import Snapshot
from models.thresholds import Thresholds

ACCOUNTS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("fraud_score", pa.float64()),
        ("fraud_label", pa.string()),
        ("ring_id", pa.string()),
        ("reasons", pa.list_(pa.string())),
    ]
)
_LABELS = np.array(["clear", "watch", "suspicious"])
_CLEAR, _WATCH, _SUSPICIOUS = range(3)


@dataclass(frozen=True)
class Detection:
    """What one night found.

    Attributes:
        accounts: ACCOUNTS_SCHEMA, every account of the snapshot, sorted by account_id; ring_id is null outside rings,
            reasons are empty for a clear account that nobody reviewed.
        found: the rings that are at least to watch, and their members.
    """

    accounts: pa.Table
    found: Rings

    @property
    def rings(self) -> pa.Table:
        """RINGS_SCHEMA, sorted by ring_id."""
        return self.found.rings

    @property
    def members(self) -> pa.Table:
        """MEMBERS_SCHEMA, sorted by ring_id and account_id."""
        return self.found.members


def detect(
    snapshot: Snapshot,
    scores: Scores,
    *,
    thresholds: Thresholds,
    previous: Rings | None,
    is_default: bool,
) -> Detection:
    """Judge every account and find the rings, the same bytes for the same input.

    Args:
        snapshot: the night's graph.
        scores: of the snapshot's accounts, and the links between them.
        thresholds: where watch and suspicious begin, for accounts and rings.
        previous: the rings of the night detected before, for their ids; None for none.
        is_default: scores come of the default model, which no label of this platform has proven: nothing is more than
            `watch`, but by a person's decision.
    """
    decisions = decisions_of(snapshot)
    highest = _WATCH if is_default else _SUSPICIOUS
    level = np.minimum(_levels(scores.fake, thresholds), highest)
    level[decisions.is_cleared], level[decisions.is_fake] = _CLEAR, _SUSPICIOUS
    # Of a ring, who is known to be fake counts as that, whoever said so, and not as what a model expects.
    labels_known = known_labels(snapshot)
    known_scores = np.where(labels_known.is_fake, np.maximum(scores.fake, labels_known.confidence), scores.fake)
    decided_scores = np.select([decisions.is_fake, decisions.is_cleared], [1.0, 0.0], known_scores)

    groups = find_groups(link_graph(scores.links, ~decisions.is_cleared))
    groups = keep_groups(groups, ring_scores(groups, decided_scores) >= thresholds.watch)
    score_by_ring = ring_scores(groups, decided_scores)
    ids = match_rings(previous, groups, snapshot.accounts["id"], snapshot.date)

    kinds = shared_kinds(snapshot)
    judged = Judged(scores.fake, level == _SUSPICIOUS, groups.group, decisions, is_default)
    labels = _LABELS[np.minimum(_levels(score_by_ring, thresholds), highest)]
    reasons = ring_reasons(snapshot, kinds, judged, ids.n_new_accounts)
    return Detection(
        _accounts_table(snapshot, kinds, judged, level, ids),
        rings_table(snapshot, groups, ids, previous, scores=score_by_ring, labels=labels, reasons=reasons),
    )


def _levels(scores: np.ndarray, thresholds: Thresholds) -> np.ndarray:
    return np.where(scores >= thresholds.suspicious, _SUSPICIOUS, np.where(scores >= thresholds.watch, _WATCH, _CLEAR))


def _accounts_table(
    snapshot: Snapshot, kinds: Sequence[SharedKind], judged: Judged, level: np.ndarray, ids: RingIds
) -> pa.Table:
    has_reasons = (level != _CLEAR) | (judged.decisions.verdict >= 0)
    rows = np.flatnonzero(has_reasons)
    lengths = np.zeros(snapshot.n_accounts + 1, dtype=np.int32)
    said = account_reasons(snapshot, kinds, judged, rows)
    lengths[rows + 1] = [len(sentences) for sentences in said]
    ring_ids = pa.array(ids.ids, pa.string()).take(pa.array(judged.ring, mask=judged.ring < 0))
    columns = [
        snapshot.accounts["id"],
        pa.array(judged.scores, pa.float64()),
        pa.array(_LABELS[level], pa.string()),
        ring_ids,
        pa.ListArray.from_arrays(
            np.cumsum(lengths), pa.array([s for sentences in said for s in sentences], pa.string())
        ),
    ]
    return pa.table(columns, schema=ACCOUNTS_SCHEMA)
