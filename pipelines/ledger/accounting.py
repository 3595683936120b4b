"""The arithmetic of a load: for each night and signal, where every row read has gone.

Works on the tables `rows_<signal>` of the accounts that a load touches, for a batch of nights: either one
night, loaded in any order, or many in a row that are later than all loaded before. A day outside the batch
has happened before the batch's first night; one inside happens in its turn.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from ringwatch.graph_schema.signals import SIGNALS, Signal
from ringwatch.pipelines.common.sql import Connection
from ringwatch.pipelines.ledger.store import HELD_RELATIONSHIPS_SCHEMA, HELD_SCHEMA

READ_COUNTS = ("loaded", "superseded", "quarantined", "held", "fields_nulled")
NIGHT_COUNTS = ("released", "expired", "held_relationships", "released_relationships")


@dataclass(frozen=True)
class Accounts:
    """What a batch did: counts by (night, signal), what waits now, and rows that waited too long."""

    read: dict[tuple[date, str], dict[str, int]]
    nights: dict[tuple[date, str], dict[str, int]]
    held: pa.Table
    held_relationships: pa.Table
    expired: dict[str, pa.Table]  # by signal: ledger rows, with `night`


def account_for(
    connection: Connection,
    *,
    nights: list[date],
    latest_before: date | None,
    held_days: int,
    held_before: pa.Table,
    held_relationships_before: pa.Table,
) -> Accounts:
    """Count a batch of nights.

    Args:
        connection: has `rows_<signal>`, and `touched` (the accounts of which these hold all rows).
        nights: the batch, in order.
        latest_before: the latest night loaded outside the batch.
        held_days: how long a row may wait.
        held_before: rows that waited before the batch (HELD_SCHEMA).
        held_relationships_before: relationships that did (HELD_RELATIONSHIPS_SCHEMA).
    """
    connection.register("held_before", held_before)
    connection.register("held_relationships_before", held_relationships_before)
    connection.register("batch", pa.table({"night": pa.array(nights, pa.date32())}))
    result = Accounts({}, {}, held_before, held_relationships_before, {})
    held, waiting = [], []
    for signal in SIGNALS:
        _create_judged(connection, signal, latest_before, max([*nights, latest_before or nights[0]]), held_days)
        result.read.update(_keyed(connection, signal, "partition", _READ))
        for name, sql in (("released", _RELEASED), ("expired", _EXPIRED)):
            for night, n in connection.execute(sql).fetchall():
                result.nights.setdefault((night, signal.name), {})[name] = n
        result.expired[signal.name] = connection.sql(_EXPIRED_ROWS).to_arrow_table()
        held.append(connection.sql(_STILL_HELD.format(signal=signal.name)).to_arrow_table())
        if signal.other_account:
            waiting.append(_count_relationships(connection, signal, nights, result))
    elsewhere = _elsewhere(connection, "held_relationships_before", "start_id")
    return Accounts(
        result.read,
        result.nights,
        pa.concat_tables([t.cast(HELD_SCHEMA) for t in held]),
        pa.concat_tables([t.cast(HELD_RELATIONSHIPS_SCHEMA) for t in [elsewhere, *waiting]]),
        {name: table for name, table in result.expired.items() if table.num_rows},
    )


def _create_judged(
    connection: Connection, signal: Signal, latest_before: date | None, latest: date, held_days: int
) -> None:
    """Make `fates`: each row with its `fate` when read (null outside the batch) and when they left waiting."""
    before = f"DATE '{latest_before}'" if latest_before else "NULL"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE fates AS
        WITH dated AS (
            SELECT *, partition IN (FROM batch) AS is_read, partition + {held_days} AS waits_until,
                coalesce(superseded_from = partition OR superseded_from NOT IN (FROM batch), false) AS is_superseded,
                coalesce(ready_from <= partition OR ready_from NOT IN (FROM batch), false) AS is_ready,
                coalesce(len(json_keys(nulled)), 0) AS n_nulled,
                DATE '{latest}' AS latest
            FROM rows_{signal.name} WHERE account_id IN (FROM touched)
        ), read AS (
            SELECT *, CASE
                WHEN NOT is_read THEN NULL
                WHEN is_superseded THEN 'superseded'
                WHEN is_ready THEN if(ready_from <= waits_until, 'loaded', 'quarantined')
                WHEN greatest(partition, {before}) > waits_until THEN 'quarantined'
                ELSE 'held' END AS fate
            FROM dated
        ), waited AS (
            SELECT *, fate = 'held' OR (NOT is_read AND precedence IN (
                SELECT precedence FROM held_before h WHERE h.signal = '{signal.name}' AND h.account_id = read.account_id
            )) AS was_held FROM read
        ), left_waiting AS (
            SELECT *,
                if(ready_from <= waits_until,
                    if(ready_from IN (FROM batch), ready_from, (SELECT min(night) FROM batch)), NULL) AS released_on,
                if(ready_from <= waits_until, NULL, if({before} > waits_until, (SELECT min(night) FROM batch),
                    (SELECT min(night) FROM batch WHERE night > waits_until))) AS expired_on
            FROM waited
        )
        SELECT *, was_held AND NOT coalesce(
            superseded_from NOT IN (FROM batch) OR superseded_from <= coalesce(released_on, expired_on), false
        ) AS left_by_itself FROM left_waiting
        """
    )


_READ = f"""
    SELECT partition, {", ".join(f"count(*) FILTER (fate = '{s}') AS {s}" for s in READ_COUNTS[:-1])},
        coalesce(sum(n_nulled) FILTER (fate IN ('loaded', 'held')), 0)::BIGINT AS fields_nulled
    FROM fates WHERE is_read GROUP BY partition
"""
_RELEASED = "SELECT released_on, count(*) FROM fates WHERE left_by_itself AND released_on IS NOT NULL GROUP BY 1"
_EXPIRED = "SELECT expired_on, count(*) FROM fates WHERE left_by_itself AND expired_on IS NOT NULL GROUP BY 1"
_EXPIRED_ROWS = """
    SELECT * EXCLUDE (superseded_from, ready_from), coalesce(expired_on, partition) AS night FROM fates
    WHERE fate = 'quarantined' OR (left_by_itself AND expired_on IS NOT NULL)
"""
_STILL_HELD = """
    SELECT '{signal}' AS signal, account_id, precedence FROM fates
    WHERE superseded_from IS NULL AND ready_from IS NULL AND latest <= waits_until
"""


def _keyed(connection: Connection, signal: Signal, key: str, sql: str) -> dict[tuple[date, str], dict[str, int]]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    records = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {(record.pop(key), signal.name): record for record in records}


def _count_relationships(connection: Connection, signal: Signal, nights: list[date], result: Accounts) -> pa.Table:
    """Count the signal's waiting relationships night by night; returns those that wait at the end."""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE waiting AS
        WITH pairs AS (
            SELECT account_id AS start_id, {signal.other_account} AS end_id,
                {_turn("greatest(partition, ready_from)")} AS from_night,
                {_turn("other_known_from")} AS resolved_on,
                {_turn("superseded_from")} AS gone_on
            FROM fates
            WHERE {signal.other_account} IS NOT NULL AND {signal.alternative_to_other} IS NOT NULL
                AND NOT is_superseded AND ready_from <= waits_until
        )
        SELECT *, (start_id, end_id) IN (
            SELECT (start_id, end_id) FROM held_relationships_before WHERE signal = '{signal.name}'
        ) AS waited_before
        FROM pairs WHERE resolved_on IS NULL OR from_night < resolved_on OR waited_before
        """
    )
    elsewhere = _elsewhere(connection, "held_relationships_before", "start_id")
    n_elsewhere = sum(name == signal.name for name in elsewhere["signal"].to_pylist())
    standing = dict(connection.execute(_STANDING).fetchall())
    released = dict(connection.execute(_RELEASED_RELATIONSHIPS).fetchall())
    for night in nights:
        counts = result.nights.setdefault((night, signal.name), {})
        counts["held_relationships"] = standing.get(night, 0) + n_elsewhere
        counts["released_relationships"] = released.get(night, 0)
    return connection.sql(
        f"SELECT DISTINCT '{signal.name}' AS signal, start_id, end_id FROM waiting"
        " WHERE resolved_on IS NULL AND gone_on IS NULL"
    ).to_arrow_table()


def _turn(day: str) -> str:
    """The night of the batch at which a day has its effect; null stays null."""
    return f"if({day} IN (FROM batch), {day}, if({day} IS NULL, NULL, (SELECT min(night) FROM batch)))"


_STANDING = """
    SELECT night, count(DISTINCT (start_id, end_id)) FROM batch JOIN waiting
    ON from_night <= night AND coalesce(resolved_on > night, true) AND coalesce(gone_on > night, true) GROUP BY night
"""
_RELEASED_RELATIONSHIPS = """
    SELECT resolved_on, count(DISTINCT (start_id, end_id)) FROM waiting
    WHERE (from_night < resolved_on OR waited_before) AND coalesce(gone_on > resolved_on, true) GROUP BY resolved_on
"""


def _elsewhere(connection: Connection, table: str, account: str) -> pa.Table:
    """What waits for accounts that the batch does not touch."""
    return connection.sql(f"FROM {table} WHERE {account} NOT IN (FROM touched)").to_arrow_table()


def total(parts: list[dict[str, Any]]) -> dict[str, int]:
    """Sum counts of the same names."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: sum(part.get(name, 0) for part in parts) for name in names}
