"""Scores every account of a snapshot with a trained model, and predicts links between accounts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit
from torch_geometric.data import HeteroData

from ringwatch.models.common.determinism import deterministic
from ringwatch.models.data.labels import Labels, known_labels
from ringwatch.models.data.links import Links
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.ensemble.trees import Trees, predict_tree_logits, tree_inputs
from ringwatch.models.gnn.hetero import PAIR, to_hetero_data
from ringwatch.models.gnn.input_schema import aligned, ignored_inputs, seen_labels
from ringwatch.models.gnn.network import make_network
from ringwatch.models.registry.model import Member, TrainedModel

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scores:
    """A scored snapshot: `fake` is the calibrated probability of each account, `[n_accounts] float64`."""

    fake: np.ndarray
    links: Links


def score(model: TrainedModel, snapshot: Snapshot) -> Scores:
    """Scores in the order of the snapshot's accounts; the labels known by its night are inputs.

    The same model and snapshot give the same bits.
    """
    labels, data = known_labels(snapshot), to_hetero_data(snapshot)
    _warn_of_ignored(model, data)
    fake, links = predict_logits(model.members, model.trees, data, labels, labels.is_known)
    return Scores(model.calibration.apply(fake), links)


def _warn_of_ignored(model: TrainedModel, data: HeteroData) -> None:
    ignored = set.intersection(*(set(ignored_inputs(data, member.inputs)) for member in model.members))
    if ignored:
        _log.warning(
            "the model ignores %s: it was trained without. Networks and trees trained on this platform use it",
            ", ".join(sorted(ignored)),
        )


def predict_logits(
    members: Sequence[Member], trees: Trees | None, data: HeteroData, labels: Labels, is_seen: np.ndarray
) -> tuple[np.ndarray, Links]:
    """Mean logit of an ensemble, and links, given the known labels of the accounts where `is_seen`.

    Returns:
        `[n_accounts] float64`, averaged over networks and trees, and the links, which only networks predict.
    """
    fake, link = np.zeros(labels.target.size), np.zeros(data[PAIR].num_edges)
    seen = seen_labels(labels, is_seen)
    with deterministic(seed=0), torch.inference_mode():
        for member in members:
            network = make_network(member.inputs)
            network.load_state_dict(member.weights)
            network.eval()
            output = network(aligned(data, member.inputs), seen)
            fake += output.fake.numpy()
            link += output.link.numpy()
    one, other = data[PAIR].edge_index.numpy()
    fake /= len(members)
    if trees:
        fake = (1 - trees.share) * fake + trees.share * predict_tree_logits(trees.model_strings, tree_inputs(data))
    return fake, Links(one, other, expit(link / len(members)), fake.size)
