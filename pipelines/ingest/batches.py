"""Gathers delivered files into batches of rows that can be cast and checked together.

Many tiny nights make one batch, a large file makes several: a check then costs neither a fixed price for each
night nor memory for the whole signal. Files go into one batch when they have the same columns, of types that agree.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from ringwatch.graph_schema.signals import Signal
from ringwatch.pipelines.ingest.landing import Delivery
from ringwatch.pipelines.ingest.readers import RawFile, read_file

BATCH_ROWS = 500_000
_EPOCH = date(1970, 1, 1)
_FILE_BITS, _ROW_BITS = 14, 34  # of a precedence's 63: what is left for days lasts beyond the year 9999
_LAST_FILE = (1 << _FILE_BITS) - 1


@dataclass(frozen=True)
class Segment:
    """Consecutive rows of a batch that come from one file."""

    delivery: Delivery
    file: str
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]  # [n_rows] positions in the file
    first_precedence: int  # that of row 0


@dataclass(frozen=True)
class Batch:
    """Raw rows and where they come from."""

    raw: pa.Table  # the signal's columns that the files have
    segments: tuple[Segment, ...]

    def origin(self) -> pa.Table:
        """`partition` (date32), `file`, `row`, `precedence` of each row."""
        lengths = [len(segment.rows) for segment in self.segments]
        of_row = pa.array(np.repeat(np.arange(len(lengths), dtype=np.int32), lengths))
        rows = np.concatenate([segment.rows for segment in self.segments])
        first = np.array([segment.first_precedence for segment in self.segments], dtype=np.int64)
        return pa.table(
            {
                "partition": pa.array([segment.delivery.date for segment in self.segments], pa.date32()).take(of_row),
                "file": pa.array([segment.file for segment in self.segments], pa.string()).take(of_row),
                "row": rows,
                "precedence": np.repeat(first, lengths) + rows,
            }
        )


@dataclass
class _OpenBatch:
    schema: pa.Schema
    tables: list[pa.Table] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    n_rows: int = 0

    def takes(self, table: pa.Table) -> bool:
        if table.schema.names != self.schema.names:
            return False
        try:
            self.schema = pa.unify_schemas([self.schema, table.schema])
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return False
        return True

    def close(self) -> Batch:
        return Batch(pa.concat_tables(self.tables, promote_options="default"), tuple(self.segments))


def read_files(signal: Signal, deliveries: Sequence[Delivery]) -> Iterator[tuple[Delivery, Path, RawFile]]:
    """Every file of the deliveries, read, in order."""
    for delivered in deliveries:
        for path in delivered.files:
            yield delivered, path, read_file(path, signal)


def gather_batches(files: Iterator[tuple[Delivery, Path, RawFile]]) -> Iterator[Batch]:
    """Batches of up to BATCH_ROWS rows."""
    open_batches: list[_OpenBatch] = []
    numbers: dict[date, dict[Path, int]] = {}
    n_rows_before: dict[date, int] = defaultdict(int)  # in files that share the last number
    for delivered, path, raw in files:
        if delivered.date not in numbers:
            numbers[delivered.date] = {file: number for number, file in enumerate(delivered.files)}
        file_number = numbers[delivered.date][path]
        first_precedence = precedence(delivered.date, file_number, n_rows_before[delivered.date])
        if file_number >= _LAST_FILE and len(raw.rows):
            n_rows_before[delivered.date] += int(raw.rows[-1])
        for start in range(0, len(raw.rows), BATCH_ROWS):
            table = raw.table.slice(start, BATCH_ROWS).replace_schema_metadata(None)
            batch = next((one for one in open_batches if one.takes(table)), None)
            if batch is None:
                batch = _OpenBatch(table.schema)
                open_batches.append(batch)
            rows = raw.rows[start : start + BATCH_ROWS]
            if batch.n_rows + len(rows) > BATCH_ROWS:
                yield batch.close()
                open_batches.remove(batch)
                batch = _OpenBatch(table.schema)
                open_batches.append(batch)
            batch.tables.append(table)
            batch.segments.append(Segment(delivered, path.name, rows, first_precedence))
            batch.n_rows += len(rows)
    for batch in open_batches:
        yield batch.close()


def precedence(day: date, file_number: int, row: int) -> int:
    """A number that orders rows by partition, then file by name, then position: of rows with one key the last wins.

    From file 16,383 on, the files of a partition share one number, and `row` counts on through them.
    """
    return ((day - _EPOCH).days << _FILE_BITS + _ROW_BITS) | (min(file_number, _LAST_FILE) << _ROW_BITS) | row
