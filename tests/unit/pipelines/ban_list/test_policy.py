"""The ban list's policy as data: read from a file, exemptions from rules, caps, and what another policy would do."""

import tomllib
from dataclasses import FrozenInstanceError, asdict, fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.builders.ban_lists import release
from tests.builders.nights import Judged, detected_night
from tests.builders.snapshots import shared_world

from ringwatch.pipelines.ban_list import approve, approve_by_policy, propose, publish
from ringwatch.pipelines.ban_list.published import read_published
from ringwatch.pipelines.ban_list.rules import policy as policy_module
from ringwatch.pipelines.ban_list.rules.caps import over_caps
from ringwatch.pipelines.ban_list.rules.comparison import compare_policies
from ringwatch.pipelines.ban_list.rules.entries import BAN, RULE_RING, Entry
from ringwatch.pipelines.ban_list.rules.exemptions import Exemptions
from ringwatch.pipelines.ban_list.rules.policy import POLICY, STARTING_POLICY, Policy, read_policy
from ringwatch.pipelines.common.errors import ApprovalError, RingwatchError
from ringwatch.pipelines.common.settings import Settings

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


def entry(account_id):
    at = datetime(2026, 4, 2, tzinfo=UTC)
    return Entry(account_id, BAN, "ring-1", 0.99, RULE_RING, (), "[]", at, at, at, "run-1", "model-1")


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
        ('version = "1"\nholdout_share = 1.01', "holdout_share"),
        ('version = "1"\nholdout_share = -0.01', "holdout_share"),
        ('version = "1"\ndelay_days = -1', "delay_days"),
        ("min_fraud_score = 0.9", "a version of its own"),
        ("version =", "cannot be read"),
    ],
)
def test_a_malformed_policy_says_what_is_wrong(tmp_path, text, why):
    (tmp_path / "policy.toml").write_text(text)
    with pytest.raises(RingwatchError, match=why):
        read_policy(tmp_path / "policy.toml")


def test_bounds_themselves_are_allowed(tmp_path):
    (tmp_path / "policy.toml").write_text('version = "1"\nholdout_share = 1\nmax_new_share = 0\ndelay_days = 0')
    policy = read_policy(tmp_path / "policy.toml")
    assert (policy.holdout_share, policy.max_new_share, policy.delay_days) == (1, 0, 0)


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


@pytest.mark.parametrize("asked", ["min_account_age_days = 365", "min_requests = 1"])
def test_a_rule_lists_nobody_who_is_too_young_or_hardly_active_but_a_person_does(with_policy, asked):
    settings = with_policy(asked)
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
    assert approve_by_policy(settings, proposal) is None
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


NETWORKS = {
    "MEMBER_OF_ORG": {"acme": [f"a{i}" for i in range(10)], "other": [f"b{i}" for i in range(10)]},
    "USED_IP": {f"10.0.{i % 2}.{i}": [f"a{i}", f"b{i}"] for i in range(10)},
    "IN_SUBNET": {f"10.0.{parity}.0/24": [f"10.0.{parity}.{i}" for i in range(parity, 10, 2)] for parity in (0, 1)},
}


@pytest.mark.parametrize(
    ("lines", "n_listed", "why"),
    [
        ({"max_new_share_of_organization": 0.4}, 5, "5 of the 10 accounts of organization acme, more than 40%"),
        ({"max_new_share_of_organization": 0.5}, 5, None),
        ({"max_new_share_of_subnet": 0.2}, 5, "3 of the 10 accounts of subnet 10.0.0.0/24, more than 20%"),
        ({"max_new_share_of_subnet": 0.2, "max_new_floor": 3}, 5, None),
    ],
)
def test_the_caps_of_a_subnet_and_an_organization(lines, n_listed, why):
    policy = Policy(**{"max_new_floor": 2, "max_new_share": 1.0, "max_new_share_of_organization": 1.0, **lines})
    new = [entry(f"a{i}") for i in range(n_listed)]
    found = over_caps([], new, shared_world(NETWORKS), policy)
    assert found == ([f"rules newly list {why}"] if why else [])


def test_the_cap_of_a_country():
    world = shared_world({}, others=[f"a{i}" for i in range(20)])
    countries = pa.array(["FR"] * 10 + ["DE"] * 9 + [None])
    at = world.accounts.schema.get_field_index("country")
    world.nodes["Account"] = world.accounts.set_column(at, "country", countries)
    policy = Policy(max_new_floor=2, max_new_share=1.0, max_new_share_of_country=0.3)
    listed_ = [entry(account_id) for account_id in world.accounts["id"].to_pylist()[:4]]
    assert over_caps([], listed_, world, policy) == [
        "rules newly list 4 of the 10 accounts of country FR, more than 30%"
    ]
    assert over_caps(listed_[:2], listed_, world, policy) == []


# Without a person


@pytest.fixture
def small(with_policy):
    return with_policy("auto_approve_up_to = 2", "auto_approve_from_score = 0.99")


def test_a_small_and_sure_list_goes_out_by_policy(small):
    detected_night(small, NIGHT, {"a": FAKE, "b": FAKE})
    decision = approve_by_policy(small, propose(small, date=NIGHT))
    assert (decision.by, decision.via) == ("policy ours-1: small and sure", "policy")
    assert publish(small, date=NIGHT).is_new


@pytest.mark.parametrize(
    ("accounts", "kwargs"),
    [
        (dict.fromkeys("abc", FAKE), {}),
        ({"a": Judged(0.985, ring_id="ring-1")}, {}),
        ({"a": Judged(ring_id="ring-1", label="fake")}, {}),
        ({"a": FAKE}, {"drift": {"fraud_score": 9.0}}),
        ({"a": Judged(label="fake")}, {"is_default": True}),
    ],
    ids=["large", "less sure", "by a person", "held", "default model"],
)
def test_what_is_large_or_risky_waits_for_a_person(small, accounts, kwargs):
    detected_night(small, NIGHT, accounts, **kwargs)
    assert approve_by_policy(small, propose(small, date=NIGHT)) is None


def test_by_the_policy_that_ships_a_person_decides_always(settings):
    detected_night(settings, NIGHT, {"a": FAKE})
    assert approve_by_policy(settings, propose(settings, date=NIGHT)) is None


# The policy that ships


def test_a_policy_is_not_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        POLICY.max_new = 1


def test_the_shipped_policy_with_other_numbers_has_another_version():
    """Lists name the version: two policies of one version would tell partners and appellants the same of both."""
    assert asdict(POLICY) == {
        "version": "6",
        "min_fraud_score": 0.98,
        "restrict_from": 0.98,
        "contested_below": 0.05,
        "min_core_accounts": 6,
        "min_evidence_kinds": 2,
        "expires_after_days": 90,
        "renew_within_days": 30,
        "appeal_within_days": 30,
        "min_account_age_days": 0,
        "min_requests": 0,
        "plans_that_need_a_person": (),
        "allowed_accounts": (),
        "allowed_organizations": (),
        "allowed_email_domains": (),
        "allowed_subnets": (),
        "max_new_share": 0.05,
        "max_new_floor": 100,
        "max_new": 20_000,
        "max_new_share_of_subnet": 1.0,
        "max_new_share_of_organization": 0.5,
        "max_new_share_of_country": 0.1,
        "delay_days": 0,
        "jitter_days": 0,
        "holdout_share": 0.0,
        "holdout_days": 14,
        "approval_holds_days": 7,
        "auto_approve_up_to": 0,
        "auto_approve_from_score": 0.99,
    }


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


# Docs


def test_the_policy_to_start_from_is_the_one_that_ships_and_names_every_field():
    assert set(tomllib.loads(STARTING_POLICY.read_text())) == {each.name for each in fields(Policy)}
    assert replace(read_policy(STARTING_POLICY), version=POLICY.version) == POLICY


def test_every_field_of_the_policy_is_explained():
    text = (Path(policy_module.__file__).parents[1] / "README.md").read_text()
    missing = [each.name for each in fields(Policy) if each.name != "version" and f"`{each.name}`" not in text]
    assert missing == []
