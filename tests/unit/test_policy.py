"""The ban list's policy as data: read from a file, exemptions from rules, caps, and what another policy would do."""

from datetime import date, timedelta

import pytest

from pipelines.ban_list import approve, approve_unchanged, propose, publish
from pipelines.ban_list.comparison import compare_policies
from pipelines.ban_list.exemptions import Exemptions
from pipelines.ban_list.policy import POLICY, Policy, read_policy
from pipelines.ban_list.published import read_published
from pipelines.errors import ApprovalError, RingwatchError
from pipelines.settings import Settings
from tests.ban_lists import release
from tests.nights import Judged, detected_night
from tests.shared_world import shared_world

pytestmark = pytest.mark.unit
NIGHT = date(2026, 4, 1)
FAKE = Judged(ring_id="ring-1")


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path / "home", signing_key="secret")


@pytest.fixture
def with_policy(settings, tmp_path):
    """Settings whose policy is a file of some lines."""

    def write(*lines):
        file = tmp_path / "policy.toml"
        file.write_text("\n".join(['version = "ours-1"', *lines]))
        return settings.model_copy(update={"policy": file})

    return write


def listed(settings, night=NIGHT):
    return {entry.account_id for entry in read_published(settings, night).entries()}


# The file


def test_a_field_left_out_is_as_in_the_policy_that_ships(with_policy):
    policy = read_policy(with_policy("min_fraud_score = 0.9").policy)
    assert policy == Policy(version="ours-1", min_fraud_score=0.9)
    assert read_policy(None) == POLICY


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('version = "1"\nmin_score = 0.9', "min_score"),
        ('version = "1"\nmin_fraud_score = "high"', "min_fraud_score"),
        ("min_fraud_score = 0.9", "a version of its own"),
        ("version =", "cannot be read"),
    ],
)
def test_a_malformed_policy_says_what_is_wrong(tmp_path, text, why):
    (tmp_path / "policy.toml").write_text(text)
    with pytest.raises(RingwatchError, match=why):
        read_policy(tmp_path / "policy.toml")


def test_a_missing_policy_is_no_policy_that_ships(tmp_path):
    with pytest.raises(RingwatchError, match="cannot be read"):
        read_policy(tmp_path / "gone.toml")


def test_the_list_says_by_which_policy_it_was_made(with_policy):
    settings = with_policy("min_fraud_score = 0.9")
    detected_night(settings, NIGHT, {"a": Judged(0.95, ring_id="ring-1")})
    assert release(settings, NIGHT).manifest["policy"]["version"] == "ours-1"
    assert listed(settings) == {"a"}


# Exemptions


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (Policy(allowed_accounts=("ann",)), "allowlist: the account"),
        (Policy(allowed_organizations=("acme",)), "allowlist: its organization"),
        (Policy(allowed_email_domains=("acme.test",)), "allowlist: its email domain"),
        (Policy(allowed_subnets=("10.0.0.0/24",)), "allowlist: its subnet"),
    ],
)
def test_whom_the_allowlist_exempts_and_by_what(policy, why):
    shares = {
        "MEMBER_OF_ORG": {"acme": ["ann"], "other": ["bob"]},
        "HAS_EMAIL_DOMAIN": {"acme.test": ["ann"], "other.test": ["bob"]},
        "USED_IP": {"10.0.0.7": ["ann"], "10.0.1.7": ["bob"]},
        "IN_SUBNET": {"10.0.0.0/24": ["10.0.0.7"], "10.0.1.0/24": ["10.0.1.7"]},
    }
    snapshot = shared_world(shares)
    assert Exemptions(snapshot, policy).of(["ann", "bob", "stranger"]) == {"ann": why}
    assert Exemptions(snapshot, POLICY).of(["ann", "bob", "stranger"]) == {}


def test_a_rule_lists_nobody_who_is_too_young_but_a_person_does(with_policy):
    settings = with_policy("min_account_age_days = 365")
    detected_night(settings, NIGHT, {"young": FAKE, "found": Judged(ring_id="ring-1", label="fake")})
    release(settings, NIGHT)
    assert listed(settings) == {"found"}


def test_an_account_that_is_allowed_later_is_lifted_and_told_why(settings, with_policy):
    detected_night(settings, NIGHT, {"a": FAKE, "b": FAKE})
    release(settings, NIGHT)
    settings, night = with_policy('allowed_accounts = ["b"]'), NIGHT + timedelta(days=1)
    detected_night(settings, night, {"a": FAKE, "b": FAKE})
    release(settings, night)
    assert listed(settings, night) == {"a"}
    [lifted] = read_published(settings, night).delta()
    assert (lifted.account_id, lifted.action, lifted.decided_by) == ("b", "lift", "rule: allowlist: the account")


# Caps


def test_above_a_cap_nothing_goes_out_even_approved_and_released(with_policy):
    settings = with_policy("max_new = 2")
    detected_night(settings, NIGHT, dict.fromkeys("abc", FAKE))
    proposal = propose(settings, date=NIGHT)
    assert proposal.over_caps == ["rules newly list 3 accounts, more than 2"]
    assert approve_unchanged(settings, proposal) is None
    with pytest.raises(ApprovalError, match="above the policy's caps"):
        approve(settings, date=NIGHT, by="Ada", release=True)
    with pytest.raises(ApprovalError, match="not approved"):
        publish(settings, date=NIGHT)


def test_a_cap_counts_what_rules_list_anew_and_neither_people_nor_old_entries(settings, with_policy):
    detected_night(settings, NIGHT, dict.fromkeys("abc", FAKE))
    release(settings, NIGHT)
    settings, night = with_policy("max_new = 1"), NIGHT + timedelta(days=1)
    found = Judged(ring_id="ring-1", label="fake")
    detected_night(settings, night, {**dict.fromkeys("abcd", FAKE), "e": found, "f": found})
    release(settings, night)
    assert listed(settings, night) == set("abcdef")


def test_the_cap_by_share_begins_above_a_floor(with_policy):
    settings = with_policy("max_new_share = 0.1", "max_new_floor = 4")
    detected_night(settings, NIGHT, {f"fake{i}": FAKE for i in range(5)} | {f"p{i}": Judged(0.1) for i in range(20)})
    assert propose(settings, date=NIGHT).over_caps == ["rules newly list 5 accounts, more than 10.0% of 25 accounts"]
    settings = with_policy("max_new_share = 0.2", "max_new_floor = 4")
    assert propose(settings, date=NIGHT).over_caps == []


# Another policy


def test_another_policy_is_tried_on_past_nights_and_nothing_is_changed(settings):
    for day, score in enumerate((0.99, 0.95)):
        detected_night(settings, NIGHT + timedelta(days=day), {"a": FAKE, "b": Judged(score, ring_id="ring-1")})
    before = sorted(settings.home_dir.rglob("*"))
    other = Policy(version="x", min_fraud_score=0.9, allowed_accounts=("a",))
    found = compare_policies(settings, POLICY, other, n_nights=7)
    assert [(each.n_listed, each.n_would_be_listed, each.only_now, each.only_then) for each in found] == [
        (2, 1, ["a"], []),
        (1, 1, ["a"], ["b"]),
    ]
    assert sorted(settings.home_dir.rglob("*")) == before
