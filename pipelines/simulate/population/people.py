"""Who there is: accounts, planned for a span of time. People and campaigns come from the same code."""

import numpy as np

from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.simulate.knobs.declaration import ALONE
from ringwatch.pipelines.simulate.population.draws import choose, cumulated, log_even
from ringwatch.pipelines.simulate.population.groups import (
    make_groups,
    settle_networks,
    settle_templates,
    shares_of_kinds,
)
from ringwatch.pipelines.simulate.population.holdings import draw_all, draw_domains
from ringwatch.pipelines.simulate.population.names import uniform
from ringwatch.pipelines.simulate.population.state import DAY_US, NEVER, Accounts, Groups, State
from ringwatch.pipelines.simulate.population.world import COUNTRIES, World

_RECENT = 1.25  # sign-ups of a platform that grows: the last month of 400 days has an eighth of them
_SURGE_SHARE = 0.04  # of the accounts without a group: about as many as sign up in a week anyway
_SHARE_OF_NEW_COUNTRY = 0.35


def plan(world: World, state: State, *, n_accounts: int, window_days: float) -> None:
    """Add accounts that sign up within a window, exactly as many; the window begins where the plan so far ends."""
    until = state.planned_until + round(window_days * DAY_US)
    block = state.planned_until // DAY_US
    rng = world.chance("plan", int(block))
    first_group = len(state.groups)
    groups = make_groups(world, state, n_accounts, rng)
    state.groups.append(groups)
    settle_networks(world, state, first_group, rng)
    settle_templates(world, state, first_group)
    in_groups = np.repeat(np.arange(first_group, len(state.groups)), groups.size)[:n_accounts]
    alone = _alone(world, n_accounts - in_groups.size, rng)
    group = np.concatenate([in_groups, alone])  # an account without a group lies in its kind's crowd
    accounts = _accounts(world, state, group, until, window_days, rng)
    state.accounts.append(accounts)
    draw_all(world, state, np.arange(len(state.accounts) - n_accounts, len(state.accounts)), rng)
    state.planned_until = until


def _alone(world: World, n: int, rng: np.random.Generator) -> np.ndarray:
    """Crowds of `n` accounts without a group."""
    is_alone = np.array([kind.group_size == ALONE for kind in world.kinds])
    shares = np.where(is_alone, shares_of_kinds(world), 0.0)
    if shares.sum() == 0:
        raise RingwatchError("every kind without a group has the share 0: leave `person` some, to fill the world up.")
    return np.asarray(rng.choice(len(world.kinds), size=n, p=shares / shares.sum()))


def _accounts(
    world: World, state: State, group: np.ndarray, until: int, window_days: float, rng: np.random.Generator
) -> Accounts:
    n, groups = group.size, state.groups
    kind, first = groups.kind[group], len(state.accounts)
    created = until - (_days_before(world, groups, group, window_days, rng) * DAY_US).astype(np.int64)
    country = _countries(world, groups, group, rng)
    _drift(world, groups, group, until, created, country, rng)
    lag = log_even(world.of("joining.dormant_days")[kind], rng)
    leave = world.of("joining.leave_per_day")[kind]
    stays = rng.exponential(1 / np.maximum(leave, 1e-9))
    starts = created + (lag * DAY_US).astype(np.int64)
    is_bought = rng.random(n) < world.of("joining.bought")[kind]
    plans = cumulated(world.of("paying.plans"))[kind]
    active = log_even(world.of("work.active")[kind], rng)
    requests = world.of("work.requests")[kind] * np.exp(rng.normal(0, world.of("work.spread")[kind]))
    none = np.full((n, 3), -1, dtype=np.int64)
    return Accounts(
        kind=kind,
        group=group,
        country=country,
        plan=choose(plans, rng),
        created=created,
        # A bought account was somebody's before, from its sign-up on.
        starts=np.where(is_bought, created + (0.1 * DAY_US * rng.random(n)).astype(np.int64), starts),
        turns=np.where(is_bought, starts, 0),
        pays=starts + (log_even(world.of("paying.from_days")[kind], rng) * DAY_US).astype(np.int64),
        leaves=starts + np.minimum(stays * DAY_US, 2**60).astype(np.int64),
        activity=np.minimum(active, 0.95),
        requests=requests,
        home=_homes(world, groups, first, group),
        devices=none.copy(),
        cards=none.copy(),
        templates=none.copy(),
        phones=none.copy(),
        domain=draw_domains(world, group, kind, first + np.arange(n), rng),
        referrer=_referrers(world, first, group, kind, created, rng),
        has_organization=(rng.random(n) < world.of("organization")[kind]) & groups.is_group[group],
        signup_ip=np.full(n, -1),
        renewals=np.zeros(n, dtype=np.int64),
        first_active=np.full(n, NEVER),
        banned=np.full(n, NEVER),
        was_replaced=np.zeros(n, dtype=bool),
    )


def _days_before(
    world: World, groups: Groups, group: np.ndarray, window_days: float, rng: np.random.Generator
) -> np.ndarray:
    """Days between each account's sign-up and the end of the window, `[n]`: a group's begin together, then trickle."""
    low, high = np.minimum(world.of("joining.since_days")[groups.kind], window_days).T  # [g]
    since_group = low + (high - low) * rng.random(len(groups)) ** _RECENT
    since_alone = low[group] + (high - low)[group] * rng.random(group.size) ** _RECENT
    since = np.where(groups.is_group[group], since_group[group], since_alone)
    within_group = np.minimum(log_even(world.of("joining.within_days")[groups.kind], rng), since_group)
    joined_after = np.where(groups.is_group[group], rng.random(group.size) * within_group[group], 0.0)
    return np.asarray(np.maximum(since - joined_after, 1e-5))


def _countries(world: World, groups: Groups, group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    shares = [share for _, share, _ in COUNTRIES]
    anywhere = rng.choice(len(COUNTRIES), size=group.size, p=shares)
    abroad = rng.random(group.size) < world.of("place.abroad")[groups.kind[group]]
    return np.where(groups.is_group[group] & ~abroad, groups.country[group], anywhere)


def _drift(
    world: World, groups: Groups, group: np.ndarray, until: int, created: np.ndarray, country: np.ndarray,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Let a launch draw sign-ups, and a new country join, where the scenario has them. Changes its last two arrays."""
    scenario = world.scenario
    is_alone = ~groups.is_group[group]
    launch = world.midnight(world.day_of_night(scenario.launch_night))
    drawn = is_alone & (rng.random(group.size) < _SURGE_SHARE * (scenario.launch_surge - 1)) & (launch < until)
    created[drawn] = launch + (rng.random(drawn.sum()) * max(until - launch, 0)).astype(np.int64)
    if scenario.country_night is not None:
        opened = world.midnight(world.day_of_night(scenario.country_night))
        joins = is_alone & (created >= opened) & (rng.random(group.size) < _SHARE_OF_NEW_COUNTRY)
        country[joins] = len(COUNTRIES) - 1


def _homes(world: World, groups: Groups, first: int, group: np.ndarray) -> np.ndarray:
    """Household of each new account: its own, or that of the first one of its group, `[n] int64`."""
    rows = first + np.arange(group.size)
    _, first_of, place = np.unique(group, return_index=True, return_inverse=True)
    is_there = uniform(rows, world.key + 17) < world.of("place.one_home")[groups.kind[group]]
    return np.where(is_there & groups.is_group[group], rows[first_of[place]], rows)


def _referrers(
    world: World, first: int, group: np.ndarray, kind: np.ndarray, created: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Row of an account that came before in the same group, or of anybody's for those without; -1 for most."""
    order = np.lexsort((created, group))
    start = np.searchsorted(group[order], group[order], side="left")
    place = np.arange(order.size)
    earlier = start + ((place - start) * rng.random(order.size)).astype(np.int64)
    chosen = np.where(place > start, first + order[earlier], -1)
    referrer = np.empty(order.size, dtype=np.int64)
    referrer[order] = chosen
    referrer = np.where(rng.random(group.size) < world.of("joining.referred")[kind], referrer, -1)
    return _by_strangers(world, referrer, first, kind, created)


def _by_strangers(world: World, referrer: np.ndarray, first: int, kind: np.ndarray, created: np.ndarray) -> np.ndarray:
    """Let some accounts have used the code of an ordinary person who came before them."""
    rows = first + np.arange(kind.size)
    is_chosen = uniform(rows, world.key + 18) < world.of("joining.by_strangers")[kind]
    ordinary = np.flatnonzero(kind == world.kind_number("person"))
    if not is_chosen.any() or not ordinary.size:
        return referrer
    someone = ordinary[(uniform(rows, world.key + 19) * ordinary.size).astype(np.int64)]
    return np.where(is_chosen & (created[someone] < created), first + someone, referrer)
