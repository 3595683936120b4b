"""Evaluation of the nights of a simulated world: accounts, rings, campaigns, harm, and every baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.data.truth import Truth
from ringwatch.models.evaluation.comparison import OURS, compare_rankings, label_baselines
from ringwatch.models.evaluation.component_baseline import accused_by_component
from ringwatch.models.evaluation.difficulty import oracle_scores
from ringwatch.models.evaluation.faithfulness import faithfulness
from ringwatch.models.evaluation.fraudar import fraudar_scores
from ringwatch.models.evaluation.metrics import CAMPAIGN_FOUND, campaigns_found, large_campaigns, ring_metrics
from ringwatch.models.evaluation.rewiring import shuffled, without_edges
from ringwatch.models.registry.model import TrainedModel
from ringwatch.models.scoring.scoring import score


@dataclass(frozen=True)
class DetectedNight:
    """What was found in a night, and the truth about it.

    Attributes:
        snapshot: the night.
        truth: about its accounts, in their order, as are all the rest.
        score: `[n_accounts] float64`.
        is_suspicious: `[n_accounts] bool`.
        is_banned: `[n_accounts] bool`, to be listed by its score.
        is_decided: `[n_accounts] bool`, to be listed by a person's decision.
        is_contested: `[n_accounts] bool`, a person's decision against the score, which waits for a second person's.
        ring: `[n_accounts] int64` number of the suspicious ring, -1 outside.
        cleared_group: `[n_accounts] int64` number of the group that was cleared as legitimate, -1 outside.
    """

    snapshot: Snapshot
    truth: Truth
    score: np.ndarray
    is_suspicious: np.ndarray
    is_banned: np.ndarray
    is_decided: np.ndarray
    is_contested: np.ndarray
    ring: np.ndarray
    cleared_group: np.ndarray


def evaluate_detection(nights: Sequence[DetectedNight]) -> dict[str, Any]:
    """Rings, campaigns, harm and time, as of the last night."""
    last, truth, labels = nights[-1], nights[-1].truth, known_labels(nights[-1].snapshot)
    is_ordinary = truth.is_evaluated & ~truth.is_fake

    def of_both(accused: np.ndarray) -> dict[str, int]:
        return {"fakes": int((accused & truth.is_fake).sum()), "ordinary": int((accused & is_ordinary).sum())}

    return {
        "labels_known": {"fake": int(labels.is_fake.sum()), "legitimate": int((labels.target == 0).sum())},
        "suspicious": of_both(last.is_suspicious),
        "banned": of_both(last.is_banned),
        "banned_by_a_person": of_both(last.is_decided),
        "contested": of_both(last.is_contested),
        "cleared_as_lawful": {
            "groups": np.unique(last.cleared_group[last.cleared_group >= 0]).size,
            **of_both(last.cleared_group >= 0),
        },
        "by_night": [_of_night(each) for each in nights],
        "harm_by_kind": _by_kind(truth, is_ordinary, last),
        "rings": {
            "against_campaigns": ring_metrics(last.ring, truth.is_fake, _codes(truth.campaign), truth.campaign),
            "against_groups": ring_metrics(last.ring, truth.is_fake, truth.group, truth.campaign),
        },
        "campaigns": _campaigns(nights),
    }


def _of_night(night: DetectedNight) -> dict[str, Any]:
    """How many of the accused are fake, and of the active fakes how many are accused: suspicious, and listed."""
    of_night: dict[str, Any] = {"date": night.snapshot.date.isoformat()}
    for name, accused in (("suspicious", night.is_suspicious), ("listed", night.is_banned | night.is_decided)):
        n_found = int((accused & night.truth.is_fake).sum())
        n_accused = n_found + int((accused & night.truth.is_evaluated & ~night.truth.is_fake).sum())
        of_night[name] = {
            "precision": n_found / n_accused if n_accused else None,
            "recall": n_found / int(night.truth.is_fake.sum()) if night.truth.is_fake.any() else None,
        }
    return of_night


def _by_kind(truth: Truth, is_ordinary: np.ndarray, night: DetectedNight) -> dict[str, dict[str, int]]:
    counts = {}
    for kind in np.unique(truth.kind[is_ordinary]):
        of_kind = is_ordinary & (truth.kind == kind)
        counts[str(kind)] = {
            "accounts": int(of_kind.sum()),
            "suspicious": int((of_kind & night.is_suspicious).sum()),
            "banned": int((of_kind & night.is_banned).sum()),
        }
    return counts


def _campaigns(nights: Sequence[DetectedNight]) -> dict[str, dict[str, Any]]:
    """For each campaign its active members, the share found by the last night, and nights from first sight to found.

    A campaign that was active before the first night could not be found earlier than in it.
    """
    found = [campaigns_found(each.is_suspicious, each.truth.is_fake, each.truth.campaign) for each in nights]
    truth = nights[-1].truth
    large = large_campaigns(truth.is_fake, truth.campaign)
    labelled = _labelled_kinds(nights[-1])
    campaigns = {}
    for name in found[-1]:
        of_it = truth.campaign == name
        seen = [night for night, each in enumerate(found) if name in each]
        caught = [night for night in seen if found[night][name] >= CAMPAIGN_FOUND]
        kind = str(truth.kind[of_it][0])
        campaigns[name] = {
            "kind": kind,
            "n_active": int((truth.is_fake & of_it).sum()),
            "is_large": name in large,
            "type_was_labelled": kind in labelled,
            "share_suspicious_by_night": [night.get(name) for night in found],
            "nights_to_found": caught[0] - seen[0] + 1 if caught else None,
        }
    return campaigns


def _labelled_kinds(night: DetectedNight) -> set[str]:
    is_known_fake = known_labels(night.snapshot).is_fake & night.truth.is_fake
    return set(night.truth.kind[is_known_fake].tolist())


def evaluate_ranking(
    night: DetectedNight, model: TrainedModel, elsewhere: tuple[Snapshot, Truth] | None, *, seed: int
) -> dict[str, Any]:
    """Metrics of ours, every baseline and both ablations, on the accounts of a night that are not yet labelled.

    Args:
        night: the night, with its truth.
        model: ours.
        elsewhere: a night of another world and the complete truth about it, for an oracle to learn from; None for none.
        seed: of the trees, of the shuffling and of the bootstrap.
    """
    snapshot, truth, labels = night.snapshot, night.truth, known_labels(night.snapshot)
    scores = {
        OURS: score(model, snapshot).fake,
        "ours, edges shuffled": score(model, shuffled(snapshot, seed=seed)).fake,
        "ours, no edges": score(model, without_edges(snapshot)).fake,
        **label_baselines(snapshot, labels, seed=seed),
        "Fraudar": fraudar_scores(snapshot),
        "components": accused_by_component(snapshot, labels.is_fake, max_sharing=100).astype(np.float64),
    }
    if elsewhere:
        scores["oracle"] = oracle_scores(snapshot, truth, *elsewhere, seed=seed)
    return {
        **compare_rankings(scores, truth.is_fake, truth.is_evaluated & ~labels.is_known, seed=seed),
        "evidence": faithfulness(model, snapshot, night.is_suspicious & ~labels.is_known, seed=seed),
    }


def rank_night(night: DetectedNight, model: TrainedModel, *, seed: int) -> dict[str, Any]:
    """Metrics of ours and of the baselines that learn from labels, on the same accounts of a night."""
    labels = known_labels(night.snapshot)
    scores = {OURS: score(model, night.snapshot).fake, **label_baselines(night.snapshot, labels, seed=seed)}
    return compare_rankings(scores, night.truth.is_fake, night.truth.is_evaluated & ~labels.is_known, seed=seed)


def _codes(names: np.ndarray) -> np.ndarray:
    return np.asarray(np.unique(names, return_inverse=True)[1])
