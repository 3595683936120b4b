"""How campaigns answer: on a schedule of their own, and to bans. Who is banned falls silent."""

import csv
from dataclasses import fields
from pathlib import Path

import numpy as np

from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.simulate.events.labelling import hear_appeals
from ringwatch.pipelines.simulate.population.groups import open_networks
from ringwatch.pipelines.simulate.population.holdings import draw, draw_all
from ringwatch.pipelines.simulate.population.state import DAY_US, HOUR_US, N_SLOTS, NEVER, Accounts, State
from ringwatch.pipelines.simulate.population.world import World

_REPLACED_ON_PIVOT = 0.5  # share of a group's devices and cards that a change of infrastructure replaces


def pivot_when_due(world: World, state: State, day: int) -> None:
    """Campaigns that change their infrastructure from time to time do so when the day has come."""
    groups = state.groups
    due = np.flatnonzero(groups.pivots < world.midnight(day + 1))
    groups.pivots[due] += (groups.pivot_days[due] * DAY_US).astype(np.int64)
    _pivot(world, state, due, world.chance("pivots", day))


def read_banned(file: Path) -> list[str]:
    """Account ids that a published ban_list.csv bans.

    Raises:
        RingwatchError: the file is missing, or is no ban list.
    """
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
            return [row["account_id"].removeprefix("'") for row in rows if row["action"] == "ban"]
    except (OSError, KeyError, ValueError) as error:
        raise RingwatchError(
            f"{file} cannot be read as a ban list ({error!r}): give a ban_list.csv that `ban-list publish` wrote."
        ) from None


def enforce(world: World, state: State, banned: np.ndarray, day: int) -> np.ndarray:
    """Put a ban list in force from a day on, and let those concerned answer.

    Args:
        world: whose accounts.
        state: changed.
        banned: `[n_accounts] bool`, the whole list in force.
        day: the first day on which it holds.

    Returns:
        Rows of accounts whose status changed: newly banned, or no longer.
    """
    accounts = state.accounts
    was_banned = accounts.banned < NEVER
    newly = np.flatnonzero(banned & ~was_banned)
    lifted = np.flatnonzero(was_banned & ~banned)
    accounts.banned[newly] = world.midnight(day)
    accounts.banned[lifted] = NEVER
    hear_appeals(world, state, newly, day)
    rng = world.chance("reaction", day)
    _flee(world, state, newly, day, rng)
    _replace(world, state, newly, day, rng)
    return np.sort(np.concatenate([newly, lifted]))


def _flee(world: World, state: State, newly: np.ndarray, day: int, rng: np.random.Generator) -> None:
    """Campaigns of which many accounts were banned at once change everything they share."""
    accounts, groups = state.accounts, state.groups
    is_active = (accounts.first_active < NEVER) & (accounts.leaves >= world.midnight(day))
    is_active &= (accounts.banned == NEVER) | (accounts.banned == world.midnight(day))
    n_active = np.bincount(accounts.group[is_active], minlength=len(groups))
    n_newly = np.bincount(accounts.group[newly], minlength=len(groups))
    # By campaign: its groups learn of each other.
    _, campaign = np.unique(np.stack([groups.kind, groups.campaign]), axis=1, return_inverse=True)
    lost = np.bincount(campaign, n_newly) / np.maximum(np.bincount(campaign, n_active), 1)
    flees = (lost[campaign] >= world.of("flees_at")[groups.kind]) & (groups.campaign > 0)
    _pivot(world, state, np.flatnonzero(flees), rng)


def _pivot(world: World, state: State, rows: np.ndarray, rng: np.random.Generator) -> None:
    """Groups, by row, take another network and other templates, and replace half of their devices and cards."""
    accounts = state.accounts
    state.groups.generation[rows] += 1
    open_networks(world, state, rows)
    members = np.flatnonzero(np.isin(accounts.group, rows))
    accounts.renewals[members] += 1
    for stock, share in (("templates", 1.0), ("devices", _REPLACED_ON_PIVOT), ("cards", _REPLACED_ON_PIVOT)):
        held = getattr(accounts, stock)
        for slot in range(N_SLOTS):
            who = members[(held[members, slot] >= 0) & (rng.random(members.size) < share)]
            held[who, slot] = draw(world, state, stock, who, slot, rng)


def _replace(world: World, state: State, newly: np.ndarray, day: int, rng: np.random.Generator) -> None:
    """New accounts for banned ones, within the day, on what the group now shares."""
    accounts = state.accounts
    fakes = newly[world.of("is_fake")[accounts.kind[newly]] & ~accounts.was_replaced[newly]]
    accounts.was_replaced[fakes] = True
    models = fakes[rng.random(fakes.size) < world.of("replaced")[accounts.kind[fakes]]]
    fresh = Accounts(**{field.name: getattr(accounts, field.name)[models].copy() for field in fields(Accounts)})
    n, first = models.size, len(accounts)
    fresh.created = world.midnight(day) + (rng.random(n) * 20 * HOUR_US).astype(np.int64)
    fresh.starts = fresh.created + (rng.random(n) * HOUR_US).astype(np.int64)
    fresh.pays = fresh.starts + (rng.random(n) * DAY_US).astype(np.int64)
    stays = rng.exponential(1 / np.maximum(world.of("joining.leave_per_day")[fresh.kind], 1e-9))
    fresh.leaves = fresh.starts + np.minimum(stays * DAY_US, 2**60).astype(np.int64)
    fresh.turns = np.zeros(n, dtype=np.int64)
    fresh.home = first + np.arange(n)
    fresh.referrer, fresh.signup_ip = np.full(n, -1), np.full(n, -1)
    fresh.renewals = np.zeros(n, dtype=np.int64)
    fresh.first_active, fresh.banned = np.full(n, NEVER), np.full(n, NEVER)
    fresh.was_replaced = np.zeros(n, dtype=bool)
    for stock in ("devices", "cards", "templates", "phones"):
        setattr(fresh, stock, np.full((n, N_SLOTS), -1, dtype=np.int64))
    accounts.append(fresh)
    draw_all(world, state, np.arange(first, first + n), rng)
