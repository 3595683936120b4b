"""Delay, jitter and hold-outs: what a rule lists may wait, and nothing else does."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from tests.builders.ban_lists import release
from tests.builders.nights import Judged, detected_night

from ringwatch.models.common.intervals import n_to_certify, upper_limit, wilson
from ringwatch.pipelines.ban_list import propose
from ringwatch.pipelines.ban_list.audit import audit
from ringwatch.pipelines.ban_list.proposal import read_waiting
from ringwatch.pipelines.ban_list.published import read_published
from ringwatch.pipelines.ban_list.rules.entries import RESTRICT
from ringwatch.pipelines.ban_list.rules.pacing import DELAYED, HELD_OUT
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.review.queue import read_queue

pytestmark = pytest.mark.unit
D = [date(2026, 4, 1) + timedelta(days=i) for i in range(8)]
FAKE = Judged(ring_id="ring-1")


@pytest.fixture
def with_policy(tmp_path):
    def write(*lines):
        (tmp_path / "policy.toml").write_text("\n".join(['version = "ours-1"', *lines]))
        home, policy = tmp_path / "home", tmp_path / "policy.toml"
        return Settings(_env_file=None, home=home, signing_key="secret", policy=policy)

    return write


def played(settings, nights):
    """Whom the list of each night holds, the nights being detected and released in order."""
    lists = []
    for night, accounts in zip(D, nights, strict=False):
        detected_night(settings, night, accounts)
        release(settings, night)
        lists.append({entry.account_id for entry in read_published(settings, night).entries()})
    return lists


def test_a_ring_goes_out_as_many_nights_later_as_the_policy_says(with_policy):
    settings = with_policy("delay_days = 2")
    assert played(settings, [{"a": FAKE, "b": FAKE}] * 4) == [set(), set(), {"a", "b"}, {"a", "b"}]
    assert [(each.account_id, each.why, each.seen_on, each.due_on) for each in read_waiting(settings, D[1])] == [
        ("a", DELAYED, D[0], D[2]),
        ("b", DELAYED, D[0], D[2]),
    ]


def test_who_joins_a_ring_that_waits_goes_out_with_it(with_policy):
    nights = [{"a": FAKE}, {"a": FAKE, "b": FAKE}, {"a": FAKE, "b": FAKE}]
    assert played(with_policy("delay_days = 2"), nights) == [set(), set(), {"a", "b"}]


def test_a_night_that_finds_the_ring_no_more_ends_its_wait(with_policy):
    nights = [{"a": FAKE}, {"a": Judged(0.1)}, {"a": FAKE}, {"a": FAKE}]
    assert played(with_policy("delay_days = 2"), nights) == [set(), set(), set(), set()]


def test_what_a_person_found_waits_for_nothing(with_policy):
    found = {"a": Judged(ring_id="ring-1", label="fake"), "b": FAKE}
    assert played(with_policy("delay_days = 5", "holdout_share = 1.0"), [found]) == [{"a"}]


def test_what_is_in_force_does_not_wait_again(with_policy):
    settings = with_policy()
    detected_night(settings, D[0], {"a": FAKE})
    release(settings, D[0])
    settings = with_policy("delay_days = 5", "expires_after_days = 1")
    detected_night(settings, D[1], {"a": FAKE})
    release(settings, D[1])
    assert [entry.account_id for entry in read_published(settings, D[1]).entries()] == ["a"]


def test_jitter_spreads_rings_over_nights_and_keeps_each_together(with_policy):
    settings = with_policy("jitter_days = 3")
    accounts = {f"{ring}-{i}": Judged(ring_id=f"ring-{ring}") for ring in range(40) for i in range(2)}
    lists = played(settings, [accounts] * 4)
    assert [len(each) > 0 for each in lists] == [True] * 4
    assert lists[-1] == set(accounts)
    assert len({len(each) for each in lists}) == 4
    for each in lists:
        assert {account_id[:-1] + "0" for account_id in each} == {a for a in each if a.endswith("0")}


def test_proposing_again_gives_the_same_list_and_the_same_wait(with_policy):
    settings = with_policy("delay_days = 1", "jitter_days = 3", "holdout_share = 0.3")
    accounts = {f"a{i}": Judged(ring_id=f"ring-{i % 7}") for i in range(50)}
    played(settings, [accounts] * 2)
    before = {path.name: path.read_bytes() for path in propose(settings, date=D[1]).folder.iterdir()}
    assert {path.name: path.read_bytes() for path in propose(settings, date=D[1]).folder.iterdir()} == before


def test_a_share_is_held_out_and_goes_out_when_its_time_has_come(with_policy):
    settings = with_policy("holdout_share = 0.25", "holdout_days = 3", "max_new_share = 1.0")
    accounts = {f"a{i}": Judged(ring_id="ring-1") for i in range(400)}
    lists = played(settings, [accounts] * 4)
    assert 60 < 400 - len(lists[0]) < 140
    assert lists[0] == lists[1] == lists[2]
    assert lists[3] == set(accounts)
    waiting = read_waiting(settings, D[0])
    assert {each.account_id for each in waiting} == set(accounts) - lists[0]
    assert {(each.why, each.due_on) for each in waiting} == {(HELD_OUT, D[3])}
    assert propose(settings, date=D[0]).counts["waiting"] == {DELAYED: 0, HELD_OUT: len(waiting)}


def test_people_are_asked_about_whom_is_held_out_and_their_answers_audit_the_rule(with_policy):
    settings = with_policy("holdout_share = 0.5", "holdout_days = 5", "max_new_share = 1.0")
    accounts = {f"a{i}": FAKE for i in range(20)}
    [in_force] = played(settings, [accounts])
    held_out = sorted(set(accounts) - in_force)
    asked = [each for each in read_queue(settings, limit=0) if each.why.startswith("held out")]
    assert [(each.kind, each.id) for each in asked] == [("audit", account_id) for account_id in held_out]
    assert audit(settings).precision is None
    assert audit(settings).wrong_at_most == 1
    found = {account_id: Judged(ring_id="ring-1", label="fake", source="audit_sample") for account_id in held_out}
    found[held_out[0]] = Judged(ring_id="ring-1", label="legitimate", source="audit_sample")
    del found[held_out[1]]
    detected_night(settings, D[1], {**accounts, **found})
    result = audit(settings)
    assert (result.n_held_out, result.n_legitimate, result.n_undecided) == (len(held_out), 1, 1)
    assert result.n_fake == len(held_out) - 2
    assert result.at_least < result.precision < result.at_most
    assert result.wrong == [held_out[0]]
    assert 1 / (len(held_out) - 1) < result.wrong_at_most < 1
    assert result.wrong_rings_at_most == 1  # the only ring has a wrong member
    again = {each.id for each in read_queue(settings, limit=0) if each.why.startswith("held out")}
    assert again == {held_out[1]}  # neither those in force nor those decided


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_interval_holds_the_share_and_stays_within_0_and_1(n_right, n_wrong):
    n = n_right + n_wrong
    if n:
        low, high = wilson(n_right, n)
        assert 0 <= low <= n_right / n + 1e-9
        assert n_right / n - 1e-9 <= high <= 1
        assert low < high


@given(st.integers(0, 300), st.integers(1, 300))
def test_the_upper_limit_is_the_share_at_which_so_few_wrong_ones_have_5_chances_in_100(n_wrong, n_right):
    n = n_wrong + n_right
    assert binom.cdf(n_wrong, n, upper_limit(n_wrong, n)) == pytest.approx(0.05)


def test_so_many_checked_and_none_wrong_certify_a_share_and_no_fewer():
    n = n_to_certify(1 / 500)
    assert upper_limit(0, n) <= 1 / 500 < upper_limit(0, n - 1)


# Restricting


def actions(settings, night):
    return {entry.account_id: entry.action for entry in read_published(settings, night).entries()}


def test_the_same_evidence_with_a_lower_score_restricts(with_policy):
    settings = with_policy("restrict_from = 0.9")
    found = Judged(0.2, label="fake")
    found_night = {"sure": FAKE, "less": Judged(0.93, ring_id="ring-1"), "no": Judged(0.93), "person": found}
    detected_night(settings, D[0], found_night)
    release(settings, D[0])
    assert actions(settings, D[0]) == {"sure": "ban", "less": RESTRICT, "person": "ban"}


def test_a_restriction_becomes_a_ban_on_surer_evidence_and_a_ban_does_not_fade(with_policy):
    settings = with_policy("restrict_from = 0.9")
    less = Judged(0.93, ring_id="ring-1")
    for night, (a, b) in zip(D, [(less, FAKE), (FAKE, less)], strict=False):
        detected_night(settings, night, {"a": a, "b": b})
        release(settings, night)
    assert actions(settings, D[1]) == {"a": "ban", "b": "ban"}
