"""Whether a group of linked accounts is a ring, or lawful: a decision about the group, with a calibration of its own.

Families, offices and agencies share as much as fakes do, and each of their accounts alone may look doubtful. As a group
they can be told: by how surely its accounts are scored, how large it is, how close its ties, how far apart they joined
and how long ago. What is shared is left to the network: simulated families share more kinds than campaigns do, and a
judge that has learnt so clears whom it should not. The weights are learnt with the default model, on worlds that its
network was not taught.
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
_SUREST = 8.0  # logit beyond which one account is no surer
_PENALTY = 0.3  # inverse strength, on standardised features
_RING_PRECISION, _LAWFUL_PRECISION = 0.95, 0.9
FEATURES = ("mean_logit", "max_logit", "log_size", "cohesion", "log_joined_apart_days", "log_age_days")


@dataclass(frozen=True)
class RingJudge:
    """A logistic model of groups.

    Attributes:
        weights: by feature, in the order of FEATURES.
        usual: a group's usual value of each feature.
        intercept: logit of a group that is usual in everything.
        thresholds: a group at or above `suspicious` is a ring, below `watch` it is lawful.
    """

    weights: tuple[float, ...]
    usual: tuple[float, ...]
    intercept: float
    thresholds: Thresholds

    def probability(self, features: Columns) -> np.ndarray:
        """That each group is a ring, `[n_groups] float64`."""
        return np.asarray(expit(self.intercept + self.pulls(features).sum(axis=1)))

    def pulls(self, features: Columns) -> np.ndarray:
        """How far each feature moves a group's logit from the usual, `[n_groups, n_features] float64`."""
        from_usual = features.values.astype(np.float64) - np.array(self.usual)
        return np.asarray(from_usual * np.array(self.weights))


def ring_features(snapshot: Snapshot, groups: Groups, scores: np.ndarray) -> Columns:
    """Features of groups, `[n_groups, n_features] float32`, named by FEATURES; `scores` are of accounts, in 0..1."""
    group, n_groups = groups.group, groups.n_groups
    within = np.flatnonzero(group >= 0)
    number = group[within]
    size = np.bincount(number, minlength=n_groups)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.asarray(np.bincount(number, values[within], minlength=n_groups) / size)

    sure = np.clip(logit(np.clip(scores, 1e-9, 1 - 1e-9)), -_SUREST, _SUREST)
    surest = np.full(n_groups, -_SUREST)
    np.maximum.at(surest, number, sure[within])
    created_at = snapshot.accounts["created_at"].cast("int64").to_numpy()
    age = (snapshot.end_of_day.astype(np.int64) - created_at) / _US_PER_DAY
    apart = np.sqrt(np.maximum(mean(age**2) - mean(age) ** 2, 0.0))
    columns = (mean(sure), surest, np.log(size), mean(groups.membership), np.log1p(apart), np.log1p(mean(age)))
    return Columns(FEATURES, np.column_stack(columns).astype(np.float32))


def fit_ring_judge(features: np.ndarray, is_ring: np.ndarray) -> RingJudge:
    """A judge of groups `[n_groups, n_features]`, told which are rings; the same groups give the same bits.

    Raises:
        TooFewGroupsError: there are not both rings and lawful groups.
    """
    if not (is_ring.any() and not is_ring.all()):
        raise TooFewGroupsError(
            f"{is_ring.size} groups of linked accounts were found in the worlds, {is_ring.sum()} of them rings; a judge"
            " takes some of both. Give more --worlds, or larger ones (--accounts)."
        )
    usual, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    fitted = LogisticRegression(C=_PENALTY).fit((features - usual) / spread, is_ring)
    weights, intercept = fitted.coef_[0] / spread, float(fitted.intercept_[0])
    probability = expit(intercept + (features - usual) @ weights)
    lawful = 1 - lowest_cut(1 - probability, _LAWFUL_PRECISION)
    suspicious = max(lowest_cut(probability, _RING_PRECISION), lawful)
    return RingJudge(
        tuple(weights.tolist()), tuple(usual.tolist()), intercept, Thresholds(suspicious=suspicious, watch=lawful)
    )
