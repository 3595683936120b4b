"""The default model: a network taught on many simulated worlds whose whole truth is known.

It ships with the project and scores any platform from the first night. Worlds differ in every knob, and what a network
is shown of them are ranks, sharing and labels, so that it learns what campaigns have in common and not what one
simulator's numbers are; how far that holds is measured on worlds whose knobs were turned further than here.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from ringwatch.models.data.decisions import decisions_of, what_is_known
from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.evaluation.difficulty import Truth
from ringwatch.models.gnn.hetero import PAIR, to_hetero_data
from ringwatch.models.registry.model import Calibration, Member, TrainedModel
from ringwatch.models.rings.classifier import RingJudge, fit_ring_judge, ring_features
from ringwatch.models.rings.communities import among, find_groups, link_graph
from ringwatch.models.rings.sharing import per_group
from ringwatch.models.scoring.scoring import said_by
from ringwatch.models.training.calibration import calibrate, held_out_metrics, thresholds_of
from ringwatch.models.training.fitting import Lesson, Pace, Progress, teach

_PACE = Pace(n_epochs=24, learning_rate=4e-3, weight_decay=2e-2, shown=(0.0, 0.5, 0.8, 1.0))
_FAKE_WEIGHT = 2.0


def world_lesson(snapshot: Snapshot, truth: Truth) -> Lesson:
    """What a simulated world teaches: the truth about every account that has done anything, and about every pair."""
    data = to_hetero_data(snapshot)
    one, other = data[PAIR].edge_index.numpy()
    one_operator = truth.is_fake[one] & truth.is_fake[other] & (truth.campaign[one] == truth.campaign[other])
    return Lesson(
        data=data,
        labels=known_labels(snapshot),
        fake=truth.is_fake.astype(np.float32),
        weight=(truth.is_judged * np.where(truth.is_fake, _FAKE_WEIGHT, 1.0)).astype(np.float32),
        one_operator=one_operator.astype(np.float32),
        pair_weight=np.ones(one.size, dtype=np.float32),
    )


def pretrain(
    lessons: Sequence[Lesson],
    held_out: Sequence[Lesson],
    worlds: Iterable[tuple[Snapshot, Truth]],
    *,
    seed: int,
    progress: Progress = lambda share: None,
) -> TrainedModel:
    """A model taught some worlds, calibrated on others, and its judge of rings on yet others.

    The same worlds and seed give the same bits.
    """
    member = teach(lessons, _PACE, seed=seed, progress=progress)
    said = [said_by([member], None, each.data, each.labels, each.labels.is_known)[0] for each in held_out]
    is_fake = np.concatenate([each.fake > 0 for each in held_out])
    is_judged = np.concatenate([each.weight > 0 for each in held_out])
    calibration = calibrate(np.concatenate(said), is_fake, is_judged.astype(np.float64))
    probability = calibration.apply(np.concatenate(said))
    return TrainedModel(
        snapshot_date=None,
        seed=seed,
        members=(member,),
        trees=None,
        calibration=calibration,
        thresholds=thresholds_of(probability),
        judge=_learn_judge(member, calibration, worlds),
        metrics=held_out_metrics(probability, is_fake, is_judged),
    )


def _learn_judge(member: Member, calibration: Calibration, worlds: Iterable[tuple[Snapshot, Truth]]) -> RingJudge:
    features, is_ring = [], []
    for snapshot, truth in worlds:
        labels, decisions = known_labels(snapshot), decisions_of(snapshot)
        logits, links = said_by([member], None, to_hetero_data(snapshot), labels, labels.is_known)
        groups = find_groups(among(link_graph(links), ~decisions.is_cleared))
        scores = what_is_known(calibration.apply(logits), labels, decisions)
        features.append(ring_features(snapshot, groups, scores).values)
        size, n_fakes = (per_group(groups.group, each, groups.n_groups) for each in (groups.group >= 0, truth.is_fake))
        is_ring.append(2 * n_fakes > size)
    return fit_ring_judge(np.concatenate(features).astype(np.float64), np.concatenate(is_ring))
