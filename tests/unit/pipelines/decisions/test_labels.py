"""Which label of an account holds at a night."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ringwatch.graph_schema.signals import ACCOUNTS, LABELS, SIGNALS, Signal
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.labels import known_labels
from ringwatch.pipelines.decisions.store import REVIEWS_SCHEMA
from ringwatch.pipelines.ledger import in_force
from ringwatch.pipelines.ledger.store import Ledger, rows_schema

FIRST, SECOND, THIRD = (date(2026, 4, day) for day in (1, 2, 3))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(Settings(_env_file=None, home=tmp_path))
    put(ledger, FIRST, ACCOUNTS, [{"account_id": "a", "created_at": at(FIRST)}])
    return ledger


def at(day: date, hour: int = 6) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def put(ledger: Ledger, day: date, signal: Signal, rows: list[dict[str, Any]]) -> None:
    days = (day - date(1970, 1, 1)).days
    for i, row in enumerate(rows):
        row.update(file="part-0", row=i + 1, precedence=days << 48 | i + 1)
    for each in SIGNALS:
        mine = rows if each is signal else []
        table = pa.Table.from_pylist(mine, rows_schema(each))
        ledger.stage(each, day, table, {"n_accepted": table.num_rows})
    ledger.commit_staged([day])
    ledger.clear_staged([day])


def label(value: str, source: str, day: date, hour: int = 6, **more: Any) -> dict[str, Any]:
    return {"account_id": "a", "label": value, "source": source, "labelled_at": at(day, hour), **more}


def review(ledger: Ledger, decision: str, when: datetime) -> None:
    row = {"account_id": "a", "decision": decision, "reviewed_by": "kim", "reviewed_at": when}
    ledger.write_state("reviews", pa.Table.from_pylist([row], REVIEWS_SCHEMA))


def known(ledger: Ledger, night: date) -> list[tuple[str, str]]:
    with ledger.query(upto=night) as connection:
        in_force.create_known_accounts(connection)
        in_force.create_views(connection, held_days=30)
        found = known_labels(connection, ledger, night).to_pylist()
    return [(row["label"], row["source"]) for row in found]


@pytest.mark.parametrize(("kept", "source"), [(None, "manual_review"), ("audit_sample",) * 2, ("appeal",) * 2])
def test_a_decision_is_a_label_of_its_own_source(ledger: Ledger, kept: str | None, source: str) -> None:
    row = {"account_id": "a", "decision": "fake", "reviewed_by": "kim", "reviewed_at": at(FIRST), "source": kept}
    ledger.write_state("reviews", pa.Table.from_pylist([row], REVIEWS_SCHEMA))
    assert known(ledger, FIRST) == [("fake", source)]


def test_the_newest_of_the_people_s_labels_outranks_newer_ones_of_others(ledger: Ledger) -> None:
    rows = [
        label("fake", "manual_review", SECOND, 1),
        label("legitimate", "appeal", SECOND, 2),
        label("fake", "chargeback", SECOND, 3),
    ]
    put(ledger, SECOND, LABELS, rows)
    assert known(ledger, SECOND) == [("legitimate", "appeal")]


def test_without_people_the_newest_label_holds(ledger: Ledger) -> None:
    put(ledger, SECOND, LABELS, [label("fake", "partner", SECOND, 1), label("legitimate", "chargeback", SECOND, 2)])
    assert known(ledger, SECOND) == [("legitimate", "chargeback")]


def test_of_two_people_s_labels_at_one_instant_the_later_row_holds(ledger: Ledger) -> None:
    put(ledger, SECOND, LABELS, [label("fake", "appeal", SECOND), label("legitimate", "manual_review", SECOND)])
    assert known(ledger, SECOND) == [("legitimate", "manual_review")]


def test_a_label_is_known_from_its_partition_s_day_however_old_it_says_it_is(ledger: Ledger) -> None:
    put(ledger, THIRD, LABELS, [label("fake", "partner", FIRST)])
    assert known(ledger, SECOND) == []
    assert known(ledger, THIRD) == [("fake", "partner")]


def test_a_decision_in_the_graph_is_a_person_s_label_from_its_time_on(ledger: Ledger) -> None:
    put(ledger, SECOND, LABELS, [label("fake", "manual_review", SECOND, 5)])
    review(ledger, "legitimate", at(SECOND, 5))
    assert known(ledger, FIRST) == []
    assert known(ledger, SECOND) == [("legitimate", "manual_review")]


def test_needs_more_is_no_label(ledger: Ledger) -> None:
    review(ledger, "needs_more", at(SECOND))
    assert known(ledger, SECOND) == []


def n_people(ledger: Ledger, night: date) -> int:
    with ledger.query(upto=night) as connection:
        in_force.create_known_accounts(connection)
        in_force.create_views(connection, held_days=30)
        return int(known_labels(connection, ledger, night)["n_people"][0].as_py())


def test_people_who_found_the_same_are_counted_and_others_are_not(ledger: Ledger) -> None:
    rows = [
        label("fake", "manual_review", FIRST, 6),
        label("fake", "audit_sample", FIRST, 7),
        label("legitimate", "manual_review", FIRST, 5),
        label("fake", "chargeback", FIRST, 8),
    ]
    put(ledger, SECOND, LABELS, rows[:1])
    assert n_people(ledger, SECOND) == 1
    put(ledger, THIRD, LABELS, rows[1:])
    assert n_people(ledger, THIRD) == 2


def test_a_reviewer_who_says_it_twice_is_one_person(ledger: Ledger) -> None:
    twice = [
        {"account_id": "a", "decision": "fake", "reviewed_by": "kim", "reviewed_at": at(FIRST, hour)} for hour in (6, 9)
    ]
    ledger.write_state("reviews", pa.Table.from_pylist(twice, REVIEWS_SCHEMA))
    assert n_people(ledger, FIRST) == 1


def test_a_label_that_is_no_persons_has_nobody_behind_it(ledger: Ledger) -> None:
    put(ledger, SECOND, LABELS, [label("fake", "partner", FIRST)])
    assert n_people(ledger, SECOND) == 0
