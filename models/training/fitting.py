"""Training of the network, on graphs with complete labels (simulated worlds) or few (a platform).

Each step uses one graph: a part of its known labels is input, and the loss is over those that are not, so the network
learns to use whatever labels it is given. Classes are weighted in the loss; data is never resampled.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torch_geometric.data import HeteroData

from ringwatch.models.common.determinism import deterministic
from ringwatch.models.data.labels import Labels
from ringwatch.models.gnn.hetero import PAIR
from ringwatch.models.gnn.input_schema import InputSchema, aligned, input_schema_of, seen_labels
from ringwatch.models.gnn.network import Output, RingGNN, make_network
from ringwatch.models.registry.model import Member

Progress = Callable[[float], None]  # called with the share done

_WITHOUT_LINKS_WEIGHT, _LINK_WEIGHT = 0.5, 0.7
_MAX_GRADIENT = 1.0


@dataclass(frozen=True)
class TrainingGraph:
    """A graph with its input labels, targets and loss weights.

    Attributes:
        data: the graph.
        labels: labels known on its platform, a part of which is input.
        fake: `[n_accounts] float32`, 1 for a fake.
        weight: `[n_accounts] float32` in the loss; 0 where nothing is known.
        one_operator: `[n_pairs] float32`, 1 for a pair of fakes of one campaign.
        pair_weight: `[n_pairs] float32` in the loss.
    """

    data: HeteroData
    labels: Labels
    fake: np.ndarray
    weight: np.ndarray
    one_operator: np.ndarray
    pair_weight: np.ndarray

    def aligned_to(self, inputs: InputSchema) -> "TrainingGraph":
        """The same with the inputs that a network of this schema takes."""
        return replace(self, data=aligned(self.data, inputs))


@dataclass(frozen=True)
class TrainingSchedule:
    """Hyperparameters of training.

    Attributes:
        n_epochs: passes over the graphs.
        learning_rate: the maximum; it rises and falls to zero over all steps (one cycle).
        weight_decay: of AdamW.
        visible_shares: shares of the known labels, one of which is drawn in each step: so many are input. Where only
            known labels are targets, a large share leaves few of them.
    """

    n_epochs: int
    learning_rate: float
    weight_decay: float
    visible_shares: tuple[float, ...]


def fit(graphs: Sequence[TrainingGraph], schedule: TrainingSchedule, *, seed: int, progress: Progress) -> Member:
    """A network trained from scratch; the same graphs and seed give the same bits."""
    inputs = input_schema_of([graph.data for graph in graphs])
    with deterministic(seed):
        network = make_network(inputs)
    _run_epochs(network, [graph.aligned_to(inputs) for graph in graphs], schedule, seed=seed, progress=progress)
    return Member(inputs, {name: weights.detach() for name, weights in network.state_dict().items()})


def part_of(progress: Progress, position: int, n_parts: int) -> Progress:
    """Progress of one of several equal parts."""
    return lambda share: progress((position + share) / n_parts)


def _run_epochs(
    network: RingGNN, graphs: Sequence[TrainingGraph], schedule: TrainingSchedule, *, seed: int, progress: Progress
) -> None:
    rng = np.random.default_rng(seed)
    n_steps = schedule.n_epochs * len(graphs)
    with deterministic(seed):
        network.train()
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, schedule.learning_rate, total_steps=n_steps)
        for epoch in range(schedule.n_epochs):
            for position, graph in enumerate(rng.permutation(len(graphs))):
                optimizer.zero_grad()
                _loss(network, graphs[graph], rng.choice(schedule.visible_shares), rng).backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(network.parameters(), _MAX_GRADIENT)
                optimizer.step()
                scheduler.step()
                progress((epoch * len(graphs) + position + 1) / n_steps)


def _loss(network: RingGNN, graph: TrainingGraph, visible_share: float, rng: np.random.Generator) -> Tensor:
    is_visible = graph.labels.is_known & (rng.random(graph.fake.size) < visible_share)
    output: Output = network(graph.data, seen_labels(graph.labels, is_visible))
    weight = graph.weight * ~is_visible
    loss = _mean_loss(output.fake, graph.fake, weight)
    loss = loss + _WITHOUT_LINKS_WEIGHT * _mean_loss(output.fake_without_links, graph.fake, weight)
    if graph.data[PAIR].num_edges:
        loss = loss + _LINK_WEIGHT * _mean_loss(output.link, graph.one_operator, graph.pair_weight)
    return loss


def _mean_loss(logit: Tensor, target: np.ndarray, weight: np.ndarray) -> Tensor:
    share = torch.from_numpy((weight / max(weight.sum(), 1e-9)).astype(np.float32))
    return binary_cross_entropy_with_logits(logit, torch.from_numpy(target), weight=share, reduction="sum")
