"""Held-out logits: each account scored by networks that its label was hidden from."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch_geometric.data import HeteroData

from ringwatch.models.data.labels import Labels
from ringwatch.models.ensemble.trees import Trees
from ringwatch.models.registry.model import Member
from ringwatch.models.scoring.networks import predict_logits


class Networks(NamedTuple):
    """A platform's own networks and trees, before calibration.

    Attributes:
        members: the networks.
        held_out: `[n_accounts] float64` logits, each of an account whose label was hidden.
        trees: part of the held-out logits too.
    """

    members: tuple[Member, ...]
    held_out: np.ndarray
    trees: Trees


def held_out_logits(
    data: HeteroData, labels: Labels, fold: np.ndarray, members_by_fold: Sequence[Sequence[Member]]
) -> np.ndarray:
    """Logits of each fold by its networks while its labels are hidden, `[n_accounts] float64`."""
    logits = np.empty(fold.size)
    for held, members in enumerate(members_by_fold):
        of_fold, _ = predict_logits(members, None, data, labels, labels.is_known & (fold != held))
        logits[fold == held] = of_fold[fold == held]
    return logits
