"""What another policy would have listed on nights that were detected: decisions that were never made, side by side."""

from dataclasses import dataclass
from datetime import date

from ringwatch.pipelines.ban_list.rules.candidates import find_candidates
from ringwatch.pipelines.ban_list.rules.policy import Policy
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.runs.store import detected_nights


@dataclass(frozen=True)
class NightUnderBoth:
    """One night, by itself: entries of earlier lists are left out.

    Attributes:
        date: the night.
        n_listed: by the policy that is compared with.
        n_would_be_listed: by the other.
        only_now: accounts that only the first lists, sorted.
        only_then: accounts that only the other lists, sorted.
    """

    date: date
    n_listed: int
    n_would_be_listed: int
    only_now: list[str]
    only_then: list[str]


def compare_policies(settings: Settings, now: Policy, then: Policy, *, n_nights: int) -> list[NightUnderBoth]:
    """The newest nights under both policies, oldest first.

    Raises:
        RingwatchError: no night has been detected.
    """
    found = []
    for night in detected_nights(settings)[-n_nights:]:
        ours, theirs = (set(find_candidates(settings, night=night, policy=each).listed) for each in (now, then))
        found.append(NightUnderBoth(night, len(ours), len(theirs), sorted(ours - theirs), sorted(theirs - ours)))
    return found
