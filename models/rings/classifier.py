"""The ring classifier: whether a community of linked accounts is a ring or legitimate, with its own calibration.

Families, offices and agencies share as much as fakes do, and each of their accounts alone may look doubtful. As a group
they can be recognised: by the logits of its accounts, its size, its cohesion, how far apart the accounts joined and how
long ago. What is shared is left to the network: simulated families share more kinds than campaigns do, and a classifier
that has learnt so clears groups it should not. It is fitted with the default model, on worlds that the network was not
trained on.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from ringwatch.models.common.errors import TooFewGroupsError
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.ensemble.thresholds import Thresholds, lowest_cut
from ringwatch.models.features.account import Columns
from ringwatch.models.rings.communities import Groups

_US_PER_DAY = 86_400e6
_MAX_LOGIT = 8.0  # of one account: logits are clipped
_PENALTY = 0.3  # inverse strength, on standardised features
_RING_PRECISION, _LEGITIMATE_PRECISION = 0.95, 0.9
FEATURES = ("mean_logit", "max_logit", "log_size", "cohesion", "log_joined_apart_days", "log_age_days")


@dataclass(frozen=True)
class RingClassifier:
    """Logistic regression over features of a group.

    Attributes:
        coefficients: by feature, in the order of FEATURES.
        feature_means: subtracted from the features.
        intercept: logit of a group whose features are all at their means.
        thresholds: a group at or above `suspicious` is a ring, below `watch` it is legitimate.
    """

    coefficients: tuple[float, ...]
    feature_means: tuple[float, ...]
    intercept: float
    thresholds: Thresholds

    def probability(self, features: Columns) -> np.ndarray:
        """That each group is a ring, `[n_groups] float64`."""
        return np.asarray(expit(self.intercept + self.contributions(features).sum(axis=1)))

    def contributions(self, features: Columns) -> np.ndarray:
        """Coefficient times centred feature, which add up to the logit: `[n_groups, n_features] float64`."""
        centred = features.values.astype(np.float64) - np.array(self.feature_means)
        return np.asarray(centred * np.array(self.coefficients))


def ring_features(snapshot: Snapshot, groups: Groups, scores: np.ndarray) -> Columns:
    """Features of groups, `[n_groups, n_features] float32`, named by FEATURES; `scores` are of accounts, in 0..1."""
    group, n_groups = groups.group, groups.n_groups
    within = np.flatnonzero(group >= 0)
    number = group[within]
    size = np.bincount(number, minlength=n_groups)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.asarray(np.bincount(number, values[within], minlength=n_groups) / size)

    logits = np.clip(logit(np.clip(scores, 1e-9, 1 - 1e-9)), -_MAX_LOGIT, _MAX_LOGIT)
    largest = np.full(n_groups, -_MAX_LOGIT)
    np.maximum.at(largest, number, logits[within])
    created_at = snapshot.accounts["created_at"].cast("int64").to_numpy()
    age = (snapshot.end_of_day.astype(np.int64) - created_at) / _US_PER_DAY
    apart = np.sqrt(np.maximum(mean(age**2) - mean(age) ** 2, 0.0))
    columns = (mean(logits), largest, np.log(size), mean(groups.membership), np.log1p(apart), np.log1p(mean(age)))
    return Columns(FEATURES, np.column_stack(columns).astype(np.float32))


def fit_ring_classifier(features: np.ndarray, is_ring: np.ndarray) -> RingClassifier:
    """A classifier fitted to groups `[n_groups, n_features]` with targets; the same groups give the same bits.

    Raises:
        TooFewGroupsError: there are not both rings and legitimate groups.
    """
    if not (is_ring.any() and not is_ring.all()):
        raise TooFewGroupsError(
            f"{is_ring.size} groups of linked accounts were found in the worlds, {is_ring.sum()} of them rings; the"
            " classifier needs some of both. Give more --worlds, or larger ones (--accounts)."
        )
    feature_means, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    fitted = LogisticRegression(C=_PENALTY).fit((features - feature_means) / spread, is_ring)
    coefficients, intercept = fitted.coef_[0] / spread, float(fitted.intercept_[0])
    probability = expit(intercept + (features - feature_means) @ coefficients)
    legitimate = 1 - lowest_cut(1 - probability, _LEGITIMATE_PRECISION)
    suspicious = max(lowest_cut(probability, _RING_PRECISION), legitimate)
    return RingClassifier(
        tuple(coefficients.tolist()),
        tuple(feature_means.tolist()),
        intercept,
        Thresholds(suspicious=suspicious, watch=legitimate),
    )
