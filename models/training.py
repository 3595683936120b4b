"""Trains the network on the labels known by a snapshot's night.

Known fakes are few, so none is kept aside for good. The accounts are dealt into folds by whole components over rare
shared identifiers (no ring is in two), and for each fold a network is trained on the others and scores it. The networks
together are the model; what each said of its own fold, which it learnt nothing from, settles calibration and
thresholds and gives the held-out metrics. The number of epochs is fixed, with a learning rate that falls to zero:
held-out scores that chose nothing are honest, and the AP of some thirty fakes is too noisy to choose by (on the P2P
data, one seed of an earlier network: AP .130 stopped early, .140 at the end, which is within the noise too).

An unlabelled account counts as legitimate with a small weight, in training and calibration alike. Nearly all of them
are, and without them a world whose labels are mostly fakes would look mostly fake; but some are fakes not found yet,
and at full weight they would teach the network to miss their like. Weights stand in the loss; data is never resampled.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import binary_cross_entropy_with_logits

from models.determinism import deterministic
from models.encoding import fit_encoding
from models.errors import TooFewLabelsError
from models.gnn import make_network, shape_of
from models.graph_data import to_hetero_data
from models.labels import Labels, known_labels
from models.metrics import calibration_error, lowest_cut, ranking_metrics
from models.scoring import member_logits
from models.snapshot import Snapshot
from models.splits import component_folds
from models.thresholds import Thresholds
from models.trained import Calibration, Member, Metrics, TrainedModel

Progress = Callable[[float], None]  # told the share done

MIN_FAKES, MIN_LEGITIMATE, MIN_RINGS = 20, 20, 3
_N_FOLDS = 5
_UNLABELLED_WEIGHT = 0.1
_N_EPOCHS, _LEARNING_RATE, _WEIGHT_DECAY = 40, 2e-2, 5e-2
_SUSPICIOUS_PRECISION, _WATCH_PRECISION = 0.95, 0.2
_SUSPICIOUS_FLOOR, _WATCH_FLOOR = 0.5, 0.1  # whatever validation says, nobody likelier legitimate is suspicious


class Candidate(NamedTuple):
    """A model, and what each of its networks said of the accounts it did not learn from.

    Attributes:
        model: the model.
        held_out: `[n_accounts] float64` calibrated probabilities.
    """

    model: TrainedModel
    held_out: np.ndarray


def train(snapshot: Snapshot, *, seed: int, progress: Progress = lambda share: None) -> Candidate:
    """Train on a snapshot; `progress` is told the share done. The same snapshot and seed give the same bits.

    Raises:
        TooFewLabelsError: fewer than 20 fakes or 20 legitimate accounts are known, or the fakes are in under 3 rings.
    """
    labels = known_labels(snapshot)
    fold = _folds(snapshot, labels, seed)
    weight = np.where(labels.is_known, labels.confidence, _UNLABELLED_WEIGHT)
    members, logits, n_folds = [], np.empty(snapshot.n_accounts), int(fold.max()) + 1
    for held in range(n_folds):
        member, said = _train_member(
            snapshot, labels, weight, fold == held, seed=seed + held, progress=part_of(progress, held, n_folds)
        )
        members.append(member)
        logits[fold == held] = said[fold == held]
    calibration = _calibrate(logits, labels, weight)
    held_out = calibration.apply(logits)
    model = TrainedModel(
        snapshot_date=snapshot.date,
        seed=seed,
        members=tuple(members),
        calibration=calibration,
        thresholds=_thresholds(held_out, labels, weight),
        metrics=_metrics(held_out, labels, weight),
    )
    return Candidate(model, held_out)


def _folds(snapshot: Snapshot, labels: Labels, seed: int) -> np.ndarray:
    n_fakes, n_legitimate = int(labels.is_fake.sum()), int((labels.target == 0).sum())
    if n_fakes < MIN_FAKES or n_legitimate < MIN_LEGITIMATE:
        raise TooFewLabelsError(
            f"{n_fakes} fake and {n_legitimate} legitimate accounts are known on {snapshot.date}; training takes"
            f" {MIN_FAKES} and {MIN_LEGITIMATE}. Deliver labels, or review accounts; till then structure alone ranks."
        )
    fold = component_folds(snapshot, labels.is_fake, n_folds=_N_FOLDS, seed=seed)
    with_fakes = np.unique(fold[labels.is_fake])
    if with_fakes.size < MIN_RINGS:
        raise TooFewLabelsError(
            f"the {n_fakes} fakes known on {snapshot.date} are in {with_fakes.size} rings; training takes {MIN_RINGS},"
            " to hold some out. Deliver labels of other rings; until then the structural score ranks."
        )
    # A fold without a fake says nothing of how fakes rank: its accounts join the one before.
    return np.maximum(np.searchsorted(with_fakes, fold, side="right") - 1, 0)


def _train_member(
    snapshot: Snapshot,
    labels: Labels,
    weight: np.ndarray,
    is_held: np.ndarray,
    *,
    seed: int,
    progress: Progress,
) -> tuple[Member, np.ndarray]:
    """One network that learns nothing from the accounts where `is_held`, and its logits for all, `[n_accounts]`."""
    encoding = fit_encoding(snapshot, ~is_held)
    data = to_hetero_data(snapshot, encoding)
    is_fake = torch.from_numpy(labels.is_fake.astype(np.float32))  # [n_accounts]
    loss_weight = torch.from_numpy(_loss_weight(weight * ~is_held, labels.is_fake))  # [n_accounts], sums to 1
    with deterministic(seed):
        network = make_network(shape_of(data))
        optimizer = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, total_steps=_N_EPOCHS)
        for epoch in range(_N_EPOCHS):
            optimizer.zero_grad()
            loss = binary_cross_entropy_with_logits(network(data), is_fake, weight=loss_weight, reduction="sum")
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            progress((epoch + 1) / _N_EPOCHS)
    member = Member(encoding, shape_of(data), network.state_dict())
    return member, member_logits(member, data)


def part_of(progress: Progress, position: int, n_parts: int) -> Progress:
    """What tells `progress` of the share done of one of several equal parts."""
    return lambda share: progress((position + share) / n_parts)


def _loss_weight(weight: np.ndarray, is_fake: np.ndarray) -> np.ndarray:
    """Weights of sum 1; fakes count for more, by the square root of their rarity: `[n_accounts] float32`."""
    fakes = weight[is_fake].sum()
    weight = np.where(is_fake, weight * np.sqrt((weight.sum() - fakes) / fakes), weight)
    return np.asarray(weight / weight.sum(), dtype=np.float32)


def _calibrate(logits: np.ndarray, labels: Labels, weight: np.ndarray) -> Calibration:
    """Platt scaling (Platt 1999) on held-out logits, at the prevalence that the weights imply."""
    fitted = LogisticRegression(C=1e3).fit(logits[:, None], labels.is_fake, sample_weight=weight)
    # A negative slope would turn the ranking around; it only comes up when the ranking is no better than chance.
    return Calibration(slope=max(float(fitted.coef_[0, 0]), 1e-3), intercept=float(fitted.intercept_[0]))


def _thresholds(held_out: np.ndarray, labels: Labels, weight: np.ndarray) -> Thresholds:
    """Lowest cuts with the precision aimed at among held-out accounts; without one, the probability itself says it."""
    suspicious = lowest_cut(labels.is_fake, held_out, weight, precision=_SUSPICIOUS_PRECISION)
    suspicious = max(_SUSPICIOUS_PRECISION if suspicious is None else suspicious, _SUSPICIOUS_FLOOR)
    watch = lowest_cut(labels.is_fake, held_out, weight, precision=_WATCH_PRECISION)
    watch = max(_WATCH_PRECISION if watch is None else watch, _WATCH_FLOOR)
    return Thresholds(suspicious, min(watch, suspicious))


def _metrics(held_out: np.ndarray, labels: Labels, weight: np.ndarray) -> Metrics:
    """Of held-out accounts with a known label; the calibration error is over all, with their weights."""
    known = labels.is_known
    return {
        **ranking_metrics(labels.is_fake[known], held_out[known]),
        "calibration_error": calibration_error(labels.is_fake, held_out, weight),
        "n_unlabelled": int((~known).sum()),
    }
