"""Where accounts are seen on one day: the addresses they come from, and the devices they use."""

from dataclasses import dataclass

import numpy as np

from ringwatch.pipelines.simulate.events.activity import Acting, Usage
from ringwatch.pipelines.simulate.population.draws import choose
from ringwatch.pipelines.simulate.population.names import mix, uniform
from ringwatch.pipelines.simulate.population.networks import (
    cloud_network,
    home_network,
    home_v6_code,
    mobile_network,
    vpn_network,
)
from ringwatch.pipelines.simulate.population.state import N_SLOTS, State
from ringwatch.pipelines.simulate.population.world import COUNTRIES, World

_HOME, _MOBILE, _GROUP, _VPN, _PROXY, _CLOUD = range(6)
_UNKNOWN_SIGNUP = 0.03
_PROXY_ABROAD = 0.1


@dataclass(frozen=True)
class Sightings:
    """Accounts seen at addresses or on devices, one row each and day, `[n]` each; times in microseconds since 1970."""

    rows: np.ndarray
    code: np.ndarray
    first: np.ndarray
    last: np.ndarray
    n_events: np.ndarray


def address_sightings(world: World, state: State, acting: Acting, used: Usage, day: int) -> Sightings:
    """The addresses of a day."""
    rng = world.chance("addresses", day)
    n_addresses = np.minimum(1 + rng.poisson(world.of("place.extra")[acting.kind]), 8)
    of = np.repeat(np.arange(acting.rows.size), n_addresses)
    source = choose(state.groups.sources[acting.group[of]], rng)
    codes = address_codes(world, state, acting.rows[of], acting.group[of], source, day, rng)
    return _sightings(world, state, acting, used, of, codes, day, rng)


def device_sightings(world: World, state: State, acting: Acting, used: Usage, day: int) -> Sightings:
    """The devices of a day: mostly an account's first."""
    rng = world.chance("devices", day)
    n = 1 + (rng.random(acting.rows.size) < 0.15)
    of = np.repeat(np.arange(acting.rows.size), n)
    held = state.accounts.devices[acting.rows[of]]
    slot = np.minimum((rng.random(of.size) ** 2 * N_SLOTS).astype(np.int64), N_SLOTS - 1)
    codes = held[np.arange(of.size), slot]
    codes = np.where(codes >= 0, codes, held[:, 0])
    # What a bought account's former owner used, nobody else does.
    codes = np.where(acting.is_own_life[of], codes, (acting.rows[of] << 20) | 7)
    keep = codes >= 0
    return _sightings(world, state, acting, used, of[keep], codes[keep], day, rng)


def sign_up(world: World, state: State, rows: np.ndarray, day: int) -> None:
    """Settle from where accounts sign up: where their kind works from, as far as the platform knows it."""
    rng = world.chance("sign-up", day)
    group = state.accounts.group[rows]
    codes = address_codes(world, state, rows, group, choose(state.groups.sources[group], rng), day, rng)
    state.accounts.signup_ip[rows] = np.where(rng.random(rows.size) < _UNKNOWN_SIGNUP, -1, codes)


def address_codes(
    world: World, state: State, rows: np.ndarray, group: np.ndarray, source: np.ndarray, day: int,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """An address from a source for each account, `[n] int64`."""
    accounts, groups, networks = state.accounts, state.groups, state.networks
    n = rows.size
    home = _home_codes(world, state, accounts.home[rows], rows, day)
    hosts = _proxy_hosts(accounts.country, accounts.country[rows], rng)
    proxy = _home_codes(world, state, accounts.home[hosts], hosts, day)
    carrier = mobile_network(accounts.country[rows])
    mobile = networks.base[carrier] + (rng.random(n) * networks.size[carrier]).astype(np.int64)
    provider = vpn_network(uniform(rows, world.key + 5))
    vpn = networks.base[provider] + (rng.random(n) ** 1.5 * networks.size[provider]).astype(np.int64)
    cloud_row = cloud_network(uniform(rows, world.key + 6))
    cloud = networks.base[cloud_row] + (uniform(rows, world.key + 7) * networks.size[cloud_row]).astype(np.int64)
    own = _group_codes(world, state, rows, group, rng)
    # Who has no group's network, or buys addresses afresh, uses another source in its place.
    has_network = (groups.network[groups.leader[group]] >= 0) & (rng.random(n) >= groups.budget[group])
    return np.asarray(
        np.select(
            [source == _HOME, source == _MOBILE, source == _VPN, source == _PROXY, source == _CLOUD],
            [home, mobile, vpn, proxy, cloud],
            np.where(has_network, own, np.where(groups.budget[group] > 0, cloud, home)),
        )
    )


def _proxy_hosts(country: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Accounts by whose home line a residential proxy leaves: mostly in the country that is asked for, `[n] int64`."""
    by_country = np.argsort(country, kind="stable")
    first, n_there = (
        np.searchsorted(country[by_country], wanted),
        np.bincount(country, minlength=len(COUNTRIES))[wanted],
    )
    there = by_country[np.minimum(first + (rng.random(wanted.size) * n_there).astype(np.int64), country.size - 1)]
    return np.where(rng.random(wanted.size) < _PROXY_ABROAD, rng.integers(0, country.size, wanted.size), there)


def _home_codes(world: World, state: State, home: np.ndarray, rows: np.ndarray, day: int) -> np.ndarray:
    """A household's address of the day: a line gets another one every few days or months, and some have IPv6."""
    networks, country = state.networks, state.accounts.country[rows]
    line = home_network(country)
    lease_days = 2.0 + 90.0 * uniform(home, world.key + 8) ** 3
    lease = ((day + 100 * uniform(home, world.key + 9)) / lease_days).astype(np.int64)
    place = (uniform(home * 4096 + lease, world.key + 10) * networks.size[line]).astype(np.int64)
    has_v6 = uniform(home, world.key + 11) < 0.3
    is_v6 = has_v6 & (uniform(rows * 64 + day % 64, world.key + 12) < 0.5)
    suffix = (mix(rows, world.key + 13) % np.uint64(250)).astype(np.int64)
    return np.where(is_v6, home_v6_code(country, home, suffix), networks.base[line] + place)


def _group_codes(
    world: World, state: State, rows: np.ndarray, group: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """An address of the network that a group uses: an account comes back to one of them more often than not."""
    groups = state.groups
    owner = groups.leader[group]
    network, n_subnets = np.maximum(groups.network[owner], 0), np.maximum(groups.n_subnets[owner], 1)
    usual = uniform(rows, world.key + 14)
    place = np.where(rng.random(rows.size) < 0.6, usual, rng.random(rows.size))
    number = (place * np.maximum(groups.n_addresses[owner], 1)).astype(np.int64)
    base = state.networks.base[network]
    host = (mix(base * 64 + number // n_subnets, world.key + 15) % np.uint64(256)).astype(np.int64)
    return np.asarray(base + number % n_subnets * 256 + host)


def _sightings(
    world: World, state: State, acting: Acting, used: Usage, of: np.ndarray, codes: np.ndarray, day: int,
    rng: np.random.Generator,
) -> Sightings:  # fmt: skip
    """One row for each account and code, its times within the account's hours of the day."""
    n = acting.rows.size
    first_hour, last_hour, requests = np.full(n, 24), np.zeros(n, dtype=np.int64), np.zeros(n)
    np.minimum.at(first_hour, used.acting, used.hour)
    np.maximum.at(last_hour, used.acting, used.hour)
    np.add.at(requests, used.acting, used.n_requests)
    distinct, number = np.unique(codes, return_inverse=True)
    _, first_of, count = np.unique(of * distinct.size + number, return_index=True, return_counts=True)
    of, codes = of[first_of], codes[first_of]
    share = count / np.bincount(of, weights=count, minlength=n)[of]
    n_events = 1 + rng.poisson(0.5 * np.minimum(requests[of], 2000) * share)
    begin, end = first_hour[of] * 3600.0, last_hour[of] * 3600.0 + 3599
    moments = np.sort(begin + (end - begin) * rng.random((2, of.size)), axis=0)  # [2, n] seconds of the day
    times = world.midnight(day) + moments.astype(np.int64) * 1_000_000
    rows = acting.rows[of]
    first, last = np.maximum(times, state.accounts.starts[rows])
    return Sightings(rows, codes, first, last, n_events)
