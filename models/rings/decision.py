"""The decision on each community of linked accounts, with the reason why a legitimate one was cleared."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from ringwatch.models.data.identifiers import SharedKind
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.explain.wording import count
from ringwatch.models.features.account import Columns
from ringwatch.models.rings.classifier import FEATURES, RingClassifier, ring_features
from ringwatch.models.rings.communities import Groups, keep_groups
from ringwatch.models.rings.sharing import kinds_shared, per_group

_MOST = 0.5  # share of members
_HOUSEHOLD_AT_MOST = 8
_N_FACTS = 3
_DESCRIBE: dict[str, Callable[[float], str]] = {
    "mean_logit": lambda value: f"typically scored {expit(value):.2f}",
    "max_logit": lambda value: f"none scored above {expit(value):.2f}",
    "log_size": lambda value: f"only {count(round(np.exp(value)), 'account')}",
    "log_joined_apart_days": lambda value: f"joined {count(round(np.expm1(value)), 'day')} apart",
    "log_age_days": lambda value: f"{count(round(np.expm1(value)), 'day')} old on average",
}


class RingDecisions(NamedTuple):
    """Groups to report, and the decision on each.

    Attributes:
        groups: rings, and legitimate groups with a member whose score is above the watch threshold.
        probability: `[n_groups] float64`, that it is a ring.
        cleared: why it was cleared, by the number of each group that was.
    """

    groups: Groups
    probability: np.ndarray
    cleared: Mapping[int, str]


def decide_rings(
    ring_classifier: RingClassifier,
    snapshot: Snapshot,
    kinds: Sequence[SharedKind],
    groups: Groups,
    *,
    scores: np.ndarray,
    is_known_fake: np.ndarray,
    is_flagged: np.ndarray,
) -> RingDecisions:
    """Separate rings from legitimate groups; one with a known fake in it is never legitimate.

    Args:
        ring_classifier: of groups.
        snapshot: the night.
        kinds: what is shared in it.
        groups: of linked accounts.
        scores: `[n_accounts] float64`, known or predicted of each account.
        is_known_fake: `[n_accounts] bool`.
        is_flagged: `[n_accounts] bool`, whose score is above the watch threshold.
    """
    features = ring_features(snapshot, groups, scores)
    probability = ring_classifier.probability(features)
    is_legitimate = probability < ring_classifier.thresholds.watch
    is_legitimate &= per_group(groups.group, is_known_fake, groups.n_groups) == 0
    is_reported = ~is_legitimate | (per_group(groups.group, is_flagged, groups.n_groups) > 0)
    is_cleared = is_legitimate & is_reported
    of_cleared = Columns(features.names, features.values[is_cleared])
    reasons = _legitimate_reasons(ring_classifier, of_cleared, kinds_shared(kinds, keep_groups(groups, is_cleared)))
    # Groups that are kept stay in their order.
    cleared = np.flatnonzero(is_cleared[is_reported]).tolist()
    return RingDecisions(
        keep_groups(groups, is_reported), probability[is_reported], dict(zip(cleared, reasons, strict=True))
    )


def _legitimate_reasons(
    ring_classifier: RingClassifier, features: Columns, shares: Mapping[str, np.ndarray]
) -> Iterator[str]:
    """A sentence for each group; `shares` of members by family of evidence, `[n_groups]` each."""
    contributions = ring_classifier.contributions(features)
    sizes = np.exp(features.values[:, FEATURES.index("log_size")])
    for group, values in enumerate(features.values):
        lowering = (
            at for at in np.argsort(contributions[group]) if contributions[group, at] < 0 and FEATURES[at] in _DESCRIBE
        )
        facts = ", ".join(_DESCRIBE[FEATURES[at]](float(values[at])) for at in islice(lowering, _N_FACTS))
        like = _looks_like({family: of_groups[group] for family, of_groups in shares.items()}, sizes[group])
        yield f"looks lawful, like {like}: {facts}"


def _looks_like(shares: Mapping[str, float], size: float) -> str:
    if shares.get("organization", 0.0) >= _MOST:
        return "accounts of one organization"
    is_close = any(shares.get(family, 0.0) >= _MOST for family in ("payment", "contact", "device"))
    if is_close:
        return "a household" if size <= _HOUSEHOLD_AT_MOST else "people who work together"
    return "people on one network or tool"
