"""What the list that is out says about identifiers: which are a campaign's own, and which are third parties'.

Whatever is said stands on at least `indicators_floor` listed accounts. An identifier is a campaign's own when hardly
anybody but listed accounts uses it, no lawful group does, and it is no hub. An address or subnet that is rented out and
that others use as well is its provider's or reseller's: named as that, and never to be acted on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.graph import HUB_ACCOUNTS
from ringwatch.models.common.intervals import wilson
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.pipelines.indicators.kinds import (
    DOMAIN,
    KINDS_BY_LABEL,
    NETWORK_KINDS,
    PUBLIC_DOMAINS,
    SUBNET,
    Named,
    network_of,
)
from ringwatch.pipelines.indicators.uses import connect_uses

_OWN_SHARE = 0.8  # of an identifier's accounts that are listed, for it to be a campaign's own
_FOUND = """
SELECT label, id, count(*) AS n_accounts, count(*) FILTER (is_listed) AS n_listed,
    count(*) FILTER (is_lawful) AS n_lawful,
    min(first_seen_at) FILTER (is_listed)::DATE AS first_seen, max(last_seen_at) FILTER (is_listed)::DATE AS last_seen,
    any_value(n.is_rented) AS is_rented, any_value(n.network_type) AS network_type, any_value(n.asn) AS asn
FROM uses LEFT JOIN told USING (account_id) LEFT JOIN networks n USING (label, id)
GROUP BY label, id HAVING n_listed >= $floor ORDER BY label, id
"""
_RINGS = """
SELECT label, id, ring_id FROM uses JOIN told USING (account_id) WHERE is_listed AND ring_id IS NOT NULL
GROUP BY ALL HAVING count(*) >= $floor ORDER BY ALL
"""


@dataclass(frozen=True)
class Finding:
    """An identifier that enough listed accounts use.

    Attributes:
        named: which.
        n_accounts: accounts on it.
        n_listed: those of them that are listed.
        n_lawful: those in groups that were looked at and are lawful.
        first_seen: day on which a listed account first used it.
        last_seen: and last.
        network_type: of an address or subnet that is rented out; None of any other.
        asn: of an address or subnet, where it is known.
        rings: with enough listed members on it, by id.
    """

    named: Named
    n_accounts: int
    n_listed: int
    n_lawful: int
    first_seen: date
    last_seen: date
    network_type: str | None
    asn: int | None
    rings: tuple[str, ...]

    @property
    def is_own(self) -> bool:
        """Whether it is a campaign's own."""
        if self.n_accounts > HUB_ACCOUNTS or self.n_listed < _OWN_SHARE * self.n_accounts or self.n_lawful:
            return False
        label, value = self.named
        if label == DOMAIN.label:
            return value not in PUBLIC_DOMAINS
        if KINDS_BY_LABEL[label] not in NETWORK_KINDS:
            return True
        # A line at home is a person's. So is a /48 of IPv6; a /24 of IPv4 is a street's.
        is_home = self.network_type is None and (label != SUBNET.label or ":" in value)
        return network_of(value).is_global and not is_home

    @property
    def is_third_partys(self) -> bool:
        """Whether it is a provider's or reseller's, and others are customers as well."""
        is_shared = self.n_listed < self.n_accounts and not self.is_own
        return self.network_type is not None and is_shared and network_of(self.named.value).is_global

    @property
    def confidence(self) -> int:
        """0..100: lower bound (Wilson, 1927) of the share of listed accounts, times how surely the kind tells one."""
        lower, _ = wilson(self.n_listed, self.n_accounts)
        return round(100 * lower * KINDS_BY_LABEL[self.named.label].certainty)


@dataclass(frozen=True)
class Campaign:
    """A ring of which enough members are listed."""

    ring_id: str
    n_listed: int
    first_seen: date
    last_seen: date


def find(snapshot: Snapshot, told: pa.Table, *, floor: int) -> list[Finding]:
    """Identifiers that enough listed accounts use, sorted.

    Args:
        snapshot: of the night.
        told: what the night says of accounts, as `tell` has it.
        floor: how many listed accounts that is.
    """
    with connect_uses(snapshot) as connection:
        connection.register("told", told)
        rows = connection.execute(_FOUND, {"floor": floor}).fetchall()
        names = [column[0] for column in connection.description or ()]
        rings: dict[Named, list[str]] = {}
        for label, id_, ring_id in connection.execute(_RINGS, {"floor": floor}).fetchall():
            rings.setdefault(Named(label, id_), []).append(ring_id)
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return [_finding(row, tuple(rings.get(Named(row["label"], row["id"]), ()))) for row in found]


def _finding(row: Mapping[str, Any], rings: tuple[str, ...]) -> Finding:
    told = {name: row[name] for name in ("n_accounts", "n_listed", "n_lawful", "first_seen", "last_seen", "asn")}
    network_type = row["network_type"] if row["is_rented"] else None
    return Finding(Named(row["label"], row["id"]), **told, network_type=network_type, rings=rings)


def tell(accounts: pa.Table, rings: pa.Table, listed: set[str]) -> pa.Table:
    """What a night says of each account: account_id, ring_id, is_listed, is_lawful."""
    lawful = rings.filter(pc.equal(rings["fraud_label"], "clear"))["ring_id"]
    return pa.table(
        {
            "account_id": accounts["account_id"],
            "ring_id": accounts["ring_id"],
            "is_listed": pc.is_in(accounts["account_id"], value_set=pa.array(sorted(listed), pa.string())),
            "is_lawful": pc.is_in(accounts["ring_id"], value_set=lawful.combine_chunks().drop_null()),
        }
    )


def campaigns(told: pa.Table, rings: pa.Table, *, floor: int) -> list[Campaign]:
    """Rings of which enough members are listed, by id."""
    listed = told.filter(told["is_listed"])["ring_id"]
    n_listed = {each["values"]: each["counts"] for each in pc.value_counts(listed).to_pylist()}
    return [
        Campaign(ring["ring_id"], n, ring["first_seen_at"].date(), ring["last_seen_at"].date())
        for ring in rings.to_pylist()
        if (n := n_listed.get(ring["ring_id"], 0)) >= floor
    ]
