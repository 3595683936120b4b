"""What counts as a landing zone, a partition and a file of it."""

import os
from datetime import date

import pytest

from ringwatch.graph_schema.signals import ACCOUNTS, PAYMENTS
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.ingest.landing import check_landing, delivery, fingerprint, partition_dates

DAY = date(2026, 4, 1)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "accounts" / "date=2026-04-01"
    folder.mkdir(parents=True)
    return folder


def delivered(landing, *, require_success_file=False):
    return delivery(landing, ACCOUNTS, DAY, require_success_file=require_success_file)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(RingwatchError, match=r"nowhere is not a folder: give the one that holds the signals' folders"):
        check_landing(tmp_path / "nowhere")


def test_a_folder_without_signals_names_what_was_found_and_what_was_expected(folder):
    with pytest.raises(RingwatchError, match=r"found date=2026-04-01, expected at least one folder of accounts, pay"):
        check_landing(folder.parent)


def test_an_empty_folder_says_that_nothing_was_found(tmp_path):
    with pytest.raises(RingwatchError, match="found nothing"):
        check_landing(tmp_path)


def test_stray_folders_are_reported_and_indicators_are_not(tmp_path, folder):
    for stray in ("acounts", "indicators", "_work", "accounts/date=2026-02-30", "accounts/date=20260401"):
        (tmp_path / stray).mkdir()
    assert check_landing(tmp_path) == [
        "acounts in the landing zone is no known signal and was ignored",
        "accounts/date=2026-02-30 is not named date=YYYY-MM-DD and was ignored",
        "accounts/date=20260401 is not named date=YYYY-MM-DD and was ignored",
    ]


def test_partition_dates_are_sorted_and_skip_bad_ones(tmp_path, folder):
    for name in ("date=2025-12-31", "date=2026-13-01", "2026-04-02", "date=2026-04-02.tmp"):
        (folder.parent / name).mkdir()
    assert partition_dates(tmp_path, ACCOUNTS) == [date(2025, 12, 31), DAY]
    assert partition_dates(tmp_path, PAYMENTS) == []


def test_files_come_by_name_and_hidden_or_unfinished_ones_do_not(tmp_path, folder):
    for name in ("b.csv", "a.jsonl", "c.csv.gz", "d.parquet", "_SUCCESS", ".a.csv.crc", "e.csv.tmp", "notes.txt"):
        (folder / name).touch()
    found = delivered(tmp_path)
    assert [path.name for path in found.files] == ["a.jsonl", "b.csv", "c.csv.gz", "d.parquet"]
    assert [path.name for path in found.ignored] == ["notes.txt"]


def test_an_empty_partition_is_a_delivery_and_a_missing_one_is_none(tmp_path, folder):
    assert delivered(tmp_path).files == ()
    assert delivery(tmp_path, PAYMENTS, DAY, require_success_file=False) is None


def test_a_success_file_can_be_demanded(tmp_path, folder):
    assert delivered(tmp_path, require_success_file=True) is None
    (folder / "_SUCCESS").touch()
    assert delivered(tmp_path, require_success_file=True) is not None


def test_a_fingerprint_changes_with_names_and_content_and_not_when_a_file_is_written_again(tmp_path, folder):
    file = folder / "a.csv"
    file.write_text("x")
    first = fingerprint(delivered(tmp_path))
    assert fingerprint(delivered(tmp_path)) == first
    os.utime(file, (1, 1))
    assert fingerprint(delivered(tmp_path)) == first
    file.write_text("y")
    changed = fingerprint(delivered(tmp_path))
    file.rename(folder / "b.csv")
    renamed = fingerprint(delivered(tmp_path))
    assert len({first, changed, renamed}) == 3
