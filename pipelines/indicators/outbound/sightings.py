"""Sightings: what a partner's indicators matched here goes back to that partner, as numbers."""

from collections.abc import Iterator

import pyarrow as pa
from stix2 import v21

from ringwatch.pipelines.indicators.outbound.issuer import Issuer, Object, midnight


def sighting_objects(issuer: Issuer, matches: pa.Table, partner: str, *, floor: int) -> Iterator[Object]:
    """A sighting of each of a partner's indicators that at least `floor` accounts matched.

    Args:
        issuer: we.
        matches: the night's, by MATCHES_SCHEMA.
        partner: whose indicators are told of.
        floor: of accounts.
    """
    for row in matches.to_pylist():
        if row["partner"] == partner and row["n_accounts"] >= floor:
            yield issuer.create(
                v21.Sighting,
                row["indicator_id"],
                sighting_of_ref=row["indicator_id"],
                count=row["n_accounts"],
                first_seen=midnight(row["first_seen_at"].date()),
                last_seen=midnight(row["last_seen_at"].date()),
                where_sighted_refs=[issuer.identity_id],
            )
