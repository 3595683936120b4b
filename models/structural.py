"""A score without training, for nights with too few labels: how many independent kinds of rare things are shared.

It ranks; it is no probability, and says so in its reasons. What it finds is at most worth watching, never a ban.
"""

import numpy as np

from models.identifiers import MAX_ACCOUNTS, shared_kinds
from models.snapshot import Snapshot
from models.thresholds import Thresholds

# Two families of evidence in full reach `watch`; no score reaches `suspicious`.
STRUCTURAL_THRESHOLDS = Thresholds(suspicious=1.0, watch=0.6)
_FAMILIES_AT_63_PERCENT = 2.0


def structural_scores(snapshot: Snapshot) -> np.ndarray:
    """Scores in 0..1 by rare sharing in several independent kinds, `[n_accounts]` float64.

    An identifier on d accounts is worth strength * log2(d) * (1 - log d / log (cap + 1)): nothing for one account,
    most around the root of the cap, nothing again for a hub. A family of identifiers counts 1 - exp(-sum) and so at
    most once, and the score is 1 - exp(-(families / 2)^2): one kind in full gives .22, two .63, three .89.
    """
    evidence_by_family: dict[str, np.ndarray] = {}
    for kind in shared_kinds(snapshot):
        worth = kind.evidence.strength * _worth_by_degree()[kind.degree[kind.identifier]]
        total = evidence_by_family.setdefault(kind.evidence.family, np.zeros(snapshot.n_accounts))
        total += np.bincount(kind.account, weights=worth, minlength=snapshot.n_accounts)
    n_families = np.zeros(snapshot.n_accounts)
    for family in sorted(evidence_by_family):
        n_families += -np.expm1(-evidence_by_family[family])
    return -np.expm1(-((n_families / _FAMILIES_AT_63_PERCENT) ** 2))


def _worth_by_degree() -> np.ndarray:
    """Worth of an identifier of strength 1 by its number of accounts, `[MAX_ACCOUNTS + 1]`."""
    degree = np.maximum(np.arange(MAX_ACCOUNTS + 1), 1)
    return np.asarray(np.log2(degree) * (1 - np.log(degree) / np.log(MAX_ACCOUNTS + 1)))
