"""Logits of accounts and links by trained networks."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.special import expit
from torch_geometric.data import HeteroData

from ringwatch.models.common.determinism import deterministic
from ringwatch.models.data.labels import Labels
from ringwatch.models.data.links import Links
from ringwatch.models.ensemble.trees import Trees, predict_tree_logits, tree_inputs
from ringwatch.models.gnn.hetero import PAIR
from ringwatch.models.gnn.input_schema import aligned, seen_labels
from ringwatch.models.gnn.network import make_network
from ringwatch.models.registry.model import Member


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
    receiver, sender = data[PAIR].edge_index.numpy()
    fake /= len(members)
    if trees:
        fake = (1 - trees.share) * fake + trees.share * predict_tree_logits(trees.model_strings, tree_inputs(data))
    return fake, Links(receiver, sender, expit(link / len(members)), fake.size)
