"""Worlds that others made: a landing zone by the data contract, and a truth.parquet beside it.

Their truth judges and nothing else. Training sees what any platform has: the labels in the landing zone.
"""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringwatch.graph_schema.signals import SIGNALS
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.ingest.landing import check_landing, partition_dates
from ringwatch.pipelines.simulate.truth import TRUTH_SCHEMA

_REQUIRED = ("account_id", "is_fake", "campaign", "first_active_date")
_GROUPS = ("group", "cell")  # who acts together within a campaign


def days_of_world(folder: Path) -> list[date]:
    """The days that a world delivers, in order.

    Raises:
        RingwatchError: it has no landing zone, or none with a day in it.
    """
    landing = folder / "landing"
    check_landing(landing)
    days = sorted({day for signal in SIGNALS for day in partition_dates(landing, signal)})
    if not days:
        raise RingwatchError(f"{landing} delivers no day: its signals hold folders date=YYYY-MM-DD.")
    return days


def read_truth_of_others(folder: Path) -> pa.Table:
    """The truth of a world, as that of simulated ones: TRUTH_SCHEMA, sorted by account_id.

    An account that is fake without a first_active_date was so from its first day. `kind` (a fake's up to a colon is the
    type of its campaign) and `cell` or `group` (who acts together) are read where they are given.

    Raises:
        RingwatchError: the file is missing, cannot be read, or lacks a column.
    """
    path = folder / "truth.parquet"
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise RingwatchError(
            f"{path} is missing: a world needs its truth, with the columns {', '.join(_REQUIRED)}."
        ) from None
    except (OSError, pa.ArrowInvalid) as error:
        raise RingwatchError(f"{path} cannot be read: {error}.") from None
    missing = [name for name in _REQUIRED if name not in table.column_names]
    if missing:
        raise RingwatchError(f"{path} lacks {', '.join(missing)}; its columns are {', '.join(table.column_names)}.")
    is_fake = table["is_fake"].cast(pa.bool_())
    campaign = pc.if_else(is_fake, pc.fill_null(table["campaign"].cast(pa.string()), "unnamed"), None)
    active = table["first_active_date"].cast(pa.timestamp("us"))
    named = next((table[name].cast(pa.string()) for name in _GROUPS if name in table.column_names), campaign)
    kind = table["kind"].cast(pa.string()) if "kind" in table.column_names else pc.if_else(is_fake, "fake", "ordinary")
    columns = {
        "account_id": table["account_id"].cast(pa.string()),
        "is_fake": is_fake,
        "campaign": campaign,
        "group": named,
        "kind": pc.if_else(is_fake, pc.list_element(pc.split_pattern(kind, ":"), 0), kind),
        "first_active_at": pc.fill_null(active, pa.scalar(0, pa.timestamp("us"))).cast(pa.timestamp("us", "UTC")),
    }
    arrays = [columns[field.name].cast(field.type) for field in TRUTH_SCHEMA if field.name in columns]
    schema = pa.schema([field for field in TRUTH_SCHEMA if field.name in columns])
    return pa.table(arrays, schema=schema).sort_by("account_id")
