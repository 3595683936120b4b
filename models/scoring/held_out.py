"""Networks, and what each says of accounts whose labels were hidden from it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch_geometric.data import HeteroData

from ringwatch.models.data.labels import Labels
from ringwatch.models.ensemble.trees import Trees
from ringwatch.models.registry.model import Calibration, Member
from ringwatch.models.scoring.scoring import said_by


class Networks(NamedTuple):
    """Networks before they are calibrated.

    Attributes:
        members: the networks.
        held_out: `[n_accounts] float64` logits, each of an account whose label was hidden.
        trees: beside them, in the held-out logits too; None for none.
        start: the calibration that labels move; None where there is none yet.
    """

    members: tuple[Member, ...]
    held_out: np.ndarray
    trees: Trees | None
    start: Calibration | None


def held_out(
    data: HeteroData, labels: Labels, fold: np.ndarray, members_by_fold: Sequence[Sequence[Member]]
) -> np.ndarray:
    """What each fold's networks say of it while its labels are hidden, `[n_accounts] float64` logits."""
    held_out = np.empty(fold.size)
    for held, members in enumerate(members_by_fold):
        said, _ = said_by(members, None, data, labels, labels.is_known & (fold != held))
        held_out[fold == held] = said[fold == held]
    return held_out
