"""What a world is between two days: columns of accounts, groups and networks, and what is still to come."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np

NEVER = np.iinfo(np.int64).max
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
N_SLOTS = 3  # identifiers of one sort that an account holds at once

Rows = TypeVar("Rows", bound="Columns")


@dataclass
class Columns:
    """Arrays of equal length, one row an entity."""

    def __len__(self) -> int:
        """Number of rows."""
        return len(getattr(self, fields(self)[0].name))

    def append(self, other: "Columns") -> None:
        """Add rows at the end."""
        for field in fields(self):
            setattr(self, field.name, np.concatenate([getattr(self, field.name), getattr(other, field.name)]))

    def take(self: Rows, rows: np.ndarray) -> Rows:
        """Some rows, by number or mask."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass
class Accounts(Columns):
    """Every account that has signed up or is to; times in microseconds since 1970, UTC."""

    kind: np.ndarray  # [n] int64, in the scenario's kinds
    group: np.ndarray  # [n] int64
    country: np.ndarray  # [n] int64
    plan: np.ndarray  # [n] int64, in PLANS
    created: np.ndarray  # [n] int64
    starts: np.ndarray  # [n] int64, first activity at the earliest
    turns: np.ndarray  # [n] int64, until when a bought account lives its former owner's life; else 0
    pays: np.ndarray  # [n] int64, when it adds its first instrument, if it is to pay at all
    leaves: np.ndarray  # [n] int64, when it is used no more
    activity: np.ndarray  # [n] float64, share of days on which it is active
    requests: np.ndarray  # [n] float64, median of requests an hour
    home: np.ndarray  # [n] int64, code of its household
    devices: np.ndarray  # [n, N_SLOTS] int64 codes, -1 for none
    cards: np.ndarray  # [n, N_SLOTS] int64
    templates: np.ndarray  # [n, N_SLOTS] int64
    phones: np.ndarray  # [n, N_SLOTS] int64, of which sign-up gives the first
    domain: np.ndarray  # [n] int64, code of its e-mail domain
    referrer: np.ndarray  # [n] int64, row of the account that referred it, -1 for none
    has_organization: np.ndarray  # [n] bool
    signup_ip: np.ndarray  # [n] int64 code, -1 until it has signed up, and where that is not known
    renewals: np.ndarray  # [n] int64, how often it has taken a new identifier of its own
    first_active: np.ndarray  # [n] int64, first seen in its kind's life; NEVER until then
    banned: np.ndarray  # [n] int64, when the platform shut it out; NEVER if it has not
    was_replaced: np.ndarray  # [n] bool, its campaign has answered its ban


@dataclass
class Groups(Columns):
    """Groups of accounts; each kind also has one row for all of its accounts that belong to none."""

    kind: np.ndarray  # [g] int64
    is_group: np.ndarray  # [g] bool
    number: np.ndarray  # [g] int64, from 1 within the kind
    campaign: np.ndarray  # [g] int64, from 1 within the kind; 0 for ordinary people
    country: np.ndarray  # [g] int64
    size: np.ndarray  # [g] int64
    leader: np.ndarray  # [g] int64, the group whose network it uses, as a rule itself
    templates_of: np.ndarray  # [g] int64, the group whose stock of templates it uses: one for a whole campaign
    network: np.ndarray  # [g] int64 row of its own network, -1 for none
    network_type: np.ndarray  # [g] int64, in NETWORK_TYPES
    n_addresses: np.ndarray  # [g] int64
    n_subnets: np.ndarray  # [g] int64
    generation: np.ndarray  # [g] int64, of its identifiers
    pivots: np.ndarray  # [g] int64, time of the next change, NEVER for none
    pivot_days: np.ndarray  # [g] float64, days between changes
    budget: np.ndarray  # [g] float64, share of what it would share that it buys afresh
    hours: np.ndarray  # [g] float64, factor on the hours of a day
    sources: np.ndarray  # [g, 6] float64, where its traffic comes from, cumulated
    tasks: np.ndarray  # [g, 7] float64, cumulated
    stocks: np.ndarray  # [g, 4] int64, identifiers in its stock: devices, cards, templates, phones


@dataclass
class Networks(Columns):
    """Ranges of addresses: codes from `base` on, aligned to /24."""

    base: np.ndarray  # [k] int64, ascending
    size: np.ndarray  # [k] int64
    type: np.ndarray  # [k] int64, in NETWORK_TYPES
    country: np.ndarray  # [k] int64
    asn: np.ndarray  # [k] int64


@dataclass
class Labels(Columns):
    """Labels that are decided and not yet known."""

    account: np.ndarray  # [n] int64
    is_fake: np.ndarray  # [n] bool
    known: np.ndarray  # [n] int64, when
    source: np.ndarray  # [n] int64, in SOURCES_OF_LABELS
    confidence: np.ndarray  # [n] float64, NaN for none given


@dataclass
class Disputes(Columns):
    """Payments that are to be charged back."""

    account: np.ndarray  # [n] int64
    card: np.ndarray  # [n] int64
    amount: np.ndarray  # [n] float64
    due: np.ndarray  # [n] int64, when


@dataclass
class State:
    """A whole world at the end of a day."""

    accounts: Accounts
    groups: Groups
    networks: Networks
    labels: Labels
    disputes: Disputes
    planned_until: int  # up to when sign-ups are planned
    day: int  # number of the next day; 0 is the first of the history


_TABLES = {"accounts": Accounts, "groups": Groups, "networks": Networks, "labels": Labels, "disputes": Disputes}


def save_state(state: State, file: Path) -> None:
    """Write a world's state; the file appears whole."""
    arrays = {
        f"{name}.{field.name}": getattr(getattr(state, name), field.name)
        for name, table in _TABLES.items()
        for field in fields(table)
    }
    partial = file.with_name(f"{file.name}.tmp")
    with partial.open("wb") as stream:
        np.savez(stream, planned_until=state.planned_until, day=state.day, **arrays)
    partial.replace(file)


def load_state(file: Path) -> State:
    """The state that `save_state` wrote."""
    with np.load(file, allow_pickle=False) as arrays:
        tables = {
            name: table(**{field.name: arrays[f"{name}.{field.name}"] for field in fields(table)})
            for name, table in _TABLES.items()
        }
        return State(**tables, planned_until=int(arrays["planned_until"]), day=int(arrays["day"]))
