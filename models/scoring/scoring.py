"""Scores every account of a snapshot with a trained model, and says which accounts it links."""

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
from ringwatch.models.ensemble.trees import Trees, said_by_trees, tree_inputs
from ringwatch.models.gnn.hetero import PAIR, to_hetero_data
from ringwatch.models.gnn.input_schema import aligned, seen_labels
from ringwatch.models.gnn.network import make_network
from ringwatch.models.registry.model import Member, TrainedModel


@dataclass(frozen=True)
class Scores:
    """What a model says of a snapshot: `fake` is the calibrated probability, `[n_accounts] float64`."""

    fake: np.ndarray
    links: Links


def score(model: TrainedModel, snapshot: Snapshot) -> Scores:
    """Scores in the order of the snapshot's accounts; the labels known by its night are shown to the model.

    The same model and snapshot give the same bits.
    """
    labels, data = known_labels(snapshot), to_hetero_data(snapshot)
    fake, links = said_by(model.members, model.trees, data, labels, labels.is_known)
    return Scores(model.calibration.apply(fake), links)


def said_by(
    members: Sequence[Member], trees: Trees | None, data: HeteroData, labels: Labels, is_seen: np.ndarray
) -> tuple[np.ndarray, Links]:
    """Logit of some networks, by share with that of trees, and links, where `is_seen` accounts' labels are shown.

    Returns:
        `[n_accounts] float64`, and the links, of which only networks speak.
    """
    fake, link = np.zeros(labels.target.size), np.zeros(data[PAIR].num_edges)
    seen = seen_labels(labels, is_seen)
    with deterministic(seed=0), torch.inference_mode():
        for member in members:
            network = make_network(member.shape)
            network.load_state_dict(member.weights)
            network.eval()
            said = network(aligned(data, member.shape), seen)
            fake += said.fake.numpy()
            link += said.link.numpy()
    one, other = data[PAIR].edge_index.numpy()
    fake /= len(members)
    if trees:
        fake = (1 - trees.share) * fake + trees.share * said_by_trees(trees.members, tree_inputs(data))
    return fake, Links(one, other, expit(link / len(members)), fake.size)
