"""Trains a model for a platform: the default network, calibrated on the labels known there, or an ensemble of its own.

Known labels are inputs of the default network whenever it scores, so it uses them without fine-tuning; what remains is
to calibrate its scores. Fine-tuned on a platform's few labels it got worse rather than better on simulated worlds
unlike its own (models/README.md). Where it hardly separates the known fakes from the known legitimate accounts, the
platform may be unlike any world it was trained on: an ensemble of networks and trees is trained from scratch, and
replaces it where that ranks far better than chance, and better than the default network.

Known fakes are few, so none is set aside for good. The accounts are split into folds by whole components over rare
shared identifiers (no ring is in two), and each fold is scored with its labels hidden, by a network that was not
trained on them. The calibration is fitted to these held-out scores, and the metrics are of them.
"""

from typing import NamedTuple

import numpy as np
from torch_geometric.data import HeteroData

from ringwatch.models.common.errors import TooFewLabelsError
from ringwatch.models.common.metrics import ranking_metrics
from ringwatch.models.data.labels import Labels, known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.gnn.hetero import to_hetero_data
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.registry.model import TrainedModel
from ringwatch.models.scoring.held_out import Networks, held_out_logits
from ringwatch.models.scoring.scoring import predict_logits
from ringwatch.models.training.calibration import LABEL_NOISE, calibrate, held_out_metrics, thresholds_of
from ringwatch.models.training.fitting import Progress
from ringwatch.models.training.own_networks import own_networks
from ringwatch.models.training.splits import component_folds

MIN_FAKES, MIN_LEGITIMATE, MIN_RINGS = 20, 20, 3
_MIN_AUROC = 0.75  # people's labels are wrong at times: who ranks all but perfectly may be at .8, and luck at .7
_N_FOLDS = 5


class Candidate(NamedTuple):
    """A trained model with its held-out scores.

    Attributes:
        model: the model.
        held_out: `[n_accounts] float64` calibrated probabilities.
        scores: `[n_accounts] float64`, its scores of the same accounts when their labels are inputs, as at night.
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
        seed: of the folds and of networks of its own.
        default: None is the one that ships.
        progress: of networks of its own.

    Raises:
        TooFewLabelsError: fewer than 20 fakes or 20 legitimate accounts are known, or the fakes are in under 3 rings.
    """
    labels, default = known_labels(snapshot), default or default_model()
    fold, data = _folds(snapshot, labels, seed), to_hetero_data(snapshot)
    networks, known = _default_networks(default, data, labels, fold), labels.is_known
    ranked = _held_out_metrics(networks, labels)
    if ranked["auroc"] < _MIN_AUROC:
        own = own_networks(data, labels, fold, seed=seed, progress=progress)
        of_own = _held_out_metrics(own, labels)
        if of_own["auroc"] >= _MIN_AUROC and of_own["average_precision"] > ranked["average_precision"]:
            networks = own
    progress(1.0)
    weight = np.where(known, labels.confidence, 0.0)
    calibration = calibrate(networks.held_out, labels.is_fake, weight, start=networks.start, label_noise=LABEL_NOISE)
    every, _ = predict_logits(networks.members, networks.trees, data, labels, known)
    scores = calibration.apply(every)
    held_out = calibration.apply(networks.held_out)
    model = TrainedModel(
        snapshot_date=snapshot.date,
        seed=seed,
        members=networks.members,
        trees=networks.trees,
        calibration=calibration,
        thresholds=thresholds_of(scores[~known]),
        ring_classifier=default.ring_classifier,
        metrics=held_out_metrics(held_out, labels.is_fake, known),
    )
    return Candidate(model, held_out, scores)


def _held_out_metrics(networks: Networks, labels: Labels) -> dict[str, float]:
    known = labels.is_known
    return ranking_metrics(labels.is_fake[known], networks.held_out[known])


def _default_networks(default: TrainedModel, data: HeteroData, labels: Labels, fold: np.ndarray) -> Networks:
    members_by_fold = [default.members] * (int(fold.max()) + 1)
    return Networks(default.members, held_out_logits(data, labels, fold, members_by_fold), None, default.calibration)


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
