"""Makes the default model: simulates unlike worlds, and trains a network and a ring classifier on their truth."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.data.truth import Truth
from ringwatch.models.registry.artifact import version_of, write_model
from ringwatch.models.training.pretraining import pretrain, world_training_graph
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.progress import percent_logger
from ringwatch.pipelines.evaluation.measure import world_of
from ringwatch.pipelines.simulate.knobs.scenarios import SCENARIOS
from ringwatch.pipelines.simulate.population.world import Arguments

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from ringwatch.models.training.fitting import TrainingGraph


_SCENARIOS = ("disclosure", "disclosure", "camouflage", "drift", "evasion", "novel")
RANDOM = "random-structure"
_SMALLEST, _LARGEST = 0.375, 2.5  # sizes of worlds of random structure, as shares of the others'
_N_NIGHTS, _HISTORY_DAYS = 8, 30
_FIRST_SEED, _FIRST_SEED_OF_RINGS = 3000, 3500  # apart from the seeds that people and tests take
_VARY, _VARY_RANDOM = 0.5, 0.3  # what is drawn at random is turned less
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

    Half of the worlds are plain, half of random structure. `without` names kinds of accounts, of campaigns or ordinary
    people, that they are not to have, to measure what the model makes of structures that it never saw.

    Raises:
        RingwatchError: `without` names a kind that no world has.
    """
    _check_kinds(without)
    graphs: list[TrainingGraph] = []
    held_out: list[TrainingGraph] = []
    for position, world in enumerate(_worlds(_FIRST_SEED, n_worlds, n_accounts, without)):
        is_held_out = position % _ONE_HELD_OUT_IN == _ONE_HELD_OUT_IN - 1
        (held_out if is_held_out else graphs).append(world_training_graph(*world))
    model = pretrain(
        graphs,
        held_out,
        _worlds(_FIRST_SEED_OF_RINGS, n_worlds, n_accounts, without),
        seed=seed,
        progress=percent_logger(_log, f"training on {len(graphs)} worlds"),
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_model(model, folder)
    return version_of(model)


def _worlds(
    first_seed: int, n_worlds: int, n_accounts: int, without: Sequence[str]
) -> Iterator[tuple[Snapshot, Truth]]:
    for position in range(n_worlds):
        yield world_of(world_arguments(first_seed, position, n_accounts, without))


def world_arguments(first_seed: int, position: int, n_accounts: int, without: Sequence[str]) -> Arguments:
    """What a world of the training is made of: by turns a plain one, and one of random structure and size."""
    seed, scenario, vary = first_seed + position, _SCENARIOS[position // 2 % len(_SCENARIOS)], _VARY
    if position % 2:
        scenario, vary = RANDOM, _VARY_RANDOM
        n_accounts = round(n_accounts * _SMALLEST * (_LARGEST / _SMALLEST) ** np.random.default_rng(seed).random())
    knobs = {f"{kind}.share": 0.0 for kind in without if kind in _kinds_of(scenario)}
    return Arguments(n_accounts, _N_NIGHTS, _HISTORY_DAYS, seed, scenario, vary, knobs)


def _kinds_of(scenario: str) -> set[str]:
    return {kind.name for kind in SCENARIOS[scenario].kinds}


def _check_kinds(names: Sequence[str]) -> None:
    known = set().union(*(_kinds_of(scenario) for scenario in (*_SCENARIOS, RANDOM)))
    if unknown := sorted(set(names) - known):
        raise RingwatchError(f"no world has the kind {', '.join(unknown)}: KNOBS.md of the simulator lists them.")
