import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.evaluation.others import days_of_world, read_truth_of_others

pytestmark = pytest.mark.unit
COLUMNS = {
    "account_id": ["b", "a", "c"],
    "is_fake": [True, False, True],
    "campaign": ["op1", None, None],
    "first_active_date": [dt.date(2026, 4, 2), None, None],
}


def _write(folder, **changes):
    columns = {name: values for name, values in (COLUMNS | changes).items() if values is not None}
    pq.write_table(pa.table(columns), folder / "truth.parquet")
    return folder


def test_truth_is_read_by_the_columns_that_everybody_has(tmp_path):
    rows = {row["account_id"]: row for row in read_truth_of_others(_write(tmp_path)).to_pylist()}
    assert list(rows) == ["a", "b", "c"]
    of_a = {name: rows["a"][name] for name in ("is_fake", "campaign", "group", "kind")}
    assert of_a == {"is_fake": False, "campaign": None, "group": None, "kind": "ordinary"}
    assert rows["b"]["first_active_at"] == dt.datetime(2026, 4, 2, tzinfo=dt.UTC)
    assert rows["b"]["group"] == rows["b"]["campaign"] == "op1"
    assert (rows["c"]["campaign"], rows["c"]["kind"]) == ("unnamed", "fake")


def test_a_fake_without_a_date_was_one_from_its_first_day(tmp_path):
    rows = {row["account_id"]: row for row in read_truth_of_others(_write(tmp_path)).to_pylist()}
    assert rows["c"]["first_active_at"].year == 1970


def test_kinds_and_cells_are_read_where_they_are_given(tmp_path):
    world = _write(tmp_path, kind=["distill:own", "student", "spam:bought"], cell=["x", "dorm", "y"])
    rows = {row["account_id"]: row for row in read_truth_of_others(world).to_pylist()}
    assert [rows[id_]["kind"] for id_ in "abc"] == ["student", "distill", "spam"]
    assert [rows[id_]["group"] for id_ in "abc"] == ["dorm", "x", "y"]


@pytest.mark.parametrize(
    ("change", "says"), [({"is_fake": None}, "lacks is_fake"), ({"campaign": None}, "lacks campaign")]
)
def test_a_column_that_is_missing_is_named(tmp_path, change, says):
    with pytest.raises(RingwatchError, match=says):
        read_truth_of_others(_write(tmp_path, **change))


def test_a_world_without_its_truth_says_what_it_needs(tmp_path):
    with pytest.raises(RingwatchError, match="needs its truth, with the columns account_id, is_fake"):
        read_truth_of_others(tmp_path)


def test_a_truth_that_is_no_parquet_is_a_clear_error(tmp_path):
    (tmp_path / "truth.parquet").write_text("no")
    with pytest.raises(RingwatchError, match="cannot be read"):
        read_truth_of_others(tmp_path)


def test_days_are_those_of_any_signal(tmp_path):
    for name in ("accounts/date=2026-04-01", "labels/date=2026-04-03", "accounts/date=nonsense"):
        (tmp_path / "landing" / name).mkdir(parents=True)
    assert days_of_world(tmp_path) == [dt.date(2026, 4, 1), dt.date(2026, 4, 3)]


def test_a_folder_without_a_landing_zone_is_a_clear_error(tmp_path):
    with pytest.raises(RingwatchError, match=r"landing zone .* is not a folder"):
        days_of_world(tmp_path)
