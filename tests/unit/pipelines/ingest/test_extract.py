"""Files as they lie: raw columns, row numbers, and what a broken line or file costs."""

import csv
import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwatch.graph_schema.signals import ACCOUNTS, DEVICE_EVENTS
from ringwatch.pipelines.ingest.casting.cast import as_text
from ringwatch.pipelines.ingest.readers import read_file
from ringwatch.pipelines.ingest.text_rows import Lines, csv_records


@pytest.fixture
def read(tmp_path):
    def read(content, name="part-0.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_file(path, DEVICE_EVENTS)

    return read


def broken(raw):
    return [(line.row, line.text) for line in raw.broken]


def test_csv_is_text_and_empty_is_null(read):
    raw = read("account_id,n_events,os\n007,7,\n,8,ios\n")
    assert raw.table.to_pydict() == {"account_id": ["007", None], "n_events": ["7", "8"], "os": [None, "ios"]}
    assert raw.rows.tolist() == [1, 2]


def test_gzip_byte_order_mark_carriage_returns_and_blank_lines_are_no_obstacle(read):
    raw = read(gzip.compress(b"\xef\xbb\xbfaccount_id,os\r\n\r\na,x\r\n\r\nb,y"), "part-0.csv.gz")
    assert raw.table.to_pydict() == {"account_id": ["a", "b"], "os": ["x", "y"]}
    assert raw.rows.tolist() == [1, 2]


def test_a_line_with_too_few_or_too_many_cells_breaks_alone_and_keeps_its_number(read):
    raw = read("account_id,os\na,x\nb\nc,x,y\nd,z\n")
    assert raw.rows.tolist() == [1, 4]
    assert broken(raw) == [(2, "b"), (3, "c,x,y")]
    assert raw.broken[0].reason == "the line has 1 cells, the header has 2"


def test_bytes_that_are_not_utf8_break_their_row_only(read):
    raw = read(b"account_id,os\na,x\n\xff,y\nc,z\n")
    assert raw.table["account_id"].to_pylist() == ["a", "c"]
    assert broken(raw) == [(2, "\ufffd,y")]


def test_a_quote_that_never_closes_breaks_its_row_only(read):
    raw = read('account_id,os\na,x\nb,"y\nc,"z, ""w"""\nd,"two\nlines"\n')
    assert raw.table.to_pydict() == {"account_id": ["a", "c", "d"], "os": ["x", 'z, "w"', "two\nlines"]}
    assert raw.rows.tolist() == [1, 3, 4]
    assert broken(raw) == [(2, 'b,"y')]


def test_unknown_columns_are_named_and_left_out(read):
    raw = read("shoe_size,account_id\n44,a\n")
    assert raw.unknown_columns == ("shoe_size",)
    assert raw.table.column_names == ["account_id"]


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "part-0.csv", "it has no header"),
        (b"a1,d1,2026-04-01\na2,d2,2026-04-01\n", "part-0.csv", "it has no header"),
        (b"account_id,account_id\na,b\n", "part-0.csv", "column account_id comes twice"),
        (gzip.compress(b"account_id\n" + b"a\n" * 1000, mtime=0)[:-12], "part-0.csv.gz", "end-of-stream"),
        (b"no gzip at all", "part-0.csv.gz", "Not a gzipped file"),
        (b"PAR1 and then nothing", "part-0.parquet", "magic bytes"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_has_no_rows(read, content, name, reason):
    raw = read(content, name)
    assert reason in raw.unreadable
    assert (len(raw.rows), raw.broken) == (0, ())


def test_a_truncated_parquet_is_unreadable(tmp_path):
    path = tmp_path / "part-0.parquet"
    pq.write_table(pa.table({"account_id": ["a"] * 1000}), path)
    path.write_bytes(path.read_bytes()[:-20])
    assert read_file(path, DEVICE_EVENTS).unreadable


@pytest.mark.parametrize("content", ["account_id,os\n", "account_id,os"])
def test_a_csv_of_a_header_alone_has_no_rows(read, content):
    raw = read(content)
    assert (raw.unreadable, raw.table.num_rows, raw.table.column_names) == (None, 0, ["account_id", "os"])


def test_an_empty_jsonl_has_no_rows(read):
    raw = read("", "part-0.jsonl")
    assert (raw.unreadable, len(raw.rows)) == (None, 0)


def test_jsonl_lines_that_are_no_objects_break_alone(read):
    raw = read(b'{"account_id": "a"}\n\n{oops\n[1]\n"\xff"\n{"account_id": "b", "extra": 1}\n', "part-0.jsonl")
    assert raw.rows.tolist() == [1, 5]
    assert broken(raw) == [(2, "{oops"), (3, "[1]"), (4, '"\ufffd"')]
    assert raw.unknown_columns == ("extra",)


def test_jsonl_values_of_several_types_keep_theirs(read):
    raw = read('{"account_id": 7}\n{"account_id": "x"}\n{"account_id": true}\n{}\n{"account_id": {"a": 1}}', "a.jsonl")
    assert raw.table["account_id"].combine_chunks().storage.to_pylist() == ["7", '"x"', "true", None, '{"a": 1}']
    texts = as_text(raw.table["account_id"], ACCOUNTS.field("account_id"))
    assert texts.to_pylist() == ["7", "x", "true", None, '{"a": 1}']


def test_parquet_keeps_its_types(tmp_path):
    path = tmp_path / "part-0.parquet"
    pq.write_table(pa.table({"n_events": pa.array([1, 2], pa.int8()), "extra": [1, 2]}), path)
    raw = read_file(path, DEVICE_EVENTS)
    assert raw.table.schema.field("n_events").type == pa.int8()
    assert (raw.unknown_columns, raw.rows.tolist()) == (("extra",), [1, 2])


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)


@given(st.lists(st.tuples(cells, cells.map(lambda text: text + ".")), max_size=8))
def test_what_the_csv_module_writes_is_read_back(rows):
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    read = list(csv_records(Lines(iter(io.BytesIO(out.getvalue().encode()))), 2))
    assert read == [list(row) for row in rows]


@given(st.lists(st.sampled_from(["a,x", 'b,"y z"', "c,1,2", 'd,"q', "e", "f,g"]), max_size=12))
def test_no_line_is_lost_whatever_its_neighbours_are(texts):
    records = list(csv_records(Lines(iter([f"{text}\n".encode() for text in texts])), 2))
    assert len(records) == len(texts)
    assert [isinstance(record, tuple) for record in records] == [text in ("c,1,2", 'd,"q', "e") for text in texts]
