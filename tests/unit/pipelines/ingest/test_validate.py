"""The door: which rows go on, which go to quarantine and with what reason, by the data contract's corners."""

import json
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.builders.deliveries import deliver

from ringwatch.graph_schema.signals import (
    ACCOUNTS,
    DEVICE_EVENTS,
    IP_EVENTS,
    LABELS,
    PAYMENTS,
    SIGNALS,
    SIGNALS_BY_NAME,
)
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.ingest import batches
from ringwatch.pipelines.ingest.landing import delivery, partition_dates
from ringwatch.pipelines.ingest.validation import DataDocs, check
from ringwatch.pipelines.ledger.quarantine import quarantine_schema
from ringwatch.pipelines.ledger.store import rows_schema

DAY = date(2026, 4, 1)
NOON = "2026-04-01T12:00:00Z"
ACCOUNT = {"account_id": "a", "created_at": NOON}
PAYMENT = {"payment_id": "p", "account_id": "a", "occurred_at": NOON, "status": "succeeded", "instrument_id": "c"}
SEEN = {"account_id": "a", "first_seen_at": NOON, "last_seen_at": NOON}
DEVICE = {**SEEN, "device_id": "d"}
IP = {**SEEN, "ip": "192.0.2.1"}
LABEL = {"account_id": "a", "label": "fake", "labelled_at": NOON, "source": "appeal"}


def check_all(landing, signal, *, limit=1.0, docs=None):
    days = partition_dates(landing, signal)
    found = [delivery(landing, signal, day, require_success_file=False) for day in days]
    return check(signal, found, quarantine_limit=limit, docs=docs)


@pytest.fixture
def checked(tmp_path):
    """Checks rows, or a file's content, as one night's delivery."""

    def checked(signal, content, *, name="part-0.jsonl", limit=1.0):
        if isinstance(content, str | bytes):
            file = tmp_path / signal.name / f"date={DAY}" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        else:
            deliver(tmp_path, signal.name, DAY, content, name=name)
        return check_all(tmp_path, signal, limit=limit)[DAY]

    return checked


def reason(checked):
    """The reason of the one row, which is in quarantine."""
    assert (checked.accepted.num_rows, checked.quarantined.num_rows) == (0, 1)
    return checked.quarantined["reason"][0].as_py()


def accepted(checked):
    """The one row, which is accepted."""
    assert (checked.accepted.num_rows, checked.quarantined.num_rows) == (1, 0)
    return checked.accepted.to_pylist()[0]


def nulled(checked):
    return json.loads(accepted(checked)["nulled"] or "{}")


# Required fields and rules of rows --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "row", "expected"),
    [
        (ACCOUNTS, {"created_at": NOON}, "account_id is missing: the file has no such column"),
        (ACCOUNTS, {**ACCOUNT, "account_id": ""}, "account_id is missing"),
        (ACCOUNTS, {**ACCOUNT, "account_id": "x" * 129}, "is not an id of 1 to 128 characters"),
        (ACCOUNTS, {**ACCOUNT, "created_at": "soon"}, "created_at 'soon' is not a time in ISO 8601"),
        (ACCOUNTS, {**ACCOUNT, "created_at": 1775039400}, "created_at '1775039400' is not a time in ISO 8601"),
        (ACCOUNTS, {**ACCOUNT, "created_at": "2026-04-02"}, "created_at '2026-04-02' is after the partition's day"),
        (
            PAYMENTS,
            {**PAYMENT, "status": "Succeeded"},
            "status 'Succeeded' is not one of instrument_added, succeeded, ",
        ),
        (PAYMENTS, {**PAYMENT, "instrument_id": None}, "neither instrument_id nor payee_account_id is set"),
        (IP_EVENTS, {**IP, "ip": "10.0.0"}, "ip '10.0.0' is not an IPv4 or IPv6 address"),
        (IP_EVENTS, {**IP, "last_seen_at": "2026-04-01"}, "last_seen_at '2026-04-01' is before first_seen_at"),
        (DEVICE_EVENTS, {**DEVICE, "last_seen_at": "2026-04-01"}, "is before first_seen_at"),
        (DEVICE_EVENTS, {**DEVICE, "first_seen_at": "2026-03-31T23:59:59Z"}, "is not on the UTC day of first_seen_at"),
        (LABELS, {**LABEL, "label_confidence": 1.5}, "label_confidence '1.5' is not at least 0 and at most 1"),
        (LABELS, {**LABEL, "label_confidence": "-0.1"}, "label_confidence '-0.1' is not at least 0"),
        (LABELS, {**LABEL, "labelled_at": "2026-04-02T00:00:00Z"}, "is after the partition's day"),
        (LABELS, {**LABEL, "source": "rumour"}, "source 'rumour' is not one of manual_review, "),
    ],
)
def test_a_row_that_breaks_a_rule_is_quarantined_with_its_reason(checked, signal, row, expected):
    assert expected in reason(checked(signal, [row]))


def test_every_fault_of_a_row_is_told(checked):
    told = reason(checked(PAYMENTS, [{**PAYMENT, "account_id": None, "status": "?", "occurred_at": "2026-04-02"}]))
    assert [part.split()[0] for part in told.split("; ")] == ["account_id", "status", "occurred_at"]


def test_the_last_instant_of_the_day_is_within_it_and_earlier_days_are_late_not_wrong(checked):
    rows = [{**ACCOUNT, "created_at": moment} for moment in ("2026-04-01T23:59:59.999999Z", "1999-12-31")]
    assert checked(ACCOUNTS, rows).accepted.num_rows == 2


def test_one_utc_day_is_judged_in_utc(checked):
    row = {**DEVICE, "first_seen_at": "2026-04-01T00:30:00+02:00", "last_seen_at": "2026-03-31T23:00:00Z"}
    assert accepted(checked(DEVICE_EVENTS, [row]))["day"] == date(2026, 3, 31)


def test_quarantined_rows_keep_their_original_values(checked):
    rows = [{**PAYMENT, "payment_id": 7, "amount": "12.50", "status": "lost"}]
    kept = checked(PAYMENTS, rows, name="p.csv").quarantined
    assert kept.schema == quarantine_schema(PAYMENTS)
    expected = {"payment_id": "7", "amount": "12.50", "status": "lost", "signal": "payments", "partition": "2026-04-01"}
    assert expected.items() <= kept.to_pylist()[0].items()
    assert (kept["file"][0].as_py(), kept["row"][0].as_py()) == ("p.csv", 1)


# Optional fields --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "row", "field", "original"),
    [
        (ACCOUNTS, {**ACCOUNT, "email_domain": "example"}, "email_domain", "example"),
        (ACCOUNTS, {**ACCOUNT, "status": "banned"}, "status", "banned"),
        (ACCOUNTS, {**ACCOUNT, "signup_ip": "unknown"}, "signup_ip", "unknown"),
        (ACCOUNTS, {**ACCOUNT, "email_hash": "h" * 129}, "email_hash", "h" * 129),
        (ACCOUNTS, {**ACCOUNT, "referred_by_account_id": "a"}, "referred_by_account_id", "a"),
        (PAYMENTS, {**PAYMENT, "amount": -1}, "amount", "-1"),
        (PAYMENTS, {**PAYMENT, "amount": float("inf")}, "amount", "inf"),
        (PAYMENTS, {**PAYMENT, "payee_account_id": "a"}, "payee_account_id", "a"),
        (DEVICE_EVENTS, {**DEVICE, "n_events": 0}, "n_events", "0"),
        (DEVICE_EVENTS, {**DEVICE, "n_events": 7.5}, "n_events", "7.5"),
        (LABELS, {**LABEL, "label_confidence": "sure"}, "label_confidence", "sure"),
    ],
)
def test_a_wrong_optional_value_becomes_null_and_its_original_is_kept(checked, signal, row, field, original):
    result = checked(signal, [row])
    assert accepted(result)[field] is None
    assert nulled(result) == {field: original}


@pytest.mark.parametrize("value", [None, "", float("nan")])
def test_unknown_values_are_null_and_not_counted(checked, value):
    result = checked(PAYMENTS, [{**PAYMENT, "amount": value}])
    assert (accepted(result)["amount"], nulled(result)) == (None, {})


def test_a_transfer_to_oneself_alone_passes_for_its_payee_was_set(checked):
    result = checked(PAYMENTS, [{**PAYMENT, "instrument_id": None, "payee_account_id": "a"}])
    assert nulled(result) == {"payee_account_id": "a"}


def test_values_are_made_canonical(checked):
    row = {**ACCOUNT, "country": "de", "email_domain": " Example.ORG", "signup_ip": "::ffff:192.0.2.77"}
    got = accepted(checked(ACCOUNTS, [row]))
    expected = {
        "country": "DE",
        "email_domain": "example.org",
        "signup_ip": "192.0.2.77",
        "signup_subnet": "192.0.2.0/24",
    }
    assert expected.items() <= got.items()


def test_a_csv_id_keeps_its_zeros_and_its_numbers_are_cast(checked):
    got = accepted(checked(DEVICE_EVENTS, [{**DEVICE, "account_id": "007", "n_events": "7"}], name="d.csv"))
    assert (got["account_id"], got["n_events"], got["first_seen_at"]) == (
        "007",
        7,
        datetime(2026, 4, 1, 12, tzinfo=UTC),
    )


# Files and columns ------------------------------------------------------------------------------------


def test_broken_lines_count_as_rows_and_are_quarantined(checked):
    result = checked(ACCOUNTS, f"account_id,created_at\na,{NOON}\nb\n", name="a.csv")
    assert (result.rows_in, result.accepted.num_rows, result.files_quarantined) == (2, 1, 0)
    row = result.quarantined.to_pylist()[0]
    assert (row["raw"], row["row"], row["account_id"]) == ("b", 2, None)


def test_an_unreadable_file_stays_outside_the_row_counts(checked, tmp_path):
    checked(ACCOUNTS, [ACCOUNT])
    result = checked(ACCOUNTS, b"PAR1", name="b.parquet")
    assert (result.rows_in, result.files_quarantined) == (1, 1)
    assert "b.parquet was quarantined as a file" in result.notes[0]


def test_a_missing_required_column_quarantines_its_file_alone(checked):
    checked(ACCOUNTS, [ACCOUNT], name="a.csv")
    result = checked(ACCOUNTS, "account_id\nb\nc\n", name="b.csv")
    assert result.accepted["account_id"].to_pylist() == ["a"]
    assert set(result.quarantined["reason"].to_pylist()) == {"created_at is missing: the file has no such column"}


def test_a_file_with_none_of_the_columns_keeps_its_row_count(checked, tmp_path):
    folder = tmp_path / "accounts" / f"date={DAY}"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"shoe_size": [1, 2, 3]}), folder / "a.parquet")
    result = check_all(tmp_path, ACCOUNTS)[DAY]
    assert (result.rows_in, result.quarantined.num_rows) == (3, 3)


def test_unknown_columns_and_endings_are_reported_and_ignored(checked, tmp_path):
    (tmp_path / "accounts" / f"date={DAY}").mkdir(parents=True)
    (tmp_path / "accounts" / f"date={DAY}" / "notes.txt").touch()
    result = checked(ACCOUNTS, [{**ACCOUNT, "shoe_size": 44}])
    assert result.accepted.num_rows == 1
    assert result.notes == (
        "notes.txt was ignored: unknown ending",
        "part-0.jsonl: unknown column shoe_size was ignored",
    )


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.name)
@pytest.mark.parametrize("content", [None, "header"])
def test_no_rows_at_all_is_fine(tmp_path, signal, content):
    folder = tmp_path / signal.name / f"date={DAY}"
    folder.mkdir(parents=True)
    if content:
        (folder / "a.csv").write_text(",".join(field.name for field in signal.fields) + "\n")
    result = check_all(tmp_path, signal, limit=0.0)[DAY]
    assert (result.rows_in, result.over_limit, result.notes) == (0, None, ())
    assert result.accepted.schema == rows_schema(signal)
    assert result.quarantined.schema == quarantine_schema(signal)


def test_rows_are_ranked_by_partition_then_file_then_position(tmp_path):
    for day, name in ((DAY, "b.jsonl"), (DAY, "a.csv"), (date(2026, 4, 2), "a.csv")):
        rows = [{**ACCOUNT, "account_id": f"{name}{i}", "created_at": DAY.isoformat()} for i in "12"]
        deliver(tmp_path, "accounts", day, rows, name=name)
    result = check_all(tmp_path, ACCOUNTS)
    ranked = pa.concat_tables([result[DAY].accepted, result[date(2026, 4, 2)].accepted])
    assert ranked["file"].to_pylist() == ["a.csv", "a.csv", "b.jsonl", "b.jsonl", "a.csv", "a.csv"]
    assert ranked["row"].to_pylist() == [1, 2] * 3
    assert ranked["precedence"].to_pylist() == sorted(set(ranked["precedence"].to_pylist()))
    assert ranked["precedence"][0].as_py() == (DAY - date(1970, 1, 1)).days << 48 | 1


# Nights and batches -----------------------------------------------------------------------------------


def random_landing(landing):
    """Nights of device events, in all forms, with faults of every sort."""
    pick = np.random.default_rng(0)
    for i, name in enumerate(["a.csv", "a.jsonl", "a.parquet", "a.csv"]):
        rows = [
            {
                "account_id": pick.choice(["a", "b", ""]),
                "device_id": f"d{pick.integers(9)}",
                "first_seen_at": f"2026-04-{i + 1:02d}T{pick.integers(24):02d}:00:00Z",
                "last_seen_at": f"2026-04-{i + 1 + (pick.random() < 0.1):02d}T{pick.integers(24):02d}:00:00Z",
                "n_events": int(pick.integers(0, 4)),
            }
            for _ in range(pick.integers(9, 30))
        ]
        deliver(landing, "device_events", date(2026, 4, i + 1), rows, name=name)


def test_nights_checked_together_are_as_if_checked_alone(tmp_path, monkeypatch):
    random_landing(tmp_path)
    together = check_all(tmp_path, DEVICE_EVENTS)
    monkeypatch.setattr(batches, "BATCH_ROWS", 10)
    in_small_batches = check_all(tmp_path, DEVICE_EVENTS)
    for day, night in together.items():
        found = delivery(tmp_path, DEVICE_EVENTS, day, require_success_file=False)
        alone = check(DEVICE_EVENTS, [found], quarantine_limit=1.0, docs=None)[day]
        for other in (alone, in_small_batches[day]):
            assert other.accepted.equals(night.accepted)
            assert other.quarantined.equals(night.quarantined)
            assert other.rows_in == night.rows_in == night.accepted.num_rows + night.quarantined.num_rows
    assert sum(night.quarantined.num_rows for night in together.values()) > 20


def test_over_the_limit_names_expectation_file_and_sample_rows(checked):
    rows = [ACCOUNT, *({**ACCOUNT, "account_id": None} for _ in range(4))]
    assert checked(ACCOUNTS, rows, limit=0.8).over_limit is None
    message = checked(ACCOUNTS, rows, limit=0.2).over_limit
    assert message.startswith("accounts of 2026-04-01: 4 of 5 rows are in quarantine, more than the limit of 20%")
    assert "4 failed expect_column_values_to_not_be_null on account_id" in message
    assert message.count("part-0.jsonl row ") == 3
    assert "row 2: account_id is missing" in message


def test_a_night_of_bad_rows_only_has_a_reason_for_each(checked, tmp_path):
    folder = tmp_path / "device_events" / f"date={DAY}"
    folder.mkdir(parents=True)
    late = pa.array([datetime(2026, 4, 2, tzinfo=UTC)] * 20_000)
    columns = {"account_id": ["a"] * 20_000, "device_id": ["d"] * 20_000, "first_seen_at": late, "last_seen_at": late}
    pq.write_table(pa.table(columns), folder / "a.parquet")
    result = check_all(tmp_path, DEVICE_EVENTS)[DAY]
    assert (result.rows_in, result.quarantined.num_rows) == (20_000, 20_000)
    assert result.quarantined["reason"].null_count == 0


# Data Docs --------------------------------------------------------------------------------------------


def test_data_docs_keep_a_page_for_each_check_and_an_index(tmp_path):
    settings = Settings(_env_file=None, home=tmp_path / "home")
    landing = tmp_path / "landing"
    random_landing(landing)
    days = partition_dates(landing, DEVICE_EVENTS)
    found = [delivery(landing, DEVICE_EVENTS, day, require_success_file=False) for day in days]
    docs = DataDocs(settings)
    check(DEVICE_EVENTS, found[:1], quarantine_limit=1.0, docs=docs)
    check(DEVICE_EVENTS, found, quarantine_limit=1.0, docs=docs)
    check(DEVICE_EVENTS, found[:1], quarantine_limit=1.0, docs=docs)
    root = settings.data_docs_dir
    pages = sorted(str(path.relative_to(root)) for path in root.rglob("*.html"))
    assert pages == [
        "expectations/device_events.html",
        "index.html",
        "validations/device_events/2026/04/2026-04-01.html",
        "validations/device_events/2026/04/2026-04-01_2026-04-04.html",
        "validations/device_events/index.html",
    ]
    assert "2026-04-01 to 2026-04-04" in (root / "index.html").read_text()
    assert (
        "expect_column_values_to_not_be_null on account_id"
        in (root / "validations/device_events/index.html").read_text()
    )
    assert "device_events" in (root / pages[3]).read_text()
    assert not [path for path in root.rglob("*") if path.name.endswith(".tmp")]


def test_every_signal_has_a_suite_that_a_good_row_passes(tmp_path):
    good = {"accounts": ACCOUNT, "payments": PAYMENT, "ip_events": IP, "device_events": DEVICE, "labels": LABEL}
    good["usage_events"] = {"account_id": "a", "hour_start_at": NOON}
    for name, row in good.items():
        deliver(tmp_path, name, DAY, [row])
        night = check_all(tmp_path, SIGNALS_BY_NAME[name], limit=0.0)[DAY]
        assert (night.accepted.num_rows, night.over_limit) == (1, None)
    assert set(good) == {signal.name for signal in SIGNALS}
