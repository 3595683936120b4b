"""A world as it was asked for: its arguments, the kinds with their numbers, and its sources of chance."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, reduce
from pathlib import Path

import numpy as np

from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.simulate.knobs.declaration import Kind
from ringwatch.pipelines.simulate.knobs.scenarios import SCENARIOS, Desk, Scenario
from ringwatch.pipelines.simulate.knobs.structures import random_structure
from ringwatch.pipelines.simulate.knobs.variation import turned, varied
from ringwatch.pipelines.simulate.population.state import DAY_US

FIRST_NIGHT = date(2026, 3, 2)
MIN_ACCOUNTS = 50
FORMAT = 1  # of the state file: a world made by another is made anew

# Country, share of accounts, hours ahead of UTC. The last joins in the scenario `drift`, and is nobody's before.
COUNTRIES = (
    ("US", 0.3, -6), ("IN", 0.13, 5), ("BR", 0.09, -3), ("DE", 0.08, 1), ("GB", 0.07, 0), ("JP", 0.06, 9),
    ("FR", 0.05, 1), ("KR", 0.04, 9), ("CA", 0.04, -5), ("ID", 0.05, 7), ("NG", 0.04, 1), ("MX", 0.03, -6),
    ("ES", 0.02, 1), ("TR", 0.0, 3),
)  # fmt: skip


@dataclass(frozen=True)
class Arguments:
    """All that a world is a function of, apart from the ban lists it answered."""

    n_accounts: int
    n_nights: int
    history_days: int
    seed: int
    scenario: str
    vary: float = 0.0
    knobs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """Arguments, and what follows from them."""

    arguments: Arguments

    def __post_init__(self) -> None:
        """Refuse arguments of which no world can be made."""
        a = self.arguments
        if a.scenario not in SCENARIOS:
            raise RingwatchError(f"no scenario {a.scenario}: give one of {', '.join(SCENARIOS)}.")
        if a.n_accounts < MIN_ACCOUNTS:
            raise RingwatchError(f"{a.n_accounts} accounts make no world: give at least {MIN_ACCOUNTS}.")
        if a.n_nights < 1 or a.history_days < 1:
            raise RingwatchError("a world has at least one night, and a day of history before it.")
        if a.seed < 0:
            raise RingwatchError("the seed is a whole number from 0 up.")
        if not 0 <= a.vary <= 1:
            raise RingwatchError("--vary is a number from 0, the kinds as declared, to 1.")

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario, its kinds as declared or drawn."""
        declared = SCENARIOS[self.arguments.scenario]
        if declared.is_drawn:
            return random_structure(declared, self.arguments.n_accounts, self.chance("structure"))
        return declared

    @cached_property
    def _turned(self) -> tuple[tuple[Kind, ...], Desk]:
        kinds, desk = self.scenario.kinds, self.scenario.desk
        if self.arguments.vary:
            kinds = varied(kinds, self.arguments.vary, self.chance("knobs"))
        return turned(kinds, desk, self.arguments.knobs)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of accounts, their knobs turned."""
        return self._turned[0]

    @property
    def desk(self) -> Desk:
        """What the platform's people do."""
        return self._turned[1]

    def of(self, knob: str) -> np.ndarray:
        """A knob of every kind, by its path: `[n_kinds]`, or `[n_kinds, n]` of ranges and weights."""
        return np.array([reduce(getattr, knob.split("."), kind) for kind in self.kinds])

    def kind_number(self, name: str) -> int:
        """Position of a kind."""
        return [kind.name for kind in self.kinds].index(name)

    @property
    def n_days(self) -> int:
        """Days that `simulate` writes: history and nights."""
        return self.arguments.history_days + self.arguments.n_nights

    @property
    def epoch(self) -> int:
        """Midnight before day 0, microseconds since 1970."""
        first = FIRST_NIGHT - timedelta(days=self.arguments.history_days)
        return int((datetime.combine(first, datetime.min.time()) - datetime(1970, 1, 1)) // timedelta(microseconds=1))

    def midnight(self, day: int) -> int:
        """Start of a day, by its number."""
        return self.epoch + day * DAY_US

    def date_of(self, day: int) -> date:
        """Calendar date of a day."""
        return FIRST_NIGHT + timedelta(days=day - self.arguments.history_days)

    def day_of_night(self, night: int) -> int:
        """Number of a night's day; nights count from 1."""
        return self.arguments.history_days + night - 1

    @property
    def key(self) -> int:
        """Key of the names and of what is settled by hash."""
        return int(np.random.SeedSequence([self.arguments.seed, 0x52]).generate_state(1)[0])

    def chance(self, what: str, day: int = -1) -> np.random.Generator:
        """A source of random numbers of its own for every use, so that one draw more shifts no other."""
        return np.random.default_rng([self.arguments.seed, day + 1, *what.encode()])


def write_world(world: World, folder: Path, **facts: object) -> None:
    """Write world.json: the arguments, and what else a reader wants to know. It appears whole."""
    content = {"format": FORMAT, "arguments": asdict(world.arguments), **facts}
    partial = folder / "world.json.tmp"
    partial.write_text(json.dumps(content, indent=1, default=str) + "\n")
    partial.replace(folder / "world.json")


def read_world(folder: Path) -> World:
    """The world that lies in a folder.

    Raises:
        RingwatchError: there is none, or another version of this program made it.
    """
    try:
        content = json.loads((folder / "world.json").read_text())
        arguments = Arguments(**content["arguments"])
    except FileNotFoundError:
        raise RingwatchError(f"{folder} holds no world: make one with `ringwatch simulate --out {folder}`.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise RingwatchError(f"{folder / 'world.json'} cannot be read ({error}): simulate the world anew.") from None
    if content["format"] != FORMAT:
        raise RingwatchError(f"{folder} was simulated by another version of ringwatch: simulate it anew.")
    return World(arguments)
