"""Entries as CSV that is safe to open in a spreadsheet."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwatch.pipelines.ban_list.cells import from_csv, to_csv
from ringwatch.pipelines.ban_list.rules.entries import Entry


def entry(**changes):
    at = datetime(2026, 4, 2, tzinfo=UTC)
    values = {
        "account_id": "a", "action": "ban", "ring_id": None, "fraud_score": 0.9, "decided_by": "rule", "reasons": (),
        "evidence": "[]", "first_listed_at": at, "expires_at": at, "appeal_by": at, "run_id": "r", "model_version": "m",
    }  # fmt: skip
    return Entry(**{**values, **changes})


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1"])
def test_a_cell_that_a_spreadsheet_would_run_is_escaped(text):
    [_, row] = csv.reader(io.StringIO(to_csv([entry(account_id=text)]).decode(), newline=""))
    assert row[0] == f"'{text}"


def test_lists_in_cells_are_json():
    [row] = csv.DictReader(io.StringIO(to_csv([entry(reasons=("a, b", 'c "d"'))]).decode()))
    assert json.loads(row["reasons"]) == ["a, b", 'c "d"']


@given(
    account_id=st.text(min_size=1).filter(lambda text: "\x00" not in text),
    reasons=st.lists(st.text(), max_size=3),
    score=st.none() | st.floats(0, 1),
)
def test_what_is_written_can_be_read_again(account_id, reasons, score):
    written = entry(account_id=account_id, reasons=tuple(reasons), fraud_score=score)
    assert from_csv(to_csv([written])) == [written]
