"""Who is listed, and what becomes of a list from night to night."""

import csv
import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.builders.ban_lists import D1, D2, PERSON, RING, ban_list, delta, listed, released
from tests.builders.nights import Judged

from ringwatch.pipelines.ban_list import propose, publish
from ringwatch.pipelines.common.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path / "home", signing_key="secret", lock_timeout_s=5)


# Who is listed


def test_a_suspicious_account_in_a_ring_is_banned(settings):
    released(settings, D1, {**RING, "person": PERSON})
    assert listed(settings) == {(account_id, "ban") for account_id in RING}


def test_a_score_alone_does_not_ban(settings):
    released(settings, D1, {"loner": Judged()})
    assert listed(settings) == set()


def test_two_independent_kinds_of_shared_identifiers_ban_outside_a_ring(settings):
    shared = Judged(cards=("card-a",), devices=("device-a",))
    released(settings, D1, {"a": shared, "b": Judged(score=0.1, cards=("card-a",), devices=("device-a",))})
    assert listed(settings) == {("a", "ban")}


def test_one_kind_however_often_does_not_ban_outside_a_ring(settings):
    shared = Judged(cards=("card-a", "card-b"))
    released(settings, D1, {"a": shared, "b": shared})
    assert listed(settings) == set()


def test_below_the_score_that_the_policy_asks_for_nothing_bans(settings):
    released(settings, D1, {"a": Judged(score=0.979, ring_id="ring-1")})
    assert listed(settings) == set()


def test_a_run_of_the_default_model_never_bans(settings):
    publication = released(settings, D1, RING, is_default=True)
    assert listed(settings) == set()
    assert publication.manifest["is_default"] is True


def test_a_run_of_the_default_model_keeps_what_is_in_force(settings):
    released(settings, D1, RING)
    released(settings, D2, RING, is_default=True)
    assert listed(settings, D2) == listed(settings, D1)


def test_an_account_that_a_person_found_legitimate_is_never_listed(settings):
    released(settings, D1, {"a": Judged(ring_id="ring-1", label="legitimate", source="appeal")})
    assert listed(settings) == set()


def test_a_legitimate_label_that_is_no_persons_does_not_protect(settings):
    released(settings, D1, {"a": Judged(ring_id="ring-1", label="legitimate", source="partner")})
    assert listed(settings) == {("a", "ban")}


def test_an_account_that_a_person_found_fake_is_listed_whatever_its_score(settings):
    released(settings, D1, {"a": Judged(score=0.1, label="fake", source="audit_sample")}, is_default=True)
    [row] = ban_list(settings).to_pylist()
    assert (row["action"], row["decided_by"]) == ("ban", "person: audit_sample")


def test_one_persons_word_against_the_models_is_contested_and_waits_for_a_second(settings):
    released(settings, D1, {"a": Judged(score=0.01, label="fake"), "b": Judged(score=0.06, label="fake")})
    assert listed(settings) == {("b", "ban")}
    folder = settings.ban_lists_dir / "proposals" / f"date={D1}"
    contested = list(csv.DictReader((folder / "contested.csv").open(newline="")))
    assert [(row["account_id"], row["decided_by"]) for row in contested] == [("a", "person: manual_review")]
    assert not (settings.ban_lists_dir / f"date={D1}" / "contested.csv").exists()


def test_what_two_people_found_is_not_contested(settings):
    released(settings, D1, {"a": Judged(score=0.01, label="fake", n_people=2)})
    assert listed(settings) == {("a", "ban")}


def test_evidence_names_the_shared_identifiers_with_their_numbers_of_accounts(settings):
    released(settings, D1, RING)
    evidence = json.loads(ban_list(settings).to_pylist()[0]["evidence"])
    assert evidence == [{"id": "card-a", "kind": "PaymentInstrument", "n_accounts": 3, "n_suspicious": 3}]


# From night to night


def test_an_entry_stays_as_it_was_decided_while_it_is_in_force(settings):
    released(settings, D1, RING)
    released(settings, D2, dict.fromkeys(RING, PERSON))
    assert ban_list(settings, D2).equals(ban_list(settings, D1))
    assert delta(settings, D2) == set()


def test_an_entry_expires_unless_it_is_renewed(settings):
    released(settings, D1, RING)
    late = D1 + timedelta(days=90)
    released(settings, late, {"fake-0": RING["fake-0"], "fake-1": PERSON, "fake-2": PERSON})
    [row] = ban_list(settings, late).to_pylist()
    assert row["first_listed_at"] == datetime(2026, 4, 2, tzinfo=UTC)
    assert row["expires_at"] == datetime(2026, 4, 2, tzinfo=UTC) + timedelta(days=180)
    assert delta(settings, late) == {("fake-0", "ban"), ("fake-1", "lift"), ("fake-2", "lift")}


def test_fresh_evidence_renews_only_near_the_end(settings):
    released(settings, D1, RING)
    for days, is_renewed in ((59, False), (60, True)):
        night = D1 + timedelta(days=days)
        released(settings, night, RING)
        run_ids = {row["run_id"] for row in ban_list(settings, night).to_pylist()}
        assert run_ids == {f"run-{night}" if is_renewed else f"run-{D1}"}


def test_a_person_who_clears_an_account_lifts_it(settings):
    released(settings, D1, RING)
    cleared = Judged(ring_id="ring-1", cards=("card-a",), label="legitimate", source="appeal")
    released(settings, D2, {**RING, "fake-0": cleared})
    assert delta(settings, D2) == {("fake-0", "lift")}
    assert listed(settings, D2) == {("fake-1", "ban"), ("fake-2", "ban")}


def test_a_corrected_list_tells_anew_what_the_first_version_told(settings):
    released(settings, D1, RING)
    released(settings, D2, {**RING, "wrong": Judged(ring_id="ring-2")})
    assert delta(settings, D2) == {("wrong", "ban")}
    released(settings, D2, {**RING, "right": Judged(ring_id="ring-2"), "wrong": PERSON})
    assert delta(settings, D2) == {("wrong", "lift"), ("right", "ban")}
    assert not publish(settings, date=propose(settings, date=D2).date).is_new  # and proposing again changes nothing
