"""Whether a candidate becomes champion: only when it is not worse on accounts that neither model learnt from."""

from typing import NamedTuple

import numpy as np

from ringwatch.models.common.metrics import paired_bootstrap
from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.registry.artifact import version_of
from ringwatch.models.registry.drift import reference_of
from ringwatch.models.registry.store import Registry
from ringwatch.models.scoring.detector import load_detector
from ringwatch.models.training.training import MIN_FAKES, MIN_LEGITIMATE, Candidate

_MIN_AUROC = 0.6  # a first champion must at least rank better than chance


class Decision(NamedTuple):
    """Whether a candidate becomes champion, and why."""

    promoted: bool
    why: str


def promote_if_not_worse(registry: Registry, candidate: Candidate, snapshot: Snapshot) -> Decision:
    """Store a candidate and make it champion from its night on, unless it is worse."""
    decision = compare_with_champion(registry, candidate, snapshot)
    register(registry, candidate, snapshot, decision)
    return decision


def compare_with_champion(registry: Registry, candidate: Candidate, snapshot: Snapshot) -> Decision:
    """Whether a candidate is to become champion; nothing is written.

    Compared are the AP of the candidate's held-out scores and of the champion's scores, on accounts whose label became
    known after the champion's night, which it cannot have learnt. Not worse: by no more than one standard error of the
    difference (paired bootstrap over accounts). When under 20 fakes or 20 legitimate ones are so new, on all labels:
    the champion has learnt from many of those, so that comparison is strict on the candidate, and says so.
    """
    version = version_of(candidate.model)
    champion = registry.champion_as_of(snapshot.date)
    if champion == version:
        return Decision(True, f"{version} is champion already")
    if champion is None:
        auroc = candidate.model.metrics["auroc"]
        promoted = auroc >= _MIN_AUROC
        verb = "reaches" if promoted else "is under"
        return Decision(promoted, f"no champion before; held-out AUROC {auroc:.3f} {verb} {_MIN_AUROC}")
    return _compare(registry, champion, candidate, snapshot)


def register(registry: Registry, candidate: Candidate, snapshot: Snapshot, decision: Decision) -> None:
    """Store a candidate, and make it champion from its night on if that was decided."""
    version = registry.save(candidate.model, reference_of(snapshot, candidate.scores))
    if decision.promoted and registry.champion_as_of(snapshot.date) != version:
        registry.promote(version, date=snapshot.date, why=decision.why)


def _compare(registry: Registry, champion: str, candidate: Candidate, snapshot: Snapshot) -> Decision:
    detector = load_detector(registry, champion)
    night = detector.snapshot_date
    labels = known_labels(snapshot)
    # The champion's night ends at midnight, which belongs to the next: `Snapshot.end_of_day` is exclusive.
    end_of_night = np.datetime64(night, "D") + np.timedelta64(1, "D")
    rows = labels.is_known & (labels.known_at >= end_of_night)
    what = f"labels since {night}"
    if labels.is_fake[rows].sum() < MIN_FAKES or (~labels.is_fake[rows]).sum() < MIN_LEGITIMATE:
        rows, what = labels.is_known, "all labels, many of which the champion has learnt"
    is_fake = labels.is_fake[rows]
    ours, theirs = candidate.held_out[rows], detector.score(snapshot).fake[rows]
    found = paired_bootstrap(is_fake, ours, theirs, seed=0)
    difference, error = found["average_precision"], found["standard_error"]
    verdict = "not worse" if difference >= -error else "worse"
    why = f"AP {difference:+.4f} against {champion}, standard error {error:.4f}, on {what}: {verdict}"
    return Decision(difference >= -error, why)
