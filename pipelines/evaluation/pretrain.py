"""Makes the default model: simulates unlike worlds, and trains a network and a ring classifier on their truth."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.data.truth import Truth
from ringwatch.models.registry.artifact import version_of, write_model
from ringwatch.models.training.pretraining import pretrain, world_training_graph
from ringwatch.pipelines.common.progress import percent_logger
from ringwatch.pipelines.evaluation.measure import world_of
from ringwatch.pipelines.simulate.population.world import Arguments

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from ringwatch.models.training.fitting import TrainingGraph


_SCENARIOS = ("disclosure", "disclosure", "camouflage", "drift", "evasion", "novel")
_N_NIGHTS, _HISTORY_DAYS = 8, 30
_FIRST_SEED, _FIRST_SEED_OF_RINGS = 3000, 3500  # apart from the seeds that people and tests take
_VARY = 0.5
_ONE_HELD_OUT_IN = 5


def pretrain_default(
    folder: Path,
    *,
    n_worlds: int,
    n_accounts: int,
    seed: int,
    without: Sequence[str] = (),
) -> str:
    """Write the model into a folder; returns its version. The same arguments give the same bits.

    `without` names types of campaigns that its worlds are not to have, to measure what it makes of types it never saw.
    """
    knobs = {f"{kind}.share": 0.0 for kind in without}
    graphs: list[TrainingGraph] = []
    held_out: list[TrainingGraph] = []
    for position, world in enumerate(_worlds(_FIRST_SEED, n_worlds, n_accounts, knobs)):
        is_held_out = position % _ONE_HELD_OUT_IN == _ONE_HELD_OUT_IN - 1
        (held_out if is_held_out else graphs).append(world_training_graph(*world))
    model = pretrain(
        graphs,
        held_out,
        _worlds(_FIRST_SEED_OF_RINGS, n_worlds, n_accounts, knobs),
        seed=seed,
        progress=percent_logger(_log, f"training on {len(graphs)} worlds"),
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_model(model, folder)
    return version_of(model)


def _worlds(
    first_seed: int, n_worlds: int, n_accounts: int, knobs: Mapping[str, float]
) -> Iterator[tuple[Snapshot, Truth]]:
    for position in range(n_worlds):
        scenario = _SCENARIOS[position % len(_SCENARIOS)]
        arguments = Arguments(n_accounts, _N_NIGHTS, _HISTORY_DAYS, first_seed + position, scenario, _VARY, knobs)
        yield world_of(arguments)
