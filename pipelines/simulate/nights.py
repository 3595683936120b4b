"""Plays a world day by day and writes what upstream systems would deliver, and the truth beside it.

WORLD/landing/        the landing zone, a partition a day
WORLD/truth.parquet   who is fake, in which campaign and group, and since when
WORLD/world.json      the arguments, and what each campaign is
WORLD/state.npz       what `--continue` goes on from

A day is a function of the state before it and of the arguments, and the state is replaced last: a day that was broken
off is written again as it was.
"""

import logging
import shutil
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.signals import ACCOUNTS, DEVICE_EVENTS, IP_EVENTS, LABELS, PAYMENTS, USAGE_EVENTS
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.simulate.events import landing as files
from ringwatch.pipelines.simulate.events.activity import acting_accounts, usage
from ringwatch.pipelines.simulate.events.labelling import decide_labels, labels_of
from ringwatch.pipelines.simulate.events.payments import payments_of
from ringwatch.pipelines.simulate.events.recording import recorded_addresses, recorded_tables
from ringwatch.pipelines.simulate.events.sightings import address_sightings, device_sightings, sign_up
from ringwatch.pipelines.simulate.framing import add_framing
from ringwatch.pipelines.simulate.knobs.scenarios import SCENARIOS
from ringwatch.pipelines.simulate.population.groups import crowd_groups
from ringwatch.pipelines.simulate.population.holdings import renew
from ringwatch.pipelines.simulate.population.networks import public_networks
from ringwatch.pipelines.simulate.population.people import plan
from ringwatch.pipelines.simulate.population.state import Accounts, Disputes, Labels, State, load_state, save_state
from ringwatch.pipelines.simulate.population.world import Arguments, World, read_world, write_world
from ringwatch.pipelines.simulate.reaction import enforce, pivot_when_due, read_banned
from ringwatch.pipelines.simulate.truth import campaigns_of, truth_table

_log = logging.getLogger(__name__)

_PLANNED_DAYS = 400.0  # how far back the sign-ups of a world go
_FURTHER_DAYS, _GROWTH = 30.0, 0.12  # what `--continue` plans at a time, and the accounts it brings, as a share


@dataclass(frozen=True)
class Simulated:
    """What a call wrote."""

    world: str
    first_day: str
    first_night: str
    last_night: str
    accounts: int
    fakes: int
    campaigns: int
    rows: dict[str, int]


def simulate(arguments: Arguments, out: Path) -> Simulated:
    """Make a world in a folder; the same arguments give the same bytes.

    Raises:
        RingwatchError: no world can be made of the arguments, or something else lies in the folder.
    """
    world = World(arguments)
    _make_room(out)
    state = _first_state(world)
    _log.info("planning who there is")
    plan(world, state, n_accounts=arguments.n_accounts, window_days=_PLANNED_DAYS)
    rows: dict[str, int] = {}
    for day in range(world.n_days):
        _log.info("day %s of %s", day + 1, world.n_days)
        _play(world, state, out, np.empty(0, dtype=np.int64), rows)
    simulated = _finish(world, state, out, rows, first_day=0)
    if SCENARIOS[arguments.scenario].is_framed:
        added = add_framing(out, world.date_of(state.day - 1), seed=arguments.seed)
        simulated = replace(
            simulated,
            accounts=simulated.accounts + added["accounts"],
            fakes=simulated.fakes + added["accounts"],
            rows={name: n_rows + added.get(name, 0) for name, n_rows in simulated.rows.items()},
        )
    return simulated


def continue_world(folder: Path, ban_list: Path | None) -> Simulated:
    """Append the next night, in which the accounts on a published ban list are silent and campaigns answer.

    Args:
        folder: a world that `simulate` made.
        ban_list: ban_list.csv in force; None: the one before stays in force.

    Raises:
        RingwatchError: there is no world, or the ban list cannot be read or is of another one.
    """
    world = read_world(folder)
    state = load_state(folder / "state.npz")
    if world.midnight(state.day + 1) > state.planned_until:
        n_further = max(1, round(_GROWTH * world.arguments.n_accounts))
        plan(world, state, n_accounts=n_further, window_days=_FURTHER_DAYS)
    changed = np.empty(0, dtype=np.int64)
    if ban_list is not None:
        _log.info("putting %s in force", ban_list)
        changed = enforce(world, state, _banned(world, state, read_banned(ban_list), ban_list), state.day)
    rows: dict[str, int] = {}
    first_day = state.day
    _log.info("night of %s", world.date_of(first_day))
    _play(world, state, folder, changed, rows)
    return _finish(world, state, folder, rows, first_day=first_day)


def _make_room(out: Path) -> None:
    """Take away a former world of this folder, and nothing else."""
    if out.exists() and any(out.iterdir()):
        if not (out / "world.json").exists():
            raise RingwatchError(f"{out} is not empty and holds no world: give another folder to --out.")
        shutil.rmtree(out / "landing", ignore_errors=True)
        for name in ("world.json", "truth.parquet", "state.npz"):
            (out / name).unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)


def _first_state(world: World) -> State:
    ints = np.empty(0, dtype=np.int64)
    floats, bools, slots = np.empty(0), np.empty(0, dtype=bool), np.empty((0, 3), dtype=np.int64)
    accounts = Accounts(
        ints, ints, ints, ints, ints, ints, ints, ints, ints, floats, floats, ints, slots, slots, slots, slots, ints,
        ints, bools, ints, ints, ints, ints, bools,
    )  # fmt: skip
    planned_from = world.midnight(world.n_days) - round(_PLANNED_DAYS * 86_400_000_000)
    return State(
        accounts,
        crowd_groups(world),
        public_networks(world),
        Labels(ints, bools, ints, ints, floats),
        Disputes(ints, ints, floats, ints),
        planned_until=planned_from,
        day=0,
    )


def _play(world: World, state: State, out: Path, changed: np.ndarray, n_rows: dict[str, int]) -> None:
    """One day: state and landing zone go on by it. `changed` accounts are delivered again, `n_rows` is added to."""
    day, accounts = state.day, state.accounts
    begin, end = world.midnight(day), world.midnight(day + 1)
    pivot_when_due(world, state, day)
    signs_up = np.flatnonzero((accounts.created < end) & ((accounts.created >= begin) | (day == 0)))
    sign_up(world, state, signs_up, day)
    acting = acting_accounts(world, state, day)
    rng = world.chance("renewals", day)
    for stock in ("devices", "templates"):
        renew(world, state, stock, acting.rows[acting.is_own_life], rng)
    used = usage(world, state, acting, day)
    at_addresses = address_sightings(world, state, acting, used, day)
    on_devices = device_sightings(world, state, acting, used, day)
    _note_first_activity(state, acting.rows[acting.is_own_life], at_addresses.rows, at_addresses.first)
    payments = payments_of(world, state, day)
    decide_labels(world, state, acting, used, day)
    labels = labels_of(world, state, day)
    closing = (accounts.leaves >= begin) & (accounts.leaves < end) & (accounts.created < begin)
    closes = np.flatnonzero(closing & files.is_closed(world, accounts.leaves, np.arange(len(accounts)), day))
    tables = {
        ACCOUNTS: files.account_rows(world, state, np.unique(np.concatenate([signs_up, closes, changed])), day),
        PAYMENTS: files.payment_rows(world, state, payments, day),
        IP_EVENTS: files.address_rows(world, state, recorded_addresses(world, state, at_addresses, day)),
        DEVICE_EVENTS: files.device_rows(world, on_devices),
        USAGE_EVENTS: files.usage_rows(world, acting, used, day),
        LABELS: files.label_rows(world, labels),
    }
    tables = recorded_tables(world, tables)
    files.write_signals(tables, out / "landing", world.date_of(day))
    for signal, table in tables.items():
        n_rows[signal.name] = n_rows.get(signal.name, 0) + table.num_rows
    state.day = day + 1


def _note_first_activity(state: State, own: np.ndarray, rows: np.ndarray, first: np.ndarray) -> None:
    is_own = np.zeros(len(state.accounts), dtype=bool)
    is_own[own] = True
    earliest = np.full(len(state.accounts), np.iinfo(np.int64).max)
    np.minimum.at(earliest, rows, first // 1_000_000 * 1_000_000)
    mine = np.where(is_own, earliest, np.iinfo(np.int64).max)
    state.accounts.first_active = np.minimum(state.accounts.first_active, mine)


def _finish(world: World, state: State, out: Path, rows: dict[str, int], *, first_day: int) -> Simulated:
    """Write truth, state and world.json: what lies there then belongs together."""
    truth = truth_table(world, state, world.midnight(state.day))
    files.write_whole(truth, out / "truth.parquet")
    save_state(state, out / "state.npz")
    last = world.date_of(state.day - 1)
    first_night = world.date_of(world.arguments.history_days)
    campaigns = campaigns_of(world, state, truth)
    write_world(world, out, first_day=world.date_of(0), first_night=first_night, last_night=last, campaigns=campaigns)
    return Simulated(
        str(out),
        str(world.date_of(first_day)),
        str(first_night),
        str(last),
        truth.num_rows,
        int(pc.sum(truth["is_fake"]).as_py() or 0),
        len(campaigns),
        rows,
    )


def _banned(world: World, state: State, ids: list[str], ban_list: Path) -> np.ndarray:
    """`[n_accounts] bool`: who is on the list."""
    known = files.account_ids(world, np.arange(len(state.accounts)))
    rows = pc.index_in(pa.array(ids, pa.string()), value_set=known)
    if rows.null_count:
        raise RingwatchError(
            f"{ban_list} bans {rows.null_count} accounts that this world does not have: give a list that was published"
            " from its own landing zone."
        )
    banned = np.zeros(len(state.accounts), dtype=bool)
    banned[rows.to_numpy()] = True
    return banned


def nights_of(folder: Path) -> tuple[date, date, date]:
    """First day, first night and last night of a world."""
    world, state = read_world(folder), load_state(folder / "state.npz")
    return world.date_of(0), world.date_of(world.arguments.history_days), world.date_of(state.day - 1)
