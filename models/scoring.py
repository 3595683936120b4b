"""Scores every account of a snapshot with a trained model."""

import numpy as np
import torch
from torch_geometric.data import HeteroData

from models.determinism import deterministic
from models.gnn import make_network
from models.graph_data import to_hetero_data
from models.snapshot import Snapshot
from models.trained import Member, TrainedModel


def score(model: TrainedModel, snapshot: Snapshot) -> np.ndarray:
    """Calibrated probability of being fake, `[n_accounts] float64`, in the order of the snapshot's accounts.

    The same model and snapshot give the same bits.
    """
    logits = np.zeros(snapshot.n_accounts)
    for member in model.members:
        logits += member_logits(member, to_hetero_data(snapshot, member.encoding))
    return model.calibration.apply(logits / len(model.members))


def member_logits(member: Member, data: HeteroData) -> np.ndarray:
    """Logits of one network, `[n_accounts] float64`, on a graph made with its encoding."""
    with deterministic(seed=0), torch.inference_mode():
        network = make_network(member.shape)
        network.load_state_dict(member.weights)
        network.eval()
        return np.asarray(network(data).numpy(), dtype=np.float64)
