"""Which rows of the ledger are in force, and since when: the rules of the data contract as SQL.

A row is superseded by the next row with its key; it is ready once the accounts it is about are known; it
is in force when it is the last of its key and became ready within `held_days` of its partition. All of it
depends on the rows alone, never on the order in which nights were loaded.
"""

from ringwatch.graph_schema.signals import ACCOUNTS, SIGNALS, Signal
from ringwatch.pipelines.common.sql import Connection


def create_known_accounts(connection: Connection) -> None:
    """Make the table `known`: each account with the partition that first showed it."""
    connection.execute(
        "CREATE TEMP TABLE known AS"
        " SELECT account_id, min(partition) AS known_from FROM ledger.accounts GROUP BY account_id"
    )


def create_rows(connection: Connection, signal: Signal, *, only: str = "true") -> None:
    """Make the table `rows_<signal>` with the days `superseded_from`, `ready_from`, `other_known_from`, or null.

    Args:
        connection: has `ledger.<signal>` and `known`.
        signal: whose rows.
        only: SQL condition on a row; rows that share a key with those it picks come along.
    """
    key = ", ".join(signal.key)
    same_key = ", ".join(f"r.{column}" for column in signal.key)
    chosen = only
    if "account_id" not in signal.key and only != "true":
        # Another account's row may have the same key, and decides which of the two is in force.
        chosen = f"({key}) IN (SELECT ({key}) FROM ledger.{signal.name} WHERE {only})"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE rows_{signal.name} AS"
        f" SELECT r.*, {_ready_from(signal)} AS ready_from, {_other_known_from(signal)} AS other_known_from,"
        f" lead(partition) OVER (PARTITION BY {same_key} ORDER BY precedence) AS superseded_from"
        f" FROM (FROM ledger.{signal.name} WHERE {chosen}) r{_joins(signal)}"
    )


def _other_known_from(signal: Signal) -> str:
    return "o.known_from" if signal.other_account else "NULL::DATE"


def _joins(signal: Signal) -> str:
    joins = "" if signal is ACCOUNTS else " LEFT JOIN known k ON k.account_id = r.account_id"
    if signal.other_account:
        joins += f" LEFT JOIN known o ON o.account_id = r.{signal.other_account}"
    return joins


def _ready_from(signal: Signal) -> str:
    if signal is ACCOUNTS:
        return "partition"
    if not signal.other_account:
        return "k.known_from"
    # Null, not ready, when either is unknown: greatest() would pass over a null.
    both = "CASE WHEN k.known_from >= o.known_from THEN k.known_from WHEN o.known_from IS NOT NULL THEN"
    both += " CASE WHEN k.known_from IS NOT NULL THEN o.known_from END END"
    waits = f"r.{signal.alternative_to_other} IS NULL AND r.{signal.other_account} IS NOT NULL"
    return f"CASE WHEN {waits} THEN {both} ELSE k.known_from END"


def in_force(held_days: int) -> str:
    """SQL condition on `rows_<signal>`: the row counts in the graph."""
    return f"superseded_from IS NULL AND ready_from <= partition + {held_days}"


def create_views(connection: Connection, *, held_days: int, only: dict[str, str] | str = "true") -> None:
    """Make the views that the graph's declaration selects from: one a signal, of the rows in force.

    Args:
        connection: has `ledger.<signal>` and `known`.
        held_days: how long a row may have waited for its account.
        only: SQL condition on a row, for all signals or by signal.
    """
    for signal in SIGNALS:
        condition = only if isinstance(only, str) else only.get(signal.name, "false")
        create_rows(connection, signal, only=condition)
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {signal.name} AS"
            f" FROM rows_{signal.name} WHERE {in_force(held_days)} AND {condition}"
        )
