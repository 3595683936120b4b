"""Networks and the addresses in them: providers' that all the world shares, and groups' own.

An address is a code: its network's base and its place in it. Codes of IPv4 networks count /24s from 0 upwards, and a
keyed permutation scatters those over the address space, so that a number tells nothing.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.pipelines.simulate.knobs.declaration import NETWORK_TYPES
from ringwatch.pipelines.simulate.population.names import mix
from ringwatch.pipelines.simulate.population.state import Networks
from ringwatch.pipelines.simulate.population.world import COUNTRIES, World

_SUBNET = 256
_V6_BASE = 2**42
_V6_SIZE = 2**33  # a /48 for each of 2^24 households, and more
_N_CLOUDS, _N_VPNS = 3, 5
_FIRST_OCTETS = np.array([o for o in range(1, 224) if o not in (10, 100, 127, 169, 172, 192, 198, 203)])
_N_SUBNETS = _FIRST_OCTETS.size * 65_536


def public_networks(world: World) -> Networks:
    """Home lines and mobile carriers of each country, then clouds, then VPN providers; home lines have IPv6 as well."""
    n = world.arguments.n_accounts
    types, sizes, countries = [], [], []
    for country, (_, share, _) in enumerate(COUNTRIES):
        people = max(share, 0.03) * n
        types += ["residential", "mobile"]
        sizes += [5 * people, max(2.0, people / 120)]
        countries += [country, country]
    for number in range(_N_CLOUDS + _N_VPNS):
        types.append("hosting" if number < _N_CLOUDS else "vpn")
        sizes.append(n / 8 if number < _N_CLOUDS else max(3.0, n / 1500))
        countries.append(number % 3 if number < _N_CLOUDS else number % 5)
    networks = allocate(
        Networks(*(np.empty(0, dtype=np.int64) for _ in range(5))),
        np.array([NETWORK_TYPES.index(type_) for type_ in types]),
        np.maximum(np.array(sizes, dtype=np.int64), 1),
        np.array(countries),
        world,
    )
    v6 = networks.take(home_network(np.arange(len(COUNTRIES))))
    v6.base = _V6_BASE + np.arange(len(COUNTRIES)) * _V6_SIZE
    v6.size = np.full(len(COUNTRIES), _V6_SIZE)
    networks.append(v6)
    return networks


def allocate(existing: Networks, type_: np.ndarray, size: np.ndarray, country: np.ndarray, world: World) -> Networks:
    """Rows for further IPv4 networks, each from the next free /24 on."""
    v4 = existing.base < _V6_BASE
    free = int((existing.base[v4] + existing.size[v4]).max(initial=0))
    free = -(-free // _SUBNET) * _SUBNET
    n_codes = -(-size // _SUBNET) * _SUBNET
    base = free + np.cumsum(n_codes) - n_codes
    asn = 1000 + (mix(base, world.key + 1) % np.uint64(63_000)).astype(np.int64)
    return Networks(base, size, type_, country, asn)


def home_network(country: np.ndarray) -> np.ndarray:
    """Row of a country's home lines."""
    return 2 * country


def mobile_network(country: np.ndarray) -> np.ndarray:
    """Row of a country's mobile carrier."""
    return 2 * country + 1


def cloud_network(choice: np.ndarray) -> np.ndarray:
    """Row of one of the clouds, by a number in 0..1."""
    return 2 * len(COUNTRIES) + (choice * _N_CLOUDS).astype(np.int64)


def vpn_network(choice: np.ndarray) -> np.ndarray:
    """Row of one of the VPN providers, by a number in 0..1: a few have most customers."""
    return 2 * len(COUNTRIES) + _N_CLOUDS + (choice**2 * _N_VPNS).astype(np.int64)


def home_v6_code(country: np.ndarray, home: np.ndarray, suffix: np.ndarray) -> np.ndarray:
    """An IPv6 address in the household's /48, `suffix` in 0..255."""
    return np.asarray(_V6_BASE + country * _V6_SIZE + (home % 2**24) * _SUBNET + suffix)


def network_of(networks: Networks, codes: np.ndarray) -> np.ndarray:
    """Row of the network that each address lies in."""
    order = np.argsort(networks.base, kind="stable")
    return np.asarray(order[np.searchsorted(networks.base[order], codes, side="right") - 1])


def ip_texts(codes: np.ndarray, world: World) -> pa.Array:
    """Addresses as canonical text; null for a negative code."""
    unique, place = np.unique(codes, return_inverse=True)
    v6 = unique >= _V6_BASE
    texts = pa.chunked_array([_v4_texts(unique[~v6], world), _v6_texts(unique[v6])]).combine_chunks()
    return texts.take(pa.array(place))


def _v4_texts(codes: np.ndarray, world: World) -> pa.Array:
    multiplier = 2 * (world.key % 2**20) + 2**21 + 1
    while np.gcd(multiplier, _N_SUBNETS) != 1:
        multiplier += 2
    subnet = (codes // _SUBNET * multiplier + world.key) % _N_SUBNETS
    octets = [_FIRST_OCTETS[subnet // 65_536], subnet // 256 % 256, subnet % 256, codes % _SUBNET]
    texts = pc.binary_join_element_wise(*(pa.array(octet).cast(pa.string()) for octet in octets), ".")
    return pc.if_else(pa.array(codes >= 0), texts, None)


def _v6_texts(codes: np.ndarray) -> pa.Array:
    country, place = (codes - _V6_BASE) // _V6_SIZE, (codes - _V6_BASE) % _V6_SIZE
    household, host = place // _SUBNET, place % _SUBNET
    groups = (0x2A00 + country, 0x1000 + household // 4096, 0x1000 + household % 4096, 1 + host)
    columns = [pa.array([f"{value:x}" for value in group.tolist()], pa.string()) for group in groups]
    return pc.binary_join_element_wise(pc.binary_join_element_wise(*columns[:3], ":"), columns[3], "::")
