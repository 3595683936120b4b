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
from ringwatch.models.training.training import MIN_LEGITIMATE, PROVEN_FAKES, Candidate

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
    difference (paired bootstrap over accounts). When under 20 fakes or 20 legitimate ones are so new, nothing can be
    compared, for a champion ranks labels that it has learnt far too well: the candidate, which has learnt from more of
    them, replaces it if it ranks better than chance.
    """
    version = version_of(candidate.model)
    champion = registry.champion_as_of(snapshot.date)
    if champion == version:
        return Decision(True, f"{version} is champion already")
    compared = _compare(registry, champion, candidate, snapshot) if champion else None
    if compared:
        return compared
    auroc = candidate.model.metrics["auroc"]
    promoted = auroc >= _MIN_AUROC
    verb = "reaches" if promoted else "is under"
    since = f"too few labels since {champion} to compare" if champion else "no champion before"
    return Decision(promoted, f"{since}; held-out AUROC {auroc:.3f} {verb} {_MIN_AUROC}")


def register(registry: Registry, candidate: Candidate, snapshot: Snapshot, decision: Decision) -> None:
    """Store a candidate, and make it champion from its night on if that was decided."""
    version = registry.save(candidate.model, reference_of(snapshot, candidate.scores))
    if decision.promoted and registry.champion_as_of(snapshot.date) != version:
        registry.promote(version, date=snapshot.date, why=decision.why)


def _compare(registry: Registry, champion: str, candidate: Candidate, snapshot: Snapshot) -> Decision | None:
    """By labels that became known since the champion's night; None where they are too few."""
    detector = load_detector(registry, champion)
    night = detector.snapshot_date
    labels = known_labels(snapshot)
    # The champion's night ends at midnight, which belongs to the next: `Snapshot.end_of_day` is exclusive.
    end_of_night = np.datetime64(night, "D") + np.timedelta64(1, "D")
    rows = labels.is_known & (labels.known_at >= end_of_night)
    is_fake = labels.is_fake[rows]
    if is_fake.sum() < PROVEN_FAKES or (~is_fake).sum() < MIN_LEGITIMATE:
        return None
    ours, theirs = candidate.held_out[rows], detector.score(snapshot).fake[rows]
    found = paired_bootstrap(is_fake, ours, theirs, seed=0)
    difference, error = found["average_precision"], found["standard_error"]
    verdict = "not worse" if difference >= -error else "worse"
    what = f"labels since {night}"
    why = f"AP {difference:+.4f} against {champion}, standard error {error:.4f}, on {what}: {verdict}"
    return Decision(difference >= -error, why)
