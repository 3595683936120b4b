"""What the platform records of a day: it may lack whole signals, contacts, and most sessions' addresses."""

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import pyarrow as pa

from ringwatch.graph_schema.signals import ACCOUNTS, Signal
from ringwatch.pipelines.simulate.events.sightings import Sightings
from ringwatch.pipelines.simulate.population.names import uniform
from ringwatch.pipelines.simulate.population.networks import cloud_network
from ringwatch.pipelines.simulate.population.state import State
from ringwatch.pipelines.simulate.population.world import World

_CONTACTS = ("email_hash", "email_domain", "phone_hash")


def recorded_addresses(world: World, state: State, seen: Sightings, day: int) -> Sightings:
    """The addresses of a day as they are logged: some of nobody, some that of the platform's own gateway."""
    logging = world.scenario.logging
    if logging.addresses == 1.0 and not logging.gateway_sessions:
        return seen
    of_day = seen.rows * 4096 + day
    is_known = uniform(of_day, world.key + 50) < logging.addresses
    is_gateway_day = uniform(np.array([day]), world.key + 51)[0] < logging.gateway_days
    is_gateway = uniform(of_day, world.key + 52) < (logging.gateway_sessions if is_gateway_day else 0.0)
    gateway = state.networks.base[cloud_network(np.zeros(1))[0]]
    codes = np.where(is_gateway, gateway, seen.code)
    rows = np.flatnonzero(is_known)
    _, first = np.unique(np.stack([seen.rows[rows], codes[rows]]), axis=1, return_index=True)
    kept = rows[np.sort(first)]
    columns = {field.name: getattr(seen, field.name)[kept] for field in fields(Sightings)}
    return Sightings(**columns | {"code": codes[kept]})


def recorded_tables(world: World, tables: Mapping[Signal, pa.Table]) -> dict[Signal, pa.Table]:
    """A day's tables without what the platform does not have."""
    absent = world.scenario.logging.absent
    found = {signal: table.slice(0, 0) if signal.name in absent else table for signal, table in tables.items()}
    if "contacts" in absent:
        found[ACCOUNTS] = _without_contacts(found[ACCOUNTS])
    return found


def _without_contacts(accounts: pa.Table) -> pa.Table:
    for name in _CONTACTS:
        place = accounts.schema.get_field_index(name)
        accounts = accounts.set_column(place, name, pa.nulls(len(accounts), accounts.schema.field(name).type))
    return accounts
