"""Weights of the parts of a platform's model, by its held-out labels (stacked generalisation, Wolpert 1992).

Where labels are few, weights set beforehand rank best: fakes become known ring by ring and some labels are wrong, so
held-out labels misjudge the parts. Where they are thousands, the weights have to follow them. One rule does both: a
logistic regression with weights of 0 and more, a share of wrong labels, and a normal prior about those weights.
"""

from collections.abc import Mapping

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from ringwatch.models.data.labels import Labels
from ringwatch.models.ensemble.parts import TreePart, fit_part
from ringwatch.models.features.account import Columns
from ringwatch.models.scoring.stacked import StackInputs
from ringwatch.models.training.calibration import LABEL_NOISE

_PRIOR_VARIANCE = 0.005  # of a weight; with .05, on worlds with some 40 known fakes, AP is .02 lower
_TINY = 1e-12


def stack_weights(
    held_out: np.ndarray, is_fake: np.ndarray, weight: np.ndarray, prior: np.ndarray | None = None
) -> np.ndarray:
    """Weight of each part, `[n_parts]`, 0 or more, on the parts' own scales.

    Args:
        held_out: `[n_parts, n]` held-out logits of labelled accounts.
        is_fake: `[n] bool`.
        weight: `[n]` of each label.
        prior: `[n_parts]`, how much the parts are to count where labels do not tell; None: equally.
    """
    spread = held_out.std(axis=1) + _TINY
    scaled = (held_out - held_out.mean(axis=1, keepdims=True)) / spread[:, None]
    n_parts = len(scaled)
    expected = np.full(n_parts, 1 / n_parts) if prior is None else prior / prior.sum()

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        intercept, log_slope, weights = parameters[0], parameters[1], parameters[2:]
        summed = weights @ scaled
        slope = np.exp(log_slope)
        fake = expit(intercept + slope * summed)
        likelihood = np.where(is_fake, fake, 1 - fake) * (1 - 2 * LABEL_NOISE) + LABEL_NOISE
        away = weights - expected
        value = -np.sum(weight * np.log(likelihood)) + 0.5 * np.sum(away**2) / _PRIOR_VARIANCE
        sign = np.where(is_fake, 1.0, -1.0)
        of_logit = -weight * sign * (1 - 2 * LABEL_NOISE) * fake * (1 - fake) / likelihood
        of_weights = slope * (scaled @ of_logit) + away / _PRIOR_VARIANCE
        return float(value), np.concatenate([[of_logit.sum(), slope * (of_logit @ summed)], of_weights])

    bounds = [(None, None), (-3.0, 3.0), *[(0.0, None)] * n_parts]
    start = np.concatenate([[0.0, 1.0], expected])
    weights = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x[2:]
    return np.asarray(weights / max(weights.sum(), _TINY) / spread)


def fit_folds(
    inputs: StackInputs, labels: Labels, fold: np.ndarray, n_folds: int, *, seed: int
) -> tuple[tuple[TreePart, ...], ...]:
    """Every part once a fold, fitted without the labels of that fold, `[n_accounts] int64`."""
    weights = (np.where(fold != held, labels.confidence, 0.0) for held in range(n_folds))
    return tuple(fit_parts(inputs.of_parts, labels.is_fake, weight, seed=seed) for weight in weights)


def fit_parts(
    inputs: Mapping[str, Columns], is_fake: np.ndarray, weight: np.ndarray, *, seed: int
) -> tuple[TreePart, ...]:
    """Every part, fitted to the accounts with a weight, `[n_accounts]`."""
    return tuple(fit_part(name, columns, is_fake, weight, seed=seed) for name, columns in inputs.items())
