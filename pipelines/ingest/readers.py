"""Reads a delivered file into raw columns, as they lie: nothing is cast, nothing is judged.

A line that cannot be read breaks that row alone. A file that cannot be read at all says why. Row numbers are
the 1-based positions of the data rows in their file, broken ones included, blank lines not.
"""

import contextlib
import gzip
import json
import zlib
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringwatch.graph_schema.signals import Signal
from ringwatch.pipelines.ingest.text_rows import Lines, csv_header, csv_records

_CSV_BATCH_ROWS = 100_000  # text as Python objects takes ten times its size: turned into columns this often
_NO_TEXT = pa.scalar(None, pa.string())
_ONE_ARROW_TYPE: tuple[set[type], ...] = (set(), {str}, {int}, {float}, {int, float}, {bool})


@dataclass(frozen=True)
class BrokenLine:
    """A line that is no row."""

    row: int
    text: str
    reason: str


@dataclass(frozen=True)
class RawFile:
    """What a file held. `table` has the signal's columns that the file has, in whatever type they came."""

    table: pa.Table
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]  # [n_rows] positions in the file
    broken: tuple[BrokenLine, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    unreadable: str | None = None  # why nothing of it could be read


class _UnreadableError(Exception):
    """The whole file is unreadable; the message says why."""


def read_file(path: Path, signal: Signal) -> RawFile:
    """Read a Parquet, CSV (also gzipped) or JSONL file of the signal.

    CSV gives text, empty being null. JSONL gives typed columns, or, where a column's values are of several
    types, JSON text under Arrow's JSON type. Parquet gives what it holds.
    """
    try:
        if path.name.endswith(".parquet"):
            return _read_parquet(path, signal)
        if path.name.endswith(".jsonl"):
            return _read_jsonl(path, signal)
        return _read_csv(path, signal)
    except _UnreadableError as error:
        reason = str(error)
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:  # gzip's own errors are OSErrors
        reason = " ".join(str(error).split()) or type(error).__name__
    return RawFile(pa.table({}), np.empty(0, np.int64), unreadable=reason)


def _read_parquet(path: Path, signal: Signal) -> RawFile:
    with pq.ParquetFile(path) as file:
        known, unknown = _split_columns(file.schema_arrow.names, signal)
        table = file.read(columns=known, use_threads=False)
    return RawFile(table, np.arange(1, table.num_rows + 1, dtype=np.int64), unknown_columns=unknown)


def _read_csv(path: Path, signal: Signal) -> RawFile:
    broken: list[BrokenLine] = []
    rows: list[int] = []
    batches: list[pa.Table] = []
    cells: list[list[str]] = []
    with _open(path) as file:
        lines = Lines(file)
        header = csv_header(lines)
        known, unknown = _split_columns(header, signal)
        if not known:
            raise _UnreadableError(f"its first line names no column of {signal.name}, so it has no header")
        for row, record in enumerate(csv_records(lines, len(header)), start=1):
            if isinstance(record, tuple):
                broken.append(BrokenLine(row, *record))
                continue
            rows.append(row)
            cells.append(record)
            if len(cells) == _CSV_BATCH_ROWS:
                batches.append(_text_table(cells, header, known))
                cells = []
    batches.append(_text_table(cells, header, known))
    return RawFile(pa.concat_tables(batches), np.array(rows, dtype=np.int64), tuple(broken), unknown)


def _text_table(cells: list[list[str]], header: list[str], known: list[str]) -> pa.Table:
    columns = list(zip(*cells, strict=True)) if cells else [()] * len(header)
    texts = {name: pa.array(columns[header.index(name)], pa.string()) for name in known}
    return pa.table({name: pc.if_else(pc.equal(column, ""), _NO_TEXT, column) for name, column in texts.items()})


def _read_jsonl(path: Path, signal: Signal) -> RawFile:
    broken: list[BrokenLine] = []
    rows: list[int] = []
    names = [field.name for field in signal.fields]
    values: dict[str, list[Any]] = {name: [] for name in names}
    seen: dict[str, None] = {}  # in the order of appearance
    with _open(path) as file:
        lines = Lines(file)
        row = 0
        for line in lines:
            if not line.strip():
                continue
            row += 1
            record = None if lines.bad_utf8 else _parse_json(line)
            if record is None:
                reason = "the line is not UTF-8" if lines.bad_utf8 else "the line is not a JSON object"
                broken.append(BrokenLine(row, line, reason))
                continue
            rows.append(row)
            seen.update(dict.fromkeys(record))
            for name in names:
                values[name].append(record.get(name))
    table = pa.table({name: _json_column(values[name]) for name in names if name in seen})
    unknown = tuple(name for name in seen if name not in values)
    return RawFile(table, np.array(rows, dtype=np.int64), tuple(broken), unknown)


def _parse_json(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _json_column(values: list[Any]) -> pa.Array:
    if {type(value) for value in values} - {type(None)} in _ONE_ARROW_TYPE:
        with contextlib.suppress(pa.ArrowException, UnicodeError, OverflowError):  # what Arrow cannot hold
            return pa.array(values)
    texts = [None if value is None else json.dumps(value) for value in values]
    return pa.ExtensionArray.from_storage(pa.json_(), pa.array(texts, pa.string()))


def _split_columns(names: list[str], signal: Signal) -> tuple[list[str], tuple[str, ...]]:
    """The file's columns that the signal has, in the signal's order, and those that it has not."""
    known = [field.name for field in signal.fields if field.name in names]
    twice = [name for name in known if names.count(name) > 1]
    if twice:
        raise _UnreadableError(f"its column {twice[0]} comes twice")
    return known, tuple(name for name in names if name not in known)


def _open(path: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path) if path.name.endswith(".gz") else path.open("rb")
