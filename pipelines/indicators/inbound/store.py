"""Partners' indicators in the ledger, as each partition last delivered them; and which version of each one holds.

LEDGER/indicators/date=D/indicators.parquet   by INDICATORS_SCHEMA
"""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ringwatch.graph_schema.signals import Kind
from ringwatch.pipelines.common.date_folders import night_of
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.ledger.store import write_parquet

INDICATORS_SCHEMA = pa.schema(
    [
        ("partner", pa.string()),
        ("indicator_id", pa.string()),
        ("modified", Kind.TIMESTAMP.arrow_type),
        ("valid_from", Kind.TIMESTAMP.arrow_type),
        ("valid_until", Kind.TIMESTAMP.arrow_type),
        ("revoked", pa.bool_()),
        ("confidence", pa.int64()),
        ("named", pa.list_(pa.struct([("label", pa.string()), ("value", pa.string())]))),
        ("unsupported", pa.string()),  # why it cannot be matched
        ("file", pa.string()),
        ("place", pa.int64()),  # in the bundle
    ]
)
Row = dict[str, Any]


def keep(settings: Settings, day: date, rows: list[Row]) -> None:
    """Put a partition's indicators in the place of its former ones."""
    folder = _folder(settings) / f"date={day}"
    if rows:
        write_parquet(pa.Table.from_pylist(rows, INDICATORS_SCHEMA), folder / "indicators.parquet")
    else:
        shutil.rmtree(folder, ignore_errors=True)


def newest_versions(settings: Settings, *, upto: date | None = None) -> list[Row]:
    """Of each partner's indicator the version that holds, with its `partition`; sorted by partner and id.

    It is the one modified last; of those modified at once that of the later partition, file and place in it.

    Args:
        settings: where the ledger is.
        upto: leave out partitions after this day.
    """
    newest: dict[tuple[str, str], Row] = {}
    for row in sorted(_rows(settings, upto), key=_precedence):
        newest[row["partner"], row["indicator_id"]] = row
    return [newest[key] for key in sorted(newest)]


def _precedence(row: Row) -> tuple[Any, ...]:
    return row["modified"], row["partition"], row["file"], row["place"]


def _rows(settings: Settings, upto: date | None) -> list[Row]:
    rows = []
    for file in _folder(settings).glob("date=*/indicators.parquet"):
        partition = night_of(file.parent)
        if upto is None or partition <= upto:
            rows += [{**row, "partition": partition} for row in pq.read_table(file, partitioning=None).to_pylist()]
    return rows


def _folder(settings: Settings) -> Path:
    return settings.ledger_dir / "indicators"
