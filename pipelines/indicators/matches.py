"""What partners' indicators matched on a night: kept with its run, for people to look at and for sightings.

RUNS/date=D/partner_matches.parquet   one row an indicator that matched, by MATCHES_SCHEMA
"""

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from ringwatch.graph_schema.signals import Kind
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.runs.store import read_run, read_run_table

MATCHES = "partner_matches"
MATCHES_SCHEMA = pa.schema(
    [
        ("partner", pa.string()),
        ("indicator_id", pa.string()),
        ("confidence", pa.int64()),
        ("identifiers", pa.list_(pa.string())),  # "Subnet 203.0.113.0/24", as the graph's labels have it
        ("n_accounts", pa.int64()),
        ("ring_ids", pa.list_(pa.string())),
        ("first_seen_at", Kind.TIMESTAMP.arrow_type),
        ("last_seen_at", Kind.TIMESTAMP.arrow_type),
    ]
)
HITS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("partner", pa.string()),
        ("identifier", pa.string()),
        ("confidence", pa.int64()),
        ("n_accounts", pa.int64()),  # on the identifier
    ]
)


@dataclass(frozen=True)
class Matches:
    """Indicators that matched, by MATCHES_SCHEMA, and the accounts that each identifier hits, by HITS_SCHEMA."""

    table: pa.Table
    hits: pa.Table


NO_MATCHES = Matches(MATCHES_SCHEMA.empty_table(), HITS_SCHEMA.empty_table())


def read_matches(settings: Settings, night: date) -> pa.Table:
    """What partners' indicators matched on a night, by MATCHES_SCHEMA; none where the run is older than such a table.

    Raises:
        RingwatchError: the night has not been detected.
    """
    read_run(settings, night)
    is_kept = (settings.runs_dir / f"date={night}" / f"{MATCHES}.parquet").exists()
    return read_run_table(settings, night, MATCHES) if is_kept else MATCHES_SCHEMA.empty_table()
