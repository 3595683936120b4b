"""The decision on each group of linked accounts, and why a lawful one was cleared: whom it is like, and by what."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from ringwatch.models.data.identifiers import SharedKind
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.explain.wording import count
from ringwatch.models.features.account import Columns
from ringwatch.models.rings.classifier import FEATURES, RingJudge, ring_features
from ringwatch.models.rings.communities import Groups, keep_groups
from ringwatch.models.rings.sharing import kinds_shared, per_group

_MOST = 0.5  # share of members
_HOUSEHOLD_AT_MOST = 8
_N_FACTS = 3
_SAY: dict[str, Callable[[float], str]] = {
    "mean_logit": lambda value: f"typically scored {expit(value):.2f}",
    "max_logit": lambda value: f"none scored above {expit(value):.2f}",
    "log_size": lambda value: f"only {count(round(np.exp(value)), 'account')}",
    "log_joined_apart_days": lambda value: f"joined {count(round(np.expm1(value)), 'day')} apart",
    "log_age_days": lambda value: f"{count(round(np.expm1(value)), 'day')} old on average",
}


class Verdicts(NamedTuple):
    """Groups that are to be told of, and the decision on each.

    Attributes:
        groups: rings, and lawful groups of which a member's score had raised a question.
        probability: `[n_groups] float64`, that it is a ring.
        lawful: why it was cleared, by the number of each that was.
    """

    groups: Groups
    probability: np.ndarray
    lawful: Mapping[int, str]


def decide(
    judge: RingJudge,
    snapshot: Snapshot,
    kinds: Sequence[SharedKind],
    groups: Groups,
    *,
    scores: np.ndarray,
    is_known_fake: np.ndarray,
    is_asked: np.ndarray,
) -> Verdicts:
    """Part rings from lawful groups; one with a known fake in it is never lawful.

    Args:
        judge: of groups.
        snapshot: the night.
        kinds: what is shared in it.
        groups: of linked accounts.
        scores: `[n_accounts] float64`, what is known or thought of each account.
        is_known_fake: `[n_accounts] bool`.
        is_asked: `[n_accounts] bool`, whose score raises a question.
    """
    features = ring_features(snapshot, groups, scores)
    probability = judge.probability(features)
    is_lawful = probability < judge.thresholds.watch
    is_lawful &= per_group(groups.group, is_known_fake, groups.n_groups) == 0
    is_told = ~is_lawful | (per_group(groups.group, is_asked, groups.n_groups) > 0)
    is_excused = is_lawful & is_told
    of_excused = Columns(features.names, features.values[is_excused])
    reasons = _lawful_reasons(judge, of_excused, kinds_shared(kinds, keep_groups(groups, is_excused)))
    # Groups that are kept stay in their order.
    lawful = np.flatnonzero(is_excused[is_told]).tolist()
    return Verdicts(keep_groups(groups, is_told), probability[is_told], dict(zip(lawful, reasons, strict=True)))


def _lawful_reasons(judge: RingJudge, features: Columns, shares: Mapping[str, np.ndarray]) -> Iterator[str]:
    """A sentence for each group; `shares` of members by family of evidence, `[n_groups]` each."""
    pulls = judge.pulls(features)
    sizes = np.exp(features.values[:, FEATURES.index("log_size")])
    for group, values in enumerate(features.values):
        speaking = (at for at in np.argsort(pulls[group]) if pulls[group, at] < 0 and FEATURES[at] in _SAY)
        facts = ", ".join(_SAY[FEATURES[at]](float(values[at])) for at in islice(speaking, _N_FACTS))
        like = _looks_like({family: of_groups[group] for family, of_groups in shares.items()}, sizes[group])
        yield f"looks lawful, like {like}: {facts}"


def _looks_like(shares: Mapping[str, float], size: float) -> str:
    if shares.get("organization", 0.0) >= _MOST:
        return "accounts of one organization"
    is_close = any(shares.get(family, 0.0) >= _MOST for family in ("payment", "contact", "device"))
    if is_close:
        return "a household" if size <= _HOUSEHOLD_AT_MOST else "people who work together"
    return "people on one network or tool"
