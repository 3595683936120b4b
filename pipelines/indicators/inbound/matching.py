"""Match partners' indicators in force with the accounts of a night.

A match raises questions and nothing else: no score, label, ring or ban list is made of it. Infrastructure that a
partner names is not matched at all: whoever uses it may be anybody.
"""

import ipaddress
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.sql import Connection
from ringwatch.pipelines.indicators.inbound.in_force import Indicator, indicators_in_force
from ringwatch.pipelines.indicators.kinds import ADDRESS, CARD, SUBNET, keyed
from ringwatch.pipelines.indicators.matches import HITS_SCHEMA, MATCHES_SCHEMA, NO_MATCHES, Matches
from ringwatch.pipelines.indicators.uses import connect_uses


class _Name(NamedTuple):
    """One identifier that an indicator names, and one that the snapshot has and that is meant by it."""

    partner: str
    indicator_id: str
    confidence: int
    identifier: str  # as it is shown
    label: str
    id: str


_NAMES_SCHEMA = pa.schema(
    [(name, pa.int64() if name == "confidence" else pa.string()) for name in _Name._fields]
)  # what partners name, as the snapshot has it
_HITS = """
CREATE TABLE hits AS
SELECT partner, indicator_id, confidence, identifier, account_id, ring_id,
    min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at
FROM names JOIN uses USING (label, id) JOIN accounts USING (account_id) GROUP BY ALL
"""
_MATCHES = """
SELECT partner, indicator_id, confidence, list_sort(list(DISTINCT identifier)) AS identifiers,
    count(DISTINCT account_id) AS n_accounts,
    list_sort(list(DISTINCT ring_id) FILTER (ring_id IS NOT NULL)) AS ring_ids,
    min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at
FROM hits GROUP BY ALL ORDER BY partner, indicator_id
"""
_BY_ACCOUNT = """
SELECT account_id, partner, identifier, max(confidence) AS confidence,
    any_value(n_accounts) AS n_accounts
FROM hits JOIN (SELECT identifier, count(DISTINCT account_id) AS n_accounts FROM hits GROUP BY 1) USING (identifier)
GROUP BY ALL ORDER BY account_id, partner, identifier
"""


def match_partners(settings: Settings, snapshot: Snapshot, accounts: pa.Table) -> Matches:
    """What the indicators in force at the end of a night match.

    Args:
        settings: where the ledger is; and the partners' keys.
        snapshot: of the night.
        accounts: the night's, with account_id and ring_id.
    """
    indicators = indicators_in_force(settings, snapshot.date)
    if not indicators:
        return NO_MATCHES
    names = [*_plain(indicators), *_networks(snapshot, indicators), *_cards(settings, snapshot, indicators)]
    with connect_uses(snapshot) as connection:
        connection.register("names", pa.Table.from_pylist([name._asdict() for name in names], _NAMES_SCHEMA))
        connection.register("accounts", accounts.select(["account_id", "ring_id"]))
        connection.execute(_HITS)
        return Matches(_fetch(connection, _MATCHES, MATCHES_SCHEMA), _fetch(connection, _BY_ACCOUNT, HITS_SCHEMA))


def unkeyed(settings: Settings, indicators: Iterable[Indicator]) -> set[str]:
    """Partners that name cards, and whose key we do not hold: these cards cannot be matched."""
    name_cards = {each.partner for each in indicators if any(named.label == CARD.label for named in each.named)}
    return name_cards - set(settings.partner_keys)


def _fetch(connection: Connection, query: str, schema: pa.Schema) -> pa.Table:
    return connection.sql(query).to_arrow_table().cast(schema)


def _plain(indicators: Sequence[Indicator]) -> Iterator[_Name]:
    """What the graph has as the partner names it."""
    for each in indicators:
        for label, value in each.named:
            if label not in (SUBNET.label, CARD.label):
                yield _Name(each.partner, each.id, each.confidence, f"{label} {value}", label, value)


def _networks(snapshot: Snapshot, indicators: Sequence[Indicator]) -> Iterator[_Name]:
    """The addresses in networks, of whatever length."""
    networks = [(each, value) for each in indicators for label, value in each.named if label == SUBNET.label]
    if not networks:
        return
    addresses = sorted(_number(ip) for ip in snapshot.nodes[ADDRESS.label]["id"].to_pylist())
    for each, value in networks:
        network = ipaddress.ip_network(value)
        first, last = (_number(str(end)) for end in (network.network_address, network.broadcast_address))
        for _, number in addresses[bisect_left(addresses, first) : bisect_right(addresses, last)]:
            ip = str((ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address)(number))
            yield _Name(each.partner, each.id, each.confidence, f"{SUBNET.label} {value}", ADDRESS.label, ip)


def _number(ip: str) -> tuple[int, int]:
    address = ipaddress.ip_address(ip)
    return address.version, int(address)


def _cards(settings: Settings, snapshot: Snapshot, indicators: Sequence[Indicator]) -> Iterator[_Name]:
    """The cards of which a partner gave the HMAC, with the key that we share with it."""
    for partner in sorted({each.partner for each in indicators} & set(settings.partner_keys)):
        named = defaultdict(list)
        for each in indicators:
            for label, value in each.named:
                if label == CARD.label and each.partner == partner:
                    named[value].append(each)
        key = settings.partner_keys[partner].get_secret_value()
        for instrument in snapshot.nodes[CARD.label]["id"].to_pylist() if named else ():
            for each in named.get(keyed(instrument, key), ()):
                yield _Name(partner, each.id, each.confidence, f"{CARD.label} {instrument}", CARD.label, instrument)
