"""A trained model: networks, a stack of trees, calibration, thresholds, ring classifier. `scoring` applies it."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from torch import Tensor

from ringwatch.models.ensemble.stack import Stack
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.ensemble.trees import Trees
from ringwatch.models.gnn.input_schema import InputSchema
from ringwatch.models.rings.classifier import RingClassifier

Metrics = dict[str, float]


@dataclass(frozen=True)
class Member:
    """One network of the ensemble: its input schema and state dict."""

    inputs: InputSchema
    weights: dict[str, Tensor]


@dataclass(frozen=True)
class OwnNetworks:
    """Networks and trees trained from scratch on a platform's labels: a part of the score where labels are many."""

    members: tuple[Member, ...]
    trees: Trees


@dataclass(frozen=True)
class Calibration:
    """Platt scaling: probability = sigmoid(slope * logit + intercept)."""

    slope: float
    intercept: float

    def apply(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities, `[n] float64`."""
        return np.asarray(expit(self.slope * logits + self.intercept), dtype=np.float64)


@dataclass(frozen=True)
class TrainedModel:
    """An ensemble that scores any snapshot.

    Attributes:
        snapshot_date: night whose snapshot and labels it was trained on; None for the default model.
        seed: of everything random in training.
        members: networks; their mean logit, with every label hidden, is one part of the score.
        own: the last part; None where labels are few.
        stack: the parts between, and the weights of all.
        calibration: from logits to probabilities.
        thresholds: on the probabilities.
        ring_classifier: of communities of accounts.
        metrics: of held-out accounts.
    """

    snapshot_date: dt.date | None
    seed: int
    members: tuple[Member, ...]
    own: OwnNetworks | None
    stack: Stack
    calibration: Calibration
    thresholds: Thresholds
    ring_classifier: RingClassifier
    metrics: Metrics
