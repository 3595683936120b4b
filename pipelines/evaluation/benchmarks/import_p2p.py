"""Turns Neo4j's anonymised P2P payment data (its Parquet edition) into a landing zone that keeps the real dates.

An account appears on the day of its first card, device or transfer; a chargeback label on the day it became known;
what was decided without a date, at the end of the data. Labels become rows of `labels` and nothing else: neither
`created_at` nor any other column is made from them.
"""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringwatch.graph_schema.signals import ACCOUNTS, DEVICE_EVENTS, LABELS, PAYMENTS, Signal
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.sql import ConversionError, open_connection

FILE_NAME = "p2p.parquet"
SOURCE_COLUMNS = {
    "User": ("id", "guid", "fraudMoneyTransfer", "firstChargebackMtDate"),
    "HAS_CC": ("id", "from_user_id", "to_card_id", "cardDate"),
    "USED": ("id", "from_user_id", "to_device_id", "deviceDate"),
    "P2P": ("id", "from_user_id", "to_user_id", "transactionDateTime", "totalAmount"),
    "REFERRED": ("id", "from_user_id", "to_user_id"),
    "Device": ("id", "guid", "os", "device"),
}
_NEVER = "1900-01-01"

# Times come as 2017-12-08T17:49:26Z and as 2017-12-08T17:49Z; both start with what is needed.
_VIEWS = f"""
CREATE VIEW transfer AS SELECT id, from_user_id, to_user_id, totalAmount AS amount,
    strptime(rtrim(transactionDateTime, 'Z'), ['%Y-%m-%dT%H:%M:%S', '%Y-%m-%dT%H:%M']) AS moment FROM P2P;
CREATE VIEW card AS SELECT id, from_user_id AS user_id, to_card_id, cardDate::TIMESTAMP AS moment FROM HAS_CC;
CREATE VIEW device_use AS SELECT id, from_user_id AS user_id, to_device_id, deviceDate::TIMESTAMP AS moment FROM USED;
CREATE VIEW appearance AS
    SELECT user_id, moment FROM card UNION ALL SELECT user_id, moment FROM device_use
    UNION ALL SELECT from_user_id, moment FROM transfer UNION ALL SELECT to_user_id, moment FROM transfer;
CREATE VIEW first_appearance AS SELECT user_id, min(moment) AS moment FROM appearance GROUP BY user_id;
CREATE VIEW end_of_data AS SELECT max(moment)::DATE::TIMESTAMP AS moment FROM appearance;
CREATE VIEW decision AS SELECT guid AS account_id, fraudMoneyTransfer = 1 AS is_fake,
    nullif(firstChargebackMtDate, '{_NEVER}')::TIMESTAMP AS charged_back_at
    FROM User WHERE fraudMoneyTransfer IS NOT NULL;
CREATE VIEW label AS SELECT account_id, CASE WHEN is_fake THEN 'fake' ELSE 'legitimate' END AS label,
    coalesce(charged_back_at, end_of_data.moment) AS labelled_at,
    CASE WHEN charged_back_at IS NULL THEN 'manual_review' ELSE 'chargeback' END AS source
    FROM decision, end_of_data;
"""

# Each ends in `day`, the partition, and is ordered by it.
_ROWS = {
    ACCOUNTS: """
        SELECT u.guid AS account_id, f.moment AS created_at, referrer.guid AS referred_by_account_id,
            f.moment::DATE AS day
        FROM User u JOIN first_appearance f ON f.user_id = u.id
        LEFT JOIN REFERRED r ON r.to_user_id = u.id LEFT JOIN User referrer ON referrer.id = r.from_user_id
        ORDER BY day, account_id""",
    PAYMENTS: """
        SELECT * FROM (
            SELECT 'card-added-' || c.id AS payment_id, u.guid AS account_id, c.moment AS occurred_at,
                'instrument_added' AS status, 'card-' || c.to_card_id AS instrument_id, 'card' AS instrument_type,
                NULL::DOUBLE AS amount, NULL::VARCHAR AS payee_account_id, c.moment::DATE AS day
            FROM card c JOIN User u ON u.id = c.user_id
            UNION ALL
            SELECT 'transfer-' || t.id, payer.guid, t.moment, 'succeeded', NULL, NULL, t.amount, payee.guid,
                t.moment::DATE
            FROM transfer t JOIN User payer ON payer.id = t.from_user_id JOIN User payee ON payee.id = t.to_user_id
        ) ORDER BY day, occurred_at, payment_id""",
    DEVICE_EVENTS: """
        SELECT u.guid AS account_id, d.guid AS device_id, e.moment AS first_seen_at, e.moment AS last_seen_at,
            1::BIGINT AS n_events, d.os, d.device AS device_model, e.moment::DATE AS day
        FROM device_use e JOIN User u ON u.id = e.user_id JOIN Device d ON d.id = e.to_device_id
        ORDER BY day, account_id, device_id""",
    LABELS: "SELECT *, labelled_at::DATE AS day FROM label ORDER BY day, account_id",
}


def import_p2p(source: Path, landing: Path, progress: Callable[[float], None] = lambda share: None) -> dict[str, int]:
    """Write the landing zone.

    Args:
        source: the folder of User.parquet, HAS_CC.parquet, USED.parquet, P2P.parquet, REFERRED.parquet, Device.parquet.
        landing: where to; what an earlier import left there is replaced, other files stay.
        progress: called with the share of partitions written.

    Returns:
        Rows written, by signal.

    Raises:
        RingwatchError: a file is missing, or is not what this edition holds.
    """
    tables = _read_rows(source)
    for stale in landing.glob(f"*/date=*/{FILE_NAME}"):
        stale.unlink()
    n_partitions = sum(len(pc.unique(table["day"])) for table in tables.values())
    n_written = 0
    for signal, table in tables.items():
        for day, rows in _by_day(table):
            folder = landing / signal.name / f"date={day}"
            folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(rows, folder / FILE_NAME)
            n_written += 1
            progress(n_written / n_partitions)
    return {signal.name: table.num_rows for signal, table in tables.items()}


def _read_rows(source: Path) -> dict[Signal, pa.Table]:
    with open_connection(threads=1) as connection:
        for name, columns in SOURCE_COLUMNS.items():
            connection.register(name, _read_source(source / f"{name}.parquet", columns))
        try:
            connection.execute(_VIEWS)
            return {signal: connection.sql(sql).to_arrow_table() for signal, sql in _ROWS.items()}
        except ConversionError as error:
            raise RingwatchError(f"the P2P data in {source} holds a date that is none: {error}.") from None


def _read_source(path: Path, columns: tuple[str, ...]) -> pa.Table:
    if not path.is_file():
        expected = ", ".join(f"{name}.parquet" for name in SOURCE_COLUMNS)
        raise RingwatchError(f"{path} is missing: give the folder that holds the P2P data ({expected}).")
    try:
        return pq.read_table(path, columns=list(columns)).replace_schema_metadata(None)
    except pa.ArrowException as error:
        raise RingwatchError(
            f"{path} is not the P2P data's: expected Parquet with the columns {', '.join(columns)} ({error})."
        ) from None


def _by_day(table: pa.Table) -> list[tuple[object, pa.Table]]:
    """A sorted table's days and their rows, times in UTC."""
    timestamps = {
        name: table[name].cast(pa.timestamp("us", tz="UTC"))
        for name in table.column_names
        if pa.types.is_timestamp(table.schema.field(name).type)
    }
    rows = pa.table({name: timestamps.get(name, table[name]) for name in table.column_names if name != "day"})
    days = pc.run_end_encode(table["day"].combine_chunks())
    parts = []
    start = 0
    for day, end in zip(days.values.to_pylist(), days.run_ends.to_pylist(), strict=True):
        parts.append((day, rows.slice(start, end - start)))
        start = end
    return parts
