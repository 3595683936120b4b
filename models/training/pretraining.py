"""Pretraining of the default model: a network trained on many simulated worlds, whose truth is known completely.

It ships with the project and scores any platform from the first night. Worlds differ in every knob, and the network's
inputs are ranks, shared identifiers and labels, so that it learns what campaigns have in common and not one simulator's
numbers; how far that holds is measured on worlds whose knobs were turned further than here.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ringwatch.models.data.decisions import decisions_of, scores_with_labels
from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.data.truth import Truth
from ringwatch.models.ensemble.parts import TreePart, fit_part, part_logits
from ringwatch.models.ensemble.stack import Stack
from ringwatch.models.features.account import Columns
from ringwatch.models.gnn.hetero import PAIR, to_hetero_data
from ringwatch.models.registry.model import Calibration, Member, TrainedModel
from ringwatch.models.rings.classifier import RingClassifier, fit_ring_classifier, ring_features
from ringwatch.models.rings.communities import among, find_groups, link_graph
from ringwatch.models.rings.sharing import per_group
from ringwatch.models.scoring.stacked import StackInputs, stack_inputs, stacked_logits
from ringwatch.models.training.calibration import calibrate, held_out_metrics, thresholds_of
from ringwatch.models.training.fitting import Progress, TrainingGraph, TrainingSchedule, fit

# No label is an input: a platform's are learnt from by its trees, which need evidence that no label has touched.
_SCHEDULE = TrainingSchedule(n_epochs=24, learning_rate=4e-3, weight_decay=2e-2, visible_shares=(0.0,))
_FAKE_WEIGHT = 2.0
_SMOOTHING = 1.0
_TREES = "network"  # inputs that mean the same on every platform


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
    """A model whose network is trained on some worlds, and its trees and ring classifier on others.

    It is calibrated on yet others, `held_out`. The same worlds and seed give the same bits.
    """
    member = fit(graphs, _SCHEDULE, seed=seed, progress=progress)
    lessons = [_lesson(member, *world) for world in worlds]
    trees = _fit_trees(lessons, seed=seed)
    of_held_out = [stack_inputs([member], [trees], each.data, each.labels) for each in held_out]
    spread = np.concatenate([each.first for each in of_held_out], axis=1).std(axis=1)
    stack = Stack((trees,), (), tuple((1 / spread / spread.size).tolist()), _SMOOTHING)
    logits = np.concatenate([stacked_logits(stack, each) for each in of_held_out])
    is_fake = np.concatenate([each.fake > 0 for each in held_out])
    is_evaluated = np.concatenate([each.weight > 0 for each in held_out])
    calibration = calibrate(logits, is_fake, is_evaluated.astype(np.float64))
    probability = calibration.apply(logits)
    return TrainedModel(
        snapshot_date=None,
        seed=seed,
        members=(member,),
        own=None,
        stack=stack,
        calibration=calibration,
        thresholds=thresholds_of(probability),
        ring_classifier=_fit_ring_classifier(lessons, trees, stack, calibration),
        metrics=held_out_metrics(probability, is_fake, is_evaluated),
    )


class _Lesson(NamedTuple):
    """A world that the network was not trained on, as the network sees it."""

    snapshot: Snapshot
    truth: Truth
    inputs: StackInputs


def _lesson(member: Member, snapshot: Snapshot, truth: Truth) -> _Lesson:
    inputs = stack_inputs([member], [], to_hetero_data(snapshot), known_labels(snapshot))
    return _Lesson(snapshot, truth, inputs._replace(of_parts={_TREES: inputs.of_parts[_TREES]}))


def _fit_trees(lessons: Sequence[_Lesson], *, seed: int) -> TreePart:
    """Trees on what the network says and what is shared, fitted to the truth of all worlds, each of equal weight."""
    weights = [lesson.truth.is_evaluated / lesson.truth.is_evaluated.sum() for lesson in lessons]
    weight = np.concatenate(weights) * np.concatenate(weights).size / len(lessons)
    columns = _in_common([lesson.inputs.of_parts[_TREES] for lesson in lessons])
    return fit_part(_TREES, columns, np.concatenate([lesson.truth.is_fake for lesson in lessons]), weight, seed=seed)


def _in_common(inputs: Sequence[Columns]) -> Columns:
    """Inputs of several worlds, one after the other; a world that lacks a kind of identifier lacks its columns."""
    names = tuple(dict.fromkeys(name for each in inputs for name in each.names))
    values = []
    for each in inputs:
        position = {name: number for number, name in enumerate(each.names)}
        unknown = np.full(len(each.values), np.nan, dtype=np.float32)
        columns = [each.values[:, position[name]] if name in position else unknown for name in names]
        values.append(np.column_stack(columns))
    return Columns(names, np.concatenate(values))


def _fit_ring_classifier(
    lessons: Sequence[_Lesson], trees: TreePart, stack: Stack, calibration: Calibration
) -> RingClassifier:
    features, is_ring = [], []
    for snapshot, truth, inputs in lessons:
        labels, decisions = known_labels(snapshot), decisions_of(snapshot)
        logits = np.concatenate([inputs.first, np.stack(list(part_logits([trees], inputs.of_parts)))])
        groups = find_groups(among(link_graph(inputs.links), ~decisions.is_cleared))
        scores = calibration.apply(stack.combine(logits, inputs.links, inputs.shared))
        scores = scores_with_labels(scores, labels, decisions)
        features.append(ring_features(snapshot, groups, scores).values)
        size, n_fakes = (per_group(groups.group, each, groups.n_groups) for each in (groups.group >= 0, truth.is_fake))
        is_ring.append(2 * n_fakes > size)
    return fit_ring_classifier(np.concatenate(features).astype(np.float64), np.concatenate(is_ring))
