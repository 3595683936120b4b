"""The P2P data as a landing zone: real dates kept, labels known when they were, no ring cut by the test data."""

import hashlib
import shutil
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ringwatch.graph_schema.signals import ACCOUNTS, DEVICE_EVENTS, LABELS, PAYMENTS, SIGNALS_BY_NAME
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.evaluation.benchmarks.import_p2p import import_p2p
from ringwatch.pipelines.ingest.landing import check_landing, delivery, partition_dates
from ringwatch.pipelines.ingest.validation import check

CUT = Path(__file__).parents[3] / "data" / "p2p"
SIGNALS = (ACCOUNTS, PAYMENTS, DEVICE_EVENTS, LABELS)


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    landing = tmp_path_factory.mktemp("p2p")
    import_p2p(CUT, landing)
    return landing


@pytest.fixture(scope="module")
def rows(landing):
    """Accepted rows of each signal, after the door's checks."""
    tables = {}
    for signal in SIGNALS:
        days = partition_dates(landing, signal)
        found = [delivery(landing, signal, day, require_success_file=False) for day in days]
        checked = check(signal, found, quarantine_limit=0.0, docs=None)
        assert [night.over_limit for night in checked.values() if night.over_limit] == []
        assert {note for night in checked.values() for note in night.notes} == set()
        tables[signal.name] = pa.concat_tables([checked[day].accepted for day in days]).to_pylist()
    return tables


def source(name):
    return pq.read_table(CUT / f"{name}.parquet").to_pylist()


GUIDS = {row["id"]: row["guid"] for row in source("User")}


def digest(landing):
    files = sorted(landing.rglob("*.parquet"))
    return {str(file.relative_to(landing)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_every_row_passes_the_door(landing, rows):
    counts = {name: len(table) for name, table in rows.items()}
    assert counts == {"accounts": 578, "payments": 3542 + 3853, "device_events": 1059, "labels": 413 + 79}
    assert check_landing(landing) == []


def test_each_partition_describes_its_own_day(landing):
    moments = {
        "accounts": "created_at",
        "payments": "occurred_at",
        "device_events": "first_seen_at",
        "labels": "labelled_at",
    }
    for name, moment in moments.items():
        for day in partition_dates(landing, SIGNALS_BY_NAME[name]):
            table = pq.read_table(landing / name / f"date={day}" / "p2p.parquet", columns=[moment])
            assert {value.date() for value in table[moment].to_pylist()} == {day}


def test_an_account_is_created_at_its_first_appearance(rows):
    seen = {}
    for payment in rows["payments"]:
        for account_id in filter(None, (payment["account_id"], payment["payee_account_id"])):
            seen.setdefault(account_id, []).append(payment["occurred_at"])
    for event in rows["device_events"]:
        seen.setdefault(event["account_id"], []).append(event["first_seen_at"])
    assert {row["account_id"]: row["created_at"] for row in rows["accounts"]} == {a: min(at) for a, at in seen.items()}


def test_cards_are_added_instruments_and_transfers_are_paid_from_balance(rows):
    cards = [row for row in rows["payments"] if row["status"] == "instrument_added"]
    transfers = [row for row in rows["payments"] if row["status"] == "succeeded"]
    assert {(row["account_id"], row["instrument_id"]) for row in cards} == {
        (GUIDS[row["from_user_id"]], f"card-{row['to_card_id']}") for row in source("HAS_CC")
    }
    assert Counter((row["account_id"], row["payee_account_id"], row["amount"]) for row in transfers) == Counter(
        (GUIDS[row["from_user_id"]], GUIDS[row["to_user_id"]], row["totalAmount"]) for row in source("P2P")
    )
    assert {row["instrument_id"] for row in transfers} | {row["payee_account_id"] for row in cards} == {None}
    assert len({row["payment_id"] for row in rows["payments"]}) == len(rows["payments"])


def test_both_forms_of_time_are_read(rows):
    texts = {row["transactionDateTime"] for row in source("P2P")}
    assert {len(text) for text in texts} == {len("2017-12-08T17:49Z"), len("2017-12-08T17:49:26Z")}
    assert {row["occurred_at"] for row in rows["payments"] if row["status"] == "succeeded"} == {
        datetime.fromisoformat(text) for text in texts
    }


def test_labels_are_known_from_the_chargeback_on_or_from_the_end_of_the_data(rows):
    end = max(row["occurred_at"] for row in rows["payments"]).replace(hour=0, minute=0, second=0)
    labels = {row["account_id"]: row for row in rows["labels"]}
    for user in source("User"):
        label = labels.get(user["guid"])
        if user["fraudMoneyTransfer"] is None:
            assert label is None
        elif user["firstChargebackMtDate"] == "1900-01-01":
            expected = "fake" if user["fraudMoneyTransfer"] else "legitimate"
            assert (label["label"], label["source"], label["labelled_at"]) == (expected, "manual_review", end)
        else:
            known = datetime.fromisoformat(user["firstChargebackMtDate"]).replace(tzinfo=UTC)
            assert (label["label"], label["source"], label["labelled_at"]) == ("fake", "chargeback", known)
    assert Counter((row["label"], row["source"]) for row in rows["labels"]) == {
        ("fake", "chargeback"): 77,
        ("fake", "manual_review"): 2,
        ("legitimate", "manual_review"): 413,
    }


def test_no_label_leaks_into_another_signal(landing):
    for signal in (ACCOUNTS, PAYMENTS, DEVICE_EVENTS):
        file = next((landing / signal.name).rglob("*.parquet"))
        assert set(pq.read_schema(file).names) <= {field.name for field in signal.fields} - {"status"} | (
            {"status"} if signal is PAYMENTS else set()
        )
    statuses = {
        value
        for file in (landing / "payments").rglob("*.parquet")
        for value in pq.read_table(file)["status"].to_pylist()
    }
    assert statuses == {"instrument_added", "succeeded"}


def test_the_referred_user_is_the_one_that_comes_once(rows):
    referrals = {row["account_id"]: row["referred_by_account_id"] for row in rows["accounts"]}
    expected = {GUIDS[row["to_user_id"]]: GUIDS[row["from_user_id"]] for row in source("REFERRED")}
    assert {account: by for account, by in referrals.items() if by} == expected


def test_the_cut_holds_rings_frauds_and_ordinary_users(rows):
    users_of = {}
    for row in rows["payments"]:
        users_of.setdefault(row["instrument_id"] or row["payment_id"], set()).add(row["account_id"])
    for row in rows["device_events"]:
        users_of.setdefault(row["device_id"], set()).add(row["account_id"])
    shared = [users for users in users_of.values() if len(users) > 1]
    in_rings = set().union(*shared)
    assert (len(shared), max(map(len, shared))) == (347 + 105, 14)
    assert len({row["account_id"] for row in rows["accounts"]} - in_rings) > 150
    assert sum(row["label"] == "fake" for row in rows["labels"]) >= 60


def test_importing_again_gives_the_same_bytes_and_leaves_other_files_alone(landing, tmp_path):
    other = tmp_path / "accounts" / "date=2001-01-01" / "mine.csv"
    stale = tmp_path / "accounts" / "date=2001-01-01" / "p2p.parquet"
    other.parent.mkdir(parents=True)
    other.touch()
    stale.touch()
    progress = []
    import_p2p(CUT, tmp_path, progress=progress.append)
    assert digest(tmp_path) == digest(landing)
    assert other.exists()
    assert progress[-1] == 1


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RingwatchError, match=r"User\.parquet is missing: give the folder that holds the P2P data"):
        import_p2p(tmp_path, tmp_path / "landing")
    assert not (tmp_path / "landing").exists()


def test_a_file_of_another_kind_is_named(tmp_path):
    shutil.copytree(CUT, tmp_path, dirs_exist_ok=True)
    pq.write_table(pa.table({"id": [1]}), tmp_path / "P2P.parquet")
    with pytest.raises(
        RingwatchError, match=r"P2P\.parquet is not the P2P data's: expected Parquet with the columns id"
    ):
        import_p2p(tmp_path, tmp_path / "landing")


def test_the_first_and_last_days_are_those_of_the_data(landing):
    assert partition_dates(landing, PAYMENTS)[0] == date(2016, 11, 20)
    assert partition_dates(landing, LABELS)[-1] == partition_dates(landing, PAYMENTS)[-1] == date(2019, 4, 23)
