"""Fits the network to graphs whose truth is known in whole or in part: simulated worlds, or a platform's few labels.

In each step one graph's known labels are shown in part, and the loss asks for those that are not: a network taught so
draws on whatever labels it is shown. Weights stand in the loss; data is never resampled.
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
from ringwatch.models.gnn.input_schema import Shape, aligned, seen_labels, shape_of
from ringwatch.models.gnn.network import RingGNN, Said, make_network
from ringwatch.models.registry.model import Member

Progress = Callable[[float], None]  # told the share done

_UNLINKED_WEIGHT, _LINK_WEIGHT = 0.5, 0.7
_MAX_GRADIENT = 1.0


@dataclass(frozen=True)
class Lesson:
    """A graph, the labels that may be shown, and what is to be said of it.

    Attributes:
        data: the graph.
        labels: labels known on its platform.
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

    def seen_by(self, shape: Shape) -> "Lesson":
        """The same with the inputs that a network of this shape takes."""
        return replace(self, data=aligned(self.data, shape))


@dataclass(frozen=True)
class Pace:
    """How long and how boldly a network learns, and from how many labels.

    Attributes:
        n_epochs: passes over the lessons.
        learning_rate: at its highest; it rises and falls to zero over all steps (one cycle).
        weight_decay: of AdamW.
        shown: shares of the known labels, one of which is shown in a step. Where only known labels can be asked for,
            showing many leaves few to learn from.
    """

    n_epochs: int
    learning_rate: float
    weight_decay: float
    shown: tuple[float, ...]


def teach(lessons: Sequence[Lesson], pace: Pace, *, seed: int, progress: Progress) -> Member:
    """A network taught from nothing; the same lessons and seed give the same bits."""
    shape = shape_of([lesson.data for lesson in lessons])
    with deterministic(seed):
        network = make_network(shape)
    _fit(network, [lesson.seen_by(shape) for lesson in lessons], pace, seed=seed, progress=progress)
    return Member(shape, {name: weights.detach() for name, weights in network.state_dict().items()})


def part_of(progress: Progress, position: int, n_parts: int) -> Progress:
    """What tells `progress` of the share done of one of several equal parts."""
    return lambda share: progress((position + share) / n_parts)


def _fit(network: RingGNN, lessons: Sequence[Lesson], pace: Pace, *, seed: int, progress: Progress) -> None:
    rng = np.random.default_rng(seed)
    n_steps = pace.n_epochs * len(lessons)
    with deterministic(seed):
        network.train()
        optimizer = torch.optim.AdamW(network.parameters(), lr=pace.learning_rate, weight_decay=pace.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, pace.learning_rate, total_steps=n_steps)
        for epoch in range(pace.n_epochs):
            for position, lesson in enumerate(rng.permutation(len(lessons))):
                optimizer.zero_grad()
                _loss(network, lessons[lesson], rng.choice(pace.shown), rng).backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(network.parameters(), _MAX_GRADIENT)
                optimizer.step()
                schedule.step()
                progress((epoch * len(lessons) + position + 1) / n_steps)


def _loss(network: RingGNN, lesson: Lesson, share_shown: float, rng: np.random.Generator) -> Tensor:
    shown = lesson.labels.is_known & (rng.random(lesson.fake.size) < share_shown)
    said: Said = network(lesson.data, seen_labels(lesson.labels, shown))
    asked = lesson.weight * ~shown
    loss = _mean_loss(said.fake, lesson.fake, asked)
    loss = loss + _UNLINKED_WEIGHT * _mean_loss(said.unlinked, lesson.fake, asked)
    if lesson.data[PAIR].num_edges:
        loss = loss + _LINK_WEIGHT * _mean_loss(said.link, lesson.one_operator, lesson.pair_weight)
    return loss


def _mean_loss(logit: Tensor, target: np.ndarray, weight: np.ndarray) -> Tensor:
    share = torch.from_numpy((weight / max(weight.sum(), 1e-9)).astype(np.float32))
    return binary_cross_entropy_with_logits(logit, torch.from_numpy(target), weight=share, reduction="sum")
