"""Pretraining of the default model: a network trained on many simulated worlds, whose truth is known completely.

It ships with the project and scores any platform from the first night. Worlds differ in every knob, and the network's
inputs are ranks, shared identifiers and labels, so that it learns what campaigns have in common and not one simulator's
numbers; how far that holds is measured on worlds whose knobs were turned further than here.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from ringwatch.models.data.decisions import decisions_of, scores_with_labels
from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.data.truth import Truth
from ringwatch.models.gnn.hetero import PAIR, to_hetero_data
from ringwatch.models.registry.model import Calibration, Member, TrainedModel
from ringwatch.models.rings.classifier import RingClassifier, fit_ring_classifier, ring_features
from ringwatch.models.rings.communities import among, find_groups, link_graph
from ringwatch.models.rings.sharing import per_group
from ringwatch.models.scoring.networks import predict_logits
from ringwatch.models.training.calibration import calibrate, held_out_metrics, thresholds_of
from ringwatch.models.training.fitting import Progress, TrainingGraph, TrainingSchedule, fit

_SCHEDULE = TrainingSchedule(n_epochs=24, learning_rate=4e-3, weight_decay=2e-2, visible_shares=(0.0, 0.5, 0.8, 1.0))
_FAKE_WEIGHT = 2.0


def world_training_graph(snapshot: Snapshot, truth: Truth) -> TrainingGraph:
    """A simulated world with the truth about every account that has been active, and about every pair, as targets."""
    data = to_hetero_data(snapshot)
    one, other = data[PAIR].edge_index.numpy()
    one_operator = truth.is_fake[one] & truth.is_fake[other] & (truth.campaign[one] == truth.campaign[other])
    return TrainingGraph(
        data=data,
        labels=known_labels(snapshot),
        fake=truth.is_fake.astype(np.float32),
        weight=(truth.is_evaluated * np.where(truth.is_fake, _FAKE_WEIGHT, 1.0)).astype(np.float32),
        one_operator=one_operator.astype(np.float32),
        pair_weight=np.ones(one.size, dtype=np.float32),
    )


def pretrain(
    graphs: Sequence[TrainingGraph],
    held_out: Sequence[TrainingGraph],
    worlds: Iterable[tuple[Snapshot, Truth]],
    *,
    seed: int,
    progress: Progress = lambda share: None,
) -> TrainedModel:
    """A model trained on some worlds, calibrated on others, with a ring classifier fitted on yet others.

    The same worlds and seed give the same bits.
    """
    member = fit(graphs, _SCHEDULE, seed=seed, progress=progress)
    logits = [predict_logits([member], None, each.data, each.labels, each.labels.is_known)[0] for each in held_out]
    is_fake = np.concatenate([each.fake > 0 for each in held_out])
    is_evaluated = np.concatenate([each.weight > 0 for each in held_out])
    calibration = calibrate(np.concatenate(logits), is_fake, is_evaluated.astype(np.float64))
    probability = calibration.apply(np.concatenate(logits))
    return TrainedModel(
        snapshot_date=None,
        seed=seed,
        members=(member,),
        stack=None,
        calibration=calibration,
        thresholds=thresholds_of(probability),
        ring_classifier=_fit_ring_classifier(member, calibration, worlds),
        metrics=held_out_metrics(probability, is_fake, is_evaluated),
    )


def _fit_ring_classifier(
    member: Member, calibration: Calibration, worlds: Iterable[tuple[Snapshot, Truth]]
) -> RingClassifier:
    features, is_ring = [], []
    for snapshot, truth in worlds:
        labels, decisions = known_labels(snapshot), decisions_of(snapshot)
        logits, links = predict_logits([member], None, to_hetero_data(snapshot), labels, labels.is_known)
        groups = find_groups(among(link_graph(links), ~decisions.is_cleared))
        scores = scores_with_labels(calibration.apply(logits), labels, decisions)
        features.append(ring_features(snapshot, groups, scores).values)
        size, n_fakes = (per_group(groups.group, each, groups.n_groups) for each in (groups.group >= 0, truth.is_fake))
        is_ring.append(2 * n_fakes > size)
    return fit_ring_classifier(np.concatenate(features).astype(np.float64), np.concatenate(is_ring))
