"""The ledger: every accepted row by signal and partition, and what is known about each load.

LEDGER/rows/<signal>/date=D/rows.parquet   the partition's accepted rows, as last delivered
LEDGER/staged/date=D/<signal>/             checked, waiting for the night's load
LEDGER/held.parquet                        rows that wait for their account
LEDGER/held_relationships.parquet          relationships that wait for their far end
LEDGER/unwritten.parquet                   accounts whose part of the graph a load has yet to write
LEDGER/graph/, behind.parquet              a copy of the graph as tables, and the accounts loaded since (graph_copy.py)
LEDGER/nights/date=D.json                  the counts that the load of D reported

The graph is a function of the rows, whatever the order in which they came: that makes every load idempotent.
Files are replaced whole, so a load that is broken off leaves nothing half written.
"""

import json
import os
import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ringwatch.graph_schema.signals import SIGNALS, SIGNALS_BY_NAME, Signal
from ringwatch.pipelines.common.atomic_file import write_json
from ringwatch.pipelines.common.date_folders import nights_in
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.sql import Connection, open_connection

BOOKKEEPING = (
    pa.field("file", pa.string()),
    pa.field("row", pa.int64()),
    pa.field("precedence", pa.int64()),  # orders rows by partition, file and line
    pa.field("nulled", pa.string()),  # JSON of optional fields made null: name to original text
)
HELD_SCHEMA = pa.schema([("signal", pa.string()), ("account_id", pa.string()), ("precedence", pa.int64())])
HELD_RELATIONSHIPS_SCHEMA = pa.schema([("signal", pa.string()), ("start_id", pa.string()), ("end_id", pa.string())])
UNWRITTEN_SCHEMA = pa.schema([("account_id", pa.string())])
_MEMORY_LIMIT = "4GB"  # of a query's tables: beyond it they go to disk


def rows_schema(signal: Signal) -> pa.Schema:
    """Columns of a partition's rows in the ledger."""
    declared = [pa.field(column.name, column.kind.arrow_type) for column in signal.columns]
    return pa.schema([*declared, *BOOKKEEPING])


class Ledger:
    """The files of one installation's ledger. Changing it wants the writer lock."""

    def __init__(self, settings: Settings) -> None:
        """Open the ledger of these settings; its folder need not exist yet."""
        self.folder = settings.ledger_dir

    # Rows -------------------------------------------------------------------------------------------

    def partition_file(self, signal: Signal, day: date) -> Path:
        """Where a partition's rows lie."""
        return self.folder / "rows" / signal.name / f"date={day}" / "rows.parquet"

    def partitions(self, signal: Signal) -> list[date]:
        """Days of which the ledger holds rows, in order."""
        return nights_in(self.folder / "rows" / signal.name)

    def nights(self) -> list[date]:
        """Nights loaded, in order."""
        return sorted(date.fromisoformat(path.stem.removeprefix("date=")) for path in self._nights_dir.glob("*.json"))

    # Staging ----------------------------------------------------------------------------------------

    def staged_file(self, signal: Signal, day: date) -> Path:
        """Where a night's checked rows of a signal wait for the load."""
        return self._staged_folder(day) / signal.name / "rows.parquet"

    def _staged_folder(self, day: date) -> Path:
        return self.folder / "staged" / f"date={day}"

    def stage(self, signal: Signal, day: date, rows: pa.Table, record: dict[str, Any]) -> None:
        """Keep a checked delivery for the night's load; `record` says how its check went, and `n_accepted`."""
        file = self.staged_file(signal, day)
        shutil.rmtree(file.parent, ignore_errors=True)
        if rows.num_rows:
            write_parquet(rows.select(rows_schema(signal).names).cast(rows_schema(signal)), file)
        write_json(record, file.with_name("record.json"))

    def staged_records(self, day: date) -> dict[str, dict[str, Any]]:
        """How the checks of a night went, by signal.

        Raises:
            RingwatchError: a signal has not been checked.
        """
        files = {signal.name: self.staged_file(signal, day).with_name("record.json") for signal in SIGNALS}
        missing = [name for name, file in files.items() if not file.exists()]
        if missing:
            raise RingwatchError(
                f"{', '.join(missing)} of {day} not checked yet: run the load of {day} from its start."
            )
        return {name: json.loads(file.read_text()) for name, file in files.items()}

    def commit_staged(self, days: Iterable[date]) -> None:
        """Put staged deliveries in the place of their partitions' former ones; safe to repeat when broken off."""
        for day in days:
            for name, record in self.staged_records(day).items():
                signal = SIGNALS_BY_NAME[name]
                source, target = self.staged_file(signal, day), self.partition_file(signal, day)
                if not record["n_accepted"]:
                    shutil.rmtree(target.parent, ignore_errors=True)
                elif source.exists():  # else it was moved before the load was broken off
                    target.parent.mkdir(parents=True, exist_ok=True)
                    source.replace(target)

    def clear_staged(self, days: Iterable[date]) -> None:
        """Forget what was staged for these nights."""
        for day in days:
            shutil.rmtree(self._staged_folder(day), ignore_errors=True)

    # State between loads ----------------------------------------------------------------------------

    def read_state(self, name: str, schema: pa.Schema) -> pa.Table:
        """A table of the ledger's state; empty if there is none yet, null where an older version kept no column."""
        path, none = self.folder / f"{name}.parquet", schema.empty_table()
        return pa.concat_tables([none, pq.read_table(path)], promote_options="default") if path.exists() else none

    def write_state(self, name: str, table: pa.Table) -> None:
        """Replace a table of the ledger's state."""
        write_parquet(table, self.folder / f"{name}.parquet")

    def declaration(self) -> str | None:
        """Digest of the declaration that the graph was last written by."""
        file = self._declaration_file
        return json.loads(file.read_text())["digest"] if file.exists() else None

    def write_declaration(self, digest: str) -> None:
        """Keep the digest of the declaration that the graph is written by."""
        write_json({"digest": digest}, self._declaration_file)

    @property
    def _declaration_file(self) -> Path:
        return self.folder / "declaration.json"

    @property
    def _nights_dir(self) -> Path:
        return self.folder / "nights"

    def write_night(self, day: date, counts: dict[str, Any]) -> None:
        """Keep what the load of a night reported."""
        write_json(counts, self._nights_dir / f"date={day}.json")

    def read_night(self, day: date) -> dict[str, Any] | None:
        """What the last load of a night reported, or None."""
        path = self._nights_dir / f"date={day}.json"
        return json.loads(path.read_text()) if path.exists() else None

    # Queries ----------------------------------------------------------------------------------------

    def query(self, *, upto: date | None = None) -> Connection:
        """A DuckDB connection in which `ledger.<signal>` holds all rows, with their `partition`.

        Args:
            upto: leave out partitions after this day.
        """
        spill = {"memory_limit": _MEMORY_LIMIT, "temp_directory": str(self.folder / "spill")}
        connection = open_connection(threads=2, preserve_insertion_order=False, **spill)
        connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")  # ours tells how far a night is
        connection.execute("CREATE SCHEMA ledger")
        for signal in SIGNALS:
            columns = ", ".join(field.name for field in rows_schema(signal))
            if self.partitions(signal):
                files = str(self.folder / "rows" / signal.name / "*" / "rows.parquet").replace("'", "''")
                source = f"read_parquet('{files}', hive_partitioning = true, hive_types = {{'date': DATE}})"
                only = f" WHERE date <= DATE '{upto}'" if upto else ""
                select = f"SELECT {columns}, date AS partition FROM {source}{only}"
                connection.execute(f"CREATE VIEW ledger.{signal.name} AS {select}")
            else:
                empty = rows_schema(signal).append(pa.field("partition", pa.date32())).empty_table()
                connection.register(f"empty_{signal.name}", empty)
                connection.execute(f"CREATE VIEW ledger.{signal.name} AS FROM empty_{signal.name}")
        return connection


def write_parquet(table: pa.Table, target: Path) -> None:
    """Write a table so that readers see the old file or the new one, never half."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    pq.write_table(table, partial, compression="zstd")
    partial.replace(target)
