"""Which of two rows with one key wins, by partition, file and position."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwatch.graph_schema.signals import ACCOUNTS
from ringwatch.pipelines.ingest.batches import gather_batches, precedence
from ringwatch.pipelines.ingest.landing import Delivery
from ringwatch.pipelines.ingest.readers import RawFile

pytestmark = pytest.mark.unit
DAY = date(2026, 4, 1)
PLACES = st.tuples(st.integers(0, 100_000), st.integers(0, 16_382), st.integers(1, 2**34 - 1))


@given(PLACES, PLACES)
def test_rows_are_ranked_by_partition_then_file_then_position(one, other):
    ranks = [precedence(date(1970, 1, 1) + timedelta(days=days), file, row) for days, file, row in (one, other)]
    assert (ranks[0] < ranks[1]) == (one < other)


def test_a_partition_of_more_than_16384_files_stays_in_order_and_before_the_next_day():
    names = tuple(Path(f"{number:05}.parquet") for number in range(16_390))
    delivered = Delivery(ACCOUNTS, DAY, names, ())
    raw = RawFile(pa.table({"account_id": ["a", "b"]}), np.array([1, 2], dtype=np.int64))
    batches = gather_batches((delivered, name, raw) for name in names)
    ranks = np.concatenate([batch.origin()["precedence"].to_numpy() for batch in batches])
    assert (np.diff(ranks) > 0).all()
    assert ranks[-1] < precedence(DAY + timedelta(days=1), 0, 1)
