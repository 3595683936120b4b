"""Which accounts a load touches: those whose part of the graph the staged partitions can change.

They are written down before the ledger changes, so that a load that is broken off leaves a note of its work.
"""

from datetime import date

import pyarrow as pa

from ringwatch.graph_schema.signals import ACCOUNTS, SIGNALS, Signal
from ringwatch.pipelines.common.sql import Connection
from ringwatch.pipelines.ledger.store import HELD_SCHEMA, UNWRITTEN_SCHEMA, Ledger


def find_touched(ledger: Ledger, nights: list[date]) -> pa.Table:
    """Accounts (UNWRITTEN_SCHEMA) that loading the staged nights touches.

    They are the accounts named by the new rows and by the rows these replace, those of other rows that share a
    key with one of these, those that name an account which appears or goes, those with rows that wait, and
    those that an earlier load left unwritten.
    """
    with ledger.query() as connection:
        connection.register("unwritten", ledger.read_state("unwritten", UNWRITTEN_SCHEMA))
        connection.register("held", ledger.read_state("held", HELD_SCHEMA))
        connection.register("batch", pa.table({"night": pa.array(nights, pa.date32())}))
        for signal in SIGNALS:
            _create_changed(connection, ledger, signal, nights)
        sources = ["SELECT account_id FROM unwritten", "SELECT account_id FROM held"]
        for signal in SIGNALS:
            sources.append(f"SELECT account_id FROM changed_{signal.name}")
            if "account_id" not in signal.key:
                key = ", ".join(signal.key)
                sources.append(
                    f"SELECT account_id FROM ledger.{signal.name}"
                    f" WHERE ({key}) IN (SELECT ({key}) FROM changed_{signal.name})"
                )
            if signal.other_account:
                sources.append(
                    f"SELECT account_id FROM ledger.{signal.name}"
                    f" WHERE {signal.other_account} IN (SELECT account_id FROM changed_{ACCOUNTS.name})"
                )
        return connection.sql(" UNION ".join(sources) + " ORDER BY account_id").to_arrow_table().cast(UNWRITTEN_SCHEMA)


def _create_changed(connection: Connection, ledger: Ledger, signal: Signal, nights: list[date]) -> None:
    """Make the table of keys and accounts in the staged rows and in the rows that they replace."""
    columns = ", ".join(dict.fromkeys(["account_id", *signal.key]))
    sources = [f"SELECT {columns} FROM ledger.{signal.name} WHERE partition IN (FROM batch)"]
    files = [str(file) for night in nights if (file := ledger.staged_file(signal, night)).exists()]
    if files:
        connection.execute("SET VARIABLE files = $files", {"files": files})
        sources.append(f"SELECT {columns} FROM read_parquet(getvariable('files'), hive_partitioning = false)")
    connection.execute(f"CREATE TEMP TABLE changed_{signal.name} AS {' UNION '.join(sources)}")
