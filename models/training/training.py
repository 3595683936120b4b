"""Trains a model for a platform: what the default network says is evidence, and trees learn what it is worth here.

The default network knows campaigns of simulated worlds. On a platform unlike them its links carry over and its scores
of accounts do not, so they are inputs, made with every label hidden, beside what accounts share beyond chance and what
they do (ensemble/evidence.py, ensemble/parts.py). The model is the sum of the network's logit and of three parts of
trees, with weights that the platform's labels may shift (training/stacking.py), smoothed over links.

Known fakes are few, so none is set aside for good. The accounts are split into folds by whole components over rare
shared identifiers (no ring is in two), and each fold is scored by parts that its labels were hidden from. Weights are
fitted to these held-out logits, and the metrics are of them. Where one part alone is clearly better than the sum on
held-out labels, that part is the model. Where labels are many, networks trained from scratch are a part too.

The calibration is fitted to held-out logits of other folds, drawn account by account. An account that is not labelled
yet has neighbours that are, as one in such a fold has: calibrated on rings of which nothing was known, which score
lower, two to ten times as many ordinary accounts would be suspicious. The parts of these folds are kept in the model,
to score labelled accounts without their own labels (scoring/cross_fitting.py).
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import NamedTuple

import numpy as np
from torch_geometric.data import HeteroData

from ringwatch.models.common.errors import TooFewLabelsError
from ringwatch.models.common.metrics import paired_bootstrap
from ringwatch.models.data.labels import Labels, known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.ensemble.stack import CrossFit, Stack
from ringwatch.models.gnn.hetero import to_hetero_data
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.registry.model import OwnNetworks, TrainedModel
from ringwatch.models.scoring.cross_fitting import (
    HeldOut,
    account_folds,
    combined_held_out,
    cross_fitted_logits,
    held_out_logits,
)
from ringwatch.models.scoring.held_out import Networks
from ringwatch.models.scoring.stacked import StackInputs, own_logits, stack_inputs
from ringwatch.models.training.calibration import LABEL_NOISE, calibrate, held_out_metrics, thresholds_of
from ringwatch.models.training.fitting import Progress, part_of
from ringwatch.models.training.own_networks import own_networks
from ringwatch.models.training.splits import component_folds, rare_components
from ringwatch.models.training.stacking import fit_folds, fit_parts, stack_weights

MIN_FAKES, MIN_LEGITIMATE, MIN_RINGS = 5, 20, 3
PROVEN_FAKES = 20  # with fewer known, a model ranks and calls nobody suspicious: its calibration is a guess
_N_FOLDS = 5
_SMOOTHING = 1.0
_SHARE_OF_DEFAULT = 0.5  # weight of the default's network and trees before labels tell, to 1 of each part fitted here
_MIN_FAKES_OF_OWN, _MAX_ACCOUNTS_OF_OWN = 100, 50_000  # own networks take an hour at 100,000 accounts
_CLEARLY, _MIN_RINGS_TO_CHOOSE = 2.0, 20  # standard errors, which fewer rings do not give


class Candidate(NamedTuple):
    """A trained model with its held-out scores.

    Attributes:
        model: the model.
        held_out: `[n_accounts] float64` calibrated probabilities of labelled accounts.
        scores: `[n_accounts] float64`, its scores of all accounts, as at night.
    """

    model: TrainedModel
    held_out: np.ndarray
    scores: np.ndarray


def train(
    snapshot: Snapshot, *, seed: int, default: TrainedModel | None = None, progress: Progress = lambda share: None
) -> Candidate:
    """Fit a model to a night's labels; the same snapshot and seed give the same bits.

    Args:
        snapshot: the night.
        seed: of the folds and of the trees.
        default: None is the one that ships.
        progress: called with the share done; networks trained from scratch take most of the time.

    Raises:
        TooFewLabelsError: fewer than 5 fakes or 20 legitimate accounts are known, or the fakes are in under 3 rings.
    """
    labels, default = known_labels(snapshot), default or default_model()
    fold, known, data = _folds(snapshot, labels, seed), labels.is_known, to_hetero_data(snapshot)
    inputs = stack_inputs(default.members, default.stack.pretrained, data, labels)
    own = _own(data, labels, fold, seed=seed, progress=part_of(progress, 0, 2))
    weight = labels.confidence
    held_out = inputs.with_own(own.held_out) if own else inputs
    of_folds = held_out_logits(fit_folds(inputs, labels, fold, int(fold.max()) + 1, seed=seed), held_out, labels, fold)
    progress(0.7)
    parts = fit_parts(inputs.of_parts, labels.is_fake, weight, seed=seed)
    prior = np.ones(len(of_folds.of_parts))
    prior[: len(inputs.first)] = _SHARE_OF_DEFAULT
    learnt = stack_weights(of_folds.of_parts[:, known], labels.is_fake[known], weight[known], prior)
    cross_fit = _cross_fit(inputs, snapshot, labels, seed)
    stack = Stack(default.stack.pretrained, parts, tuple(learnt.tolist()), _SMOOTHING, cross_fit)
    stack = _best(stack, of_folds, held_out, labels, fold, rare_components(snapshot))
    logits = combined_held_out(stack, of_folds, held_out, fold)
    # Own networks are not fitted again for other folds: where they are, known rings are many, and these folds will do.
    for_calibration = logits if own else cross_fitted_logits(stack, inputs, snapshot, labels)
    calibration = calibrate(for_calibration, labels.is_fake, weight, label_noise=LABEL_NOISE)
    networks = OwnNetworks(own.members, own.trees) if own else None
    final = inputs.with_own(own_logits(networks, data, labels)) if networks else inputs
    scores = calibration.apply(cross_fitted_logits(stack, final, snapshot, labels))
    progress(1.0)
    model = TrainedModel(
        snapshot_date=snapshot.date,
        seed=seed,
        members=default.members,
        own=networks,
        stack=stack,
        calibration=calibration,
        thresholds=thresholds_of(scores[~known], is_proven=bool(labels.is_fake.sum() >= PROVEN_FAKES)),
        ring_classifier=default.ring_classifier,
        metrics=held_out_metrics(calibration.apply(logits), labels.is_fake, known),
    )
    return Candidate(model, calibration.apply(logits), scores)


def _own(data: HeteroData, labels: Labels, fold: np.ndarray, *, seed: int, progress: Progress) -> Networks | None:
    """Networks trained from scratch, where there are labels enough to learn from and accounts few enough to do it."""
    if labels.is_fake.sum() < _MIN_FAKES_OF_OWN or labels.target.size > _MAX_ACCOUNTS_OF_OWN:
        return None
    return own_networks(data, labels, fold, seed=seed, progress=progress)


def _cross_fit(inputs: StackInputs, snapshot: Snapshot, labels: Labels, seed: int) -> CrossFit:
    """The parts by folds of single accounts, of which none holds most of the fakes or of the legitimate accounts."""
    for salt in count(seed):
        fold = account_folds(snapshot, labels, _N_FOLDS, salt=salt)
        by_class = (np.bincount(fold[labels.target == target]) for target in (0, 1))
        if all(2 * of_class.max() <= of_class.sum() for of_class in by_class):
            break
    return CrossFit(fit_folds(inputs, labels, fold, _N_FOLDS, seed=seed), salt)


def _best(
    stack: Stack, of_folds: HeldOut, inputs: StackInputs, labels: Labels, fold: np.ndarray, component: np.ndarray
) -> Stack:
    """The sum, or the one part that is clearly better on held-out labels; rings are what is counted."""
    known = labels.is_known
    if np.unique(component[labels.is_fake]).size < _MIN_RINGS_TO_CHOOSE:
        return stack
    best, logits = stack, combined_held_out(stack, of_folds, inputs, fold)
    for part in _alone(stack):
        of_part = combined_held_out(part, of_folds, inputs, fold)
        found = paired_bootstrap(labels.is_fake[known], of_part[known], logits[known], seed=0, group=component[known])
        if found["average_precision"] > _CLEARLY * found["standard_error"]:
            best, logits = part, of_part
    return best


def _alone(stack: Stack) -> Iterator[Stack]:
    """The network and each part by itself, and all of them, not smoothed."""
    yield replace(stack, smoothing=0.0)
    for position in range(len(stack.weights)):
        weights = tuple(float(position == number) for number in range(len(stack.weights)))
        yield replace(stack, weights=weights, smoothing=0.0)


def _folds(snapshot: Snapshot, labels: Labels, seed: int) -> np.ndarray:
    n_fakes, n_legitimate = int(labels.is_fake.sum()), int((labels.target == 0).sum())
    if n_fakes < MIN_FAKES or n_legitimate < MIN_LEGITIMATE:
        raise TooFewLabelsError(
            f"{n_fakes} fake and {n_legitimate} legitimate accounts are known on {snapshot.date}; training takes"
            f" {MIN_FAKES} and {MIN_LEGITIMATE}. Deliver labels, or review accounts; till then the default model ranks."
        )
    fold = component_folds(snapshot, labels.is_fake, n_folds=_N_FOLDS, seed=seed)
    with_fakes = np.unique(fold[labels.is_fake])
    if with_fakes.size < MIN_RINGS:
        raise TooFewLabelsError(
            f"the {n_fakes} fakes known on {snapshot.date} are in {with_fakes.size} rings; training takes {MIN_RINGS},"
            " to hold some out. Deliver labels of other rings; until then the default model ranks."
        )
    # A fold without a fake shows nothing about how fakes rank: its accounts join the one before.
    return np.maximum(np.searchsorted(with_fakes, fold, side="right") - 1, 0)
