"""From scores to findings: labels, rings, reasons. What people decided outranks the score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ringwatch.models.data.decisions import decisions_of, scores_with_labels
from ringwatch.models.data.identifiers import SharedKind, shared_kinds
from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.explain.reasons import Findings, account_reasons
from ringwatch.models.rings.classifier import RingClassifier
from ringwatch.models.rings.cleared import NONE_CLEARED, ClearedRings, join_cleared_rings
from ringwatch.models.rings.communities import among, find_groups, link_graph
from ringwatch.models.rings.cores import core_sizes
from ringwatch.models.rings.decision import decide_rings
from ringwatch.models.rings.identity import RingIds, Rings, match_rings
from ringwatch.models.rings.reasons import ring_reasons
from ringwatch.models.rings.tables import rings_table
from ringwatch.models.scoring.scoring import Scores

ACCOUNTS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("fraud_score", pa.float64()),
        ("fraud_label", pa.string()),
        ("ring_id", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("core_size", pa.int64()),
    ]
)
_LABELS = np.array(["clear", "watch", "suspicious"])
_CLEAR, _WATCH, _SUSPICIOUS = range(3)


@dataclass(frozen=True)
class Detection:
    """What one night found.

    Attributes:
        accounts: ACCOUNTS_SCHEMA, every account of the snapshot, sorted by account_id; ring_id is null outside rings,
            reasons are empty for a clear account that nobody reviewed and that is in none; core_size is the number of
            suspicious accounts that it is connected with (rings/cores.py), itself included, 0 for none.
        found: the rings, and legitimate groups that were looked at and cleared; and their members.
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
    ring_classifier: RingClassifier,
    previous: Rings | None,
    cleared_rings: ClearedRings = NONE_CLEARED,
    is_default: bool,
) -> Detection:
    """Label every account and find the rings, the same bytes for the same input.

    Args:
        snapshot: the night's graph.
        scores: of the snapshot's accounts, and the links between them.
        thresholds: where watch and suspicious begin, for accounts.
        ring_classifier: decides which communities are rings, and which are legitimate and cleared.
        previous: the rings of the night detected before, for their ids; None for none.
        cleared_rings: rings that people found legitimate, which stay so until they have changed.
        is_default: scores are the default model's, which no label of this platform has validated: nothing is more than
            `watch`, except by a person's decision.
    """
    decisions, labels, kinds = decisions_of(snapshot), known_labels(snapshot), shared_kinds(snapshot)
    highest = _WATCH if is_default else _SUSPICIOUS
    level = np.minimum(_levels(scores.fake, thresholds), highest)
    links = link_graph(scores.links)
    joined = join_cleared_rings(cleared_rings, links, kinds, decisions.outcome >= 0)
    level[joined.still_cleared] = _CLEAR
    keep = ~decisions.is_cleared
    keep[joined.still_cleared] = False
    decided = decide_rings(
        ring_classifier,
        snapshot,
        kinds,
        find_groups(among(links, keep)),
        scores=scores_with_labels(scores.fake, labels, decisions),
        is_known_fake=labels.is_fake,
        is_flagged=level > _CLEAR,
    )
    group = decided.groups.group
    is_legitimate = np.isin(group, list(decided.cleared))
    level[is_legitimate] = _CLEAR
    level[decisions.is_cleared], level[decisions.is_fake] = _CLEAR, _SUSPICIOUS
    ring_level = np.clip(_levels(decided.probability, ring_classifier.thresholds), _WATCH, highest)
    ring_level[list(decided.cleared)] = _CLEAR

    findings = Findings(
        scores.fake,
        level == _SUSPICIOUS,
        group,
        account_notes={
            int(row): f"its group {decided.cleared[int(group[row])]}" for row in np.flatnonzero(is_legitimate)
        } | joined.notes,
        ring_notes={int(group[row]): note for row, note in joined.notes.items() if group[row] >= 0}
        | dict(decided.cleared),
        decisions=decisions,
        is_default=is_default,
    )  # fmt: skip
    created_at = snapshot.accounts["created_at"].to_numpy().astype("datetime64[us]")
    cores = core_sizes(scores.links, level == _SUSPICIOUS, created_at)
    ids = match_rings(previous, decided.groups, snapshot.accounts["id"], snapshot.date)
    return Detection(
        _accounts_table(snapshot, kinds, findings, level, ids, cores),
        rings_table(
            snapshot,
            decided.groups,
            ids,
            previous,
            scores=decided.probability,
            labels=_LABELS[ring_level],
            reasons=ring_reasons(snapshot, kinds, findings, ids.n_new_accounts),
        ),
    )


def _levels(scores: np.ndarray, thresholds: Thresholds) -> np.ndarray:
    return np.where(scores >= thresholds.suspicious, _SUSPICIOUS, np.where(scores >= thresholds.watch, _WATCH, _CLEAR))


def _accounts_table(
    snapshot: Snapshot,
    kinds: Sequence[SharedKind],
    findings: Findings,
    level: np.ndarray,
    ids: RingIds,
    core_size: np.ndarray,
) -> pa.Table:
    has_reasons = (level != _CLEAR) | (findings.decisions.outcome >= 0)
    has_reasons[list(findings.account_notes)] = True
    rows = np.flatnonzero(has_reasons)
    lengths = np.zeros(snapshot.n_accounts + 1, dtype=np.int32)
    sentences_by_row = account_reasons(snapshot, kinds, findings, rows)
    lengths[rows + 1] = [len(sentences) for sentences in sentences_by_row]
    ring_ids = pa.array(ids.ids, pa.string()).take(pa.array(findings.ring, mask=findings.ring < 0))
    columns = [
        snapshot.accounts["id"],
        pa.array(findings.scores, pa.float64()),
        pa.array(_LABELS[level], pa.string()),
        ring_ids,
        pa.ListArray.from_arrays(
            np.cumsum(lengths), pa.array([s for sentences in sentences_by_row for s in sentences], pa.string())
        ),
        pa.array(core_size, pa.int64()),
    ]
    return pa.table(columns, schema=ACCOUNTS_SCHEMA)
