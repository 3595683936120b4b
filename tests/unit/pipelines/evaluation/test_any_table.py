import numpy as np
import pandas as pd
import pytest

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.evaluation.benchmarks.any_table import TableColumns, read_table

pytestmark = pytest.mark.unit
COLUMNS = TableColumns("fake", ["device"], ["age"], ["joined", "paid"], ["browser"])


def _rows(n=40):
    """Pairs of rows on a device, every fourth pair fake; the last row has no device and no label."""
    rows = pd.DataFrame(
        {
            "fake": [str(int(i // 2 % 4 == 0)) for i in range(n)],
            "device": [f"{i // 2:03d}" for i in range(n)],
            "age": [str(20 + i) for i in range(n)],
            "joined": [f"2026-01-{1 + i % 28:02d} 10:00" for i in range(n)],
            "paid": [f"2026-02-{1 + i % 28:02d} 10:00" for i in range(n)],
            "browser": ["Firefox" if i % 3 else "Safari" for i in range(n)],
        }
    )
    rows.loc[n - 1, ["fake", "device"]] = None
    return rows


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "table.csv"
    _rows().to_csv(path, index=False)
    return path


def test_a_component_is_in_one_fold_and_every_known_row_is_tested_once(file):
    table = read_table(file, COLUMNS, n_folds=3, seed=0)
    tested = np.stack([split.is_test for split in table.splits])
    assert tested.sum(axis=0).tolist() == [1] * 39 + [0]
    fold = tested.argmax(axis=0)[:38]
    assert (fold[::2] == fold[1::2]).all()
    for split in table.splits:
        assert not (split.is_training & split.is_test).any()
        assert not split.is_training[39]


def test_rows_are_tied_by_equal_values_and_not_by_empty_ones(file):
    table = read_table(file, COLUMNS, n_folds=3, seed=0)
    edges = table.data["device", "SHARES_device", ACCOUNT.label].edge_index.numpy()
    assert edges.shape == (2, 38)
    assert (edges[0][::2] == edges[0][1::2]).all()


def test_csv_and_parquet_give_the_same(tmp_path, file):
    rows = _rows()
    rows.to_parquet(tmp_path / "table.parquet")
    one, other = (read_table(each, COLUMNS, n_folds=3, seed=0) for each in (file, tmp_path / "table.parquet"))
    np.testing.assert_array_equal(one.data[ACCOUNT.label].x, other.data[ACCOUNT.label].x)
    assert one.data[ACCOUNT.label].inputs == ("age", "paid after joined", "n of browser", "n of device")


@pytest.mark.parametrize(
    ("change", "columns", "says"),
    [
        ({}, TableColumns("fraud", ["device"]), "lacks fraud; its columns are fake, device"),
        ({"fake": "maybe"}, COLUMNS, "'maybe': a label is 1, 0, or empty"),
        ({"joined": "soon"}, COLUMNS, "joined holds no time"),
        ({"age": "old"}, COLUMNS, "age holds no number: give a column of words as --category"),
        ({"device": "one"}, COLUMNS, "hang together over device"),
        ({"fake": "0"}, COLUMNS, "0 fakes .* too few components for 3 folds"),
    ],
)
def test_a_table_that_cannot_be_judged_says_why(tmp_path, change, columns, says):
    path = tmp_path / "table.csv"
    _rows().assign(**change).to_csv(path, index=False)
    with pytest.raises(RingwatchError, match=says):
        read_table(path, columns, n_folds=3, seed=0)


def test_a_file_that_is_no_table_is_a_clear_error(tmp_path):
    (tmp_path / "table.parquet").write_text("no")
    with pytest.raises(RingwatchError, match="cannot be read as a table"):
        read_table(tmp_path / "table.parquet", COLUMNS, n_folds=3, seed=0)
