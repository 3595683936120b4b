"""Scores every account of a snapshot with a trained model, and predicts links between accounts."""

import logging
from dataclasses import dataclass

import numpy as np
from torch_geometric.data import HeteroData

from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.links import Links
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.gnn.hetero import to_hetero_data
from ringwatch.models.gnn.input_schema import ignored_inputs
from ringwatch.models.registry.model import TrainedModel
from ringwatch.models.scoring.cross_fitting import cross_fitted_logits
from ringwatch.models.scoring.stacked import own_logits, stack_inputs

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scores:
    """A scored snapshot: `fake` is the calibrated probability of each account, `[n_accounts] float64`."""

    fake: np.ndarray
    links: Links


def score(model: TrainedModel, snapshot: Snapshot) -> Scores:
    """Scores in the order of the snapshot's accounts.

    Labels are inputs of a platform's own networks alone. The rest was fitted to them, each labelled account's score
    without its own. The same model and snapshot give the same bits.
    """
    labels, data = known_labels(snapshot), to_hetero_data(snapshot)
    _warn_of_ignored(model, data)
    inputs = stack_inputs(model.members, model.stack.pretrained, data, labels)
    if model.own:
        inputs = inputs.with_own(own_logits(model.own, data, labels))
    logits = cross_fitted_logits(model.stack, inputs, snapshot, labels)
    return Scores(model.calibration.apply(logits), inputs.links)


def _warn_of_ignored(model: TrainedModel, data: HeteroData) -> None:
    ignored = set.intersection(*(set(ignored_inputs(data, member.inputs)) for member in model.members))
    if ignored:
        _log.warning(
            "the networks ignore %s: they were trained without. Trees trained on this platform use it",
            ", ".join(sorted(ignored)),
        )
