"""What happens on one day: who is active, and what they ask for."""

from dataclasses import dataclass

import numpy as np

from ringwatch.pipelines.simulate.knobs.declaration import TASKS
from ringwatch.pipelines.simulate.population.draws import choose
from ringwatch.pipelines.simulate.population.names import mix, uniform
from ringwatch.pipelines.simulate.population.state import DAY_US, HOUR_US, N_SLOTS, State
from ringwatch.pipelines.simulate.population.world import COUNTRIES, World

MODELS = ("m-standard", "m-small", "m-next")
_N_MODELS_BEFORE = 2
# Hours of people's days, local time: mornings and evenings.
_BY_HOUR = np.cumsum(
    np.array([2, 1, 1, 0.5, 0.5, 1, 2, 4, 7, 9, 9, 8, 7, 8, 9, 9, 8, 7, 6, 6, 7, 7, 6, 4], float) / 129.0
)
_TOKENS_IN = np.array([250.0, 1800.0, 900.0, 500.0, 2200.0, 3500.0, 400.0])  # medians a request, by task
_TOKENS_OUT = np.array([300.0, 700.0, 250.0, 1300.0, 160.0, 600.0, 250.0])


@dataclass(frozen=True)
class Acting:
    """The accounts active on a day, and the life that each leads on it: a bought account's may be another's."""

    rows: np.ndarray  # [n] int64, rows of accounts
    kind: np.ndarray  # [n] int64
    group: np.ndarray  # [n] int64
    is_own_life: np.ndarray  # [n] bool, not that of a former owner
    earliest: np.ndarray  # [n] int64, hour of the day before which the account did not exist or act


@dataclass(frozen=True)
class Usage:
    """Rows of usage, `[n]` each; `acting` counts in an `Acting`."""

    acting: np.ndarray
    hour: np.ndarray
    task: np.ndarray
    template: np.ndarray
    model: np.ndarray
    n_requests: np.ndarray
    n_input_tokens: np.ndarray
    n_output_tokens: np.ndarray


def acting_accounts(world: World, state: State, day: int) -> Acting:
    """Who is active on a day."""
    accounts, rng = state.accounts, world.chance("acting", day)
    begin, end = world.midnight(day), world.midnight(day + 1)
    is_here = (accounts.starts < end) & (accounts.leaves >= end) & (accounts.banned >= end)
    rows = np.flatnonzero(is_here)
    is_own = accounts.turns[rows] < begin
    person = world.kind_number("person")
    kind = np.where(is_own, accounts.kind[rows], person)
    group = np.where(is_own, accounts.group[rows], person)
    is_weekend = world.date_of(day).weekday() >= 5
    chance = accounts.activity[rows] * (world.of("work.weekend")[kind] if is_weekend else 1.0)
    chance = chance * _surge(world, kind, day)
    is_new = (accounts.starts[rows] >= begin) | ((accounts.turns[rows] >= begin - DAY_US) & is_own)
    chance = np.where(is_new, 0.85, np.minimum(chance, 0.97))
    keep = rng.random(rows.size) < chance
    rows, kind, group, is_own = rows[keep], kind[keep], group[keep], is_own[keep]
    earliest = np.maximum(accounts.starts[rows] - begin, 0) // HOUR_US
    return Acting(rows, kind, group, is_own, earliest)


def _surge(world: World, kind: np.ndarray, day: int) -> np.ndarray:
    """Factor on activity, `[n]`: more of it after a launch that the scenario makes much of."""
    scenario = world.scenario
    is_after = day >= world.day_of_night(scenario.launch_night)
    extra = (scenario.launch_surge - 1) * world.of("work.surges")[kind]
    return 1.0 + extra if is_after else np.ones(kind.size)


def usage(world: World, state: State, acting: Acting, day: int) -> Usage:
    """What the accounts ask for, one row for each hour, task, template and model."""
    accounts, groups, rng = state.accounts, state.groups, world.chance("usage", day)
    mean_hours = world.of("work.hours")[acting.kind] * groups.hours[acting.group]
    n_hours = np.minimum(1 + rng.poisson(np.maximum(mean_hours - 1, 0.05)), 20)
    of = np.repeat(np.arange(acting.rows.size), n_hours)  # [n_rows], into `acting`
    rows, kind, group = acting.rows[of], acting.kind[of], acting.group[of]
    hour = np.maximum(_hours(world, acting, of, accounts.country[rows], day, rng), acting.earliest[of])
    task = choose(groups.tasks[group], rng)
    template = _templates(world, state, acting, of, rng)
    model = _models(world, kind, day, rng)
    requests = accounts.requests[rows] * np.exp(rng.normal(0, 0.7, of.size))
    n_requests = np.maximum(1, np.rint(np.minimum(requests, 5000))).astype(np.int64)
    tokens = np.exp(rng.normal(0, 0.6, (2, of.size)))
    rows_ = Usage(
        of,
        hour,
        task,
        template,
        model,
        n_requests,
        np.rint(n_requests * _TOKENS_IN[task] * tokens[0]).astype(np.int64),
        np.rint(n_requests * _TOKENS_OUT[task] * tokens[1]).astype(np.int64),
    )
    return _summed(rows_)


def _hours(
    world: World, acting: Acting, of: np.ndarray, country: np.ndarray, day: int, rng: np.random.Generator
) -> np.ndarray:
    """Hours of the day, UTC: of people where they live, of machines at any time, of a group that works together."""
    kind, n = acting.kind[of], of.size
    local = np.searchsorted(_BY_HOUR, rng.random(n))
    ahead = np.array([offset for _, _, offset in COUNTRIES])[country]
    # Early birds and night owls: each account's day is shifted by its own hours.
    shift = np.rint(4 * uniform(acting.rows[of], world.key + 3) - 2).astype(np.int64)
    people = (local - ahead + shift) % 24
    machine = rng.integers(0, 24, n)
    shared = (mix(acting.group[of] * 4096 + day, world.key + 4) % np.uint64(24)).astype(np.int64)
    together = (shared + rng.integers(0, 2, n)) % 24
    u = rng.random(n)
    is_together = u < world.of("work.together")[kind]
    is_machine = ~is_together & (rng.random(n) < world.of("work.clock")[kind])
    return np.asarray(np.select([is_together, is_machine], [together, machine], people))


def _templates(world: World, state: State, acting: Acting, of: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    slot = np.minimum((rng.random(of.size) ** 2 * N_SLOTS).astype(np.int64), N_SLOTS - 1)
    held = state.accounts.templates[acting.rows[of]]
    code = held[np.arange(of.size), slot]
    code = np.where(code >= 0, code, held[:, 0])
    is_templated = rng.random(of.size) < world.of("work.templated")[acting.kind[of]]
    return np.where(is_templated & acting.is_own_life[of], code, -1)


def _models(world: World, kind: np.ndarray, day: int, rng: np.random.Generator) -> np.ndarray:
    old = (rng.random(kind.size) < 0.4).astype(np.int64)
    since = day - world.day_of_night(world.scenario.launch_night)
    if since < 0:
        return old
    first_day = world.of("work.new_model_first_day")[kind]
    moved = first_day + (0.6 - np.minimum(first_day, 0.6)) * (1 - np.exp(-since / 12))
    return np.where(rng.random(kind.size) < moved, _N_MODELS_BEFORE, old)


def _summed(rows: Usage) -> Usage:
    """Rows with one key made one: a key holds a template's number among those of the day."""
    template, number = np.unique(rows.template, return_inverse=True)
    key = ((rows.acting * 24 + rows.hour) * template.size + number) * len(TASKS) + rows.task
    _, first, place = np.unique(key * len(MODELS) + rows.model, return_index=True, return_inverse=True)
    total = [
        np.bincount(place, n).astype(np.int64) for n in (rows.n_requests, rows.n_input_tokens, rows.n_output_tokens)
    ]
    return Usage(
        rows.acting[first], rows.hour[first], rows.task[first], rows.template[first], rows.model[first], *total
    )
