"""Rejected rows as Parquet: the original values as text, and why.

QUARANTINE/<signal>/date=D/rejected.parquet   rows of partition D that failed a check
QUARANTINE/<signal>/date=D/expired.parquet    rows whose account had not appeared in time, by the night that gave up
"""

import json
import shutil
from datetime import date
from typing import Any

import pyarrow as pa

from ringwatch.graph_schema.signals import SIGNALS_BY_NAME, Signal
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.ledger.store import write_parquet


def quarantine_schema(signal: Signal) -> pa.Schema:
    """Columns of a quarantine file."""
    columns = [(field.name, pa.string()) for field in signal.fields]
    columns += [("signal", pa.string()), ("partition", pa.string()), ("file", pa.string()), ("row", pa.int64())]
    return pa.schema([*columns, ("reason", pa.string()), ("raw", pa.string())])


def write_rejected(settings: Settings, signal: Signal, day: date, rejected: pa.Table) -> None:
    """Keep the rows of a partition that failed a check, in place of those of its former delivery."""
    _replace(settings, signal, day, "rejected", rejected)


def write_expired(settings: Settings, expired: dict[str, pa.Table], nights: list[date]) -> None:
    """Keep the rows that waited too long, by the night that gave them up.

    Args:
        settings: where.
        expired: ledger rows by signal, with `night`.
        nights: the batch; what an earlier load of these nights kept is replaced.
    """
    for name, signal in SIGNALS_BY_NAME.items():
        by_night: dict[date, list[dict[str, Any]]] = {night: [] for night in nights}
        for row in expired[name].to_pylist() if name in expired else ():
            by_night.setdefault(row["night"], []).append(_as_delivered(signal, row))
        for night, rows in by_night.items():
            _replace(settings, signal, night, "expired", pa.Table.from_pylist(rows, quarantine_schema(signal)))


def _replace(settings: Settings, signal: Signal, day: date, name: str, rows: pa.Table) -> None:
    folder = settings.quarantine_dir / signal.name / f"date={day}"
    target = folder / f"{name}.parquet"
    if rows.num_rows:
        write_parquet(rows.select(quarantine_schema(signal).names).cast(quarantine_schema(signal)), target)
    elif target.exists():
        target.unlink()
        if not any(folder.iterdir()):
            shutil.rmtree(folder)


def _as_delivered(signal: Signal, row: dict[str, Any]) -> dict[str, Any]:
    values = {field.name: None if row[field.name] is None else _text(row[field.name]) for field in signal.fields}
    values.update(json.loads(row["nulled"] or "{}"))
    waited_for = "its account" if not signal.other_account else f"its account or {signal.other_account}"
    return {
        **values,
        "signal": signal.name,
        "partition": str(row["partition"]),
        "file": row["file"],
        "row": row["row"],
        "reason": f"expired: {waited_for} had not appeared in accounts within the days that a row is held",
        "raw": None,
    }


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
