"""Whether a candidate becomes champion: only when it is not worse on accounts that neither model learnt from."""

import numpy as np

from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.evaluation.metrics import paired_bootstrap
from ringwatch.models.registry.drift import reference_of
from ringwatch.models.registry.store import Registry
from ringwatch.models.scoring.scoring import score
from ringwatch.models.training.training import MIN_FAKES, MIN_LEGITIMATE, Candidate

_MIN_AUROC = 0.6  # a first champion must at least rank better than chance


def promote_if_not_worse(registry: Registry, candidate: Candidate, snapshot: Snapshot) -> tuple[bool, str]:
    """Store a candidate and make it champion from its night on, unless it is worse; returns whether, and why.

    Compared are the AP of the candidate's held-out scores and of the champion's scores, on accounts whose label became
    known after the champion's night, which it cannot have learnt. Not worse: by no more than one standard error of the
    difference (paired bootstrap over accounts). When under 20 fakes or 20 legitimate ones are so new, on all labels:
    the champion has learnt from many of those, so that comparison is strict on the candidate, and says so.
    """
    version = registry.save(candidate.model, reference_of(snapshot, candidate.scores))
    champion = registry.champion_as_of(snapshot.date)
    if champion == version:
        return True, f"{version} is champion already"
    if champion is None:
        auroc = candidate.model.metrics["auroc"]
        promoted = auroc >= _MIN_AUROC
        why = f"no champion before; held-out AUROC {auroc:.3f} {'reaches' if promoted else 'is under'} {_MIN_AUROC}"
    else:
        promoted, why = _compare(registry, champion, candidate, snapshot)
    if promoted:
        registry.promote(version, date=snapshot.date, why=why)
    return promoted, why


def _compare(registry: Registry, champion: str, candidate: Candidate, snapshot: Snapshot) -> tuple[bool, str]:
    model = registry.load(champion)
    labels = known_labels(snapshot)
    rows = labels.is_known & (labels.known_at > np.datetime64(model.snapshot_date, "D") + np.timedelta64(1, "D"))
    what = f"labels since {model.snapshot_date}"
    if labels.is_fake[rows].sum() < MIN_FAKES or (~labels.is_fake[rows]).sum() < MIN_LEGITIMATE:
        rows, what = labels.is_known, "all labels, many of which the champion has learnt"
    is_fake = labels.is_fake[rows]
    ours, theirs = candidate.held_out[rows], score(model, snapshot).fake[rows]
    found = paired_bootstrap(is_fake, ours, theirs, seed=0)
    difference, error = found["average_precision"], found["standard_error"]
    verdict = "not worse" if difference >= -error else "worse"
    why = f"AP {difference:+.4f} against {champion}, standard error {error:.4f}, on {what}: {verdict}"
    return difference >= -error, why
