"""A ban that a person found wrong: it ends with the next list that goes out, and no rule lists the account again."""

from datetime import date, timedelta

import pytest
from tests.builders.ban_lists import release
from tests.builders.nights import Judged, detected_night

from ringwatch.pipelines.ban_list.history import account_history
from ringwatch.pipelines.ban_list.lift import lift
from ringwatch.pipelines.ban_list.published import keep_replaced, read_published
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.store import REVIEWS_SCHEMA
from ringwatch.pipelines.ledger.store import Ledger

pytestmark = pytest.mark.unit
NIGHT = date(2026, 4, 1)
FAKE = Judged(ring_id="ring-1")


@pytest.fixture
def settings(tmp_path):
    """A list of two is out."""
    settings = Settings(_env_file=None, home=tmp_path / "home", signing_key="secret")
    detected_night(settings, NIGHT, {"a": FAKE, "wronged": FAKE})
    release(settings, NIGHT)
    return settings


def listed(settings, night):
    return {entry.account_id for entry in read_published(settings, night).entries()}


def told(settings, night):
    return {entry.account_id: (entry.action, entry.decided_by) for entry in read_published(settings, night).delta()}


def test_a_list_proposed_again_leaves_it_out_at_once_and_says_who_lifted_it(settings):
    lift(settings, account="wronged", reason="a school class", by="Grace")
    release(settings, NIGHT)
    assert listed(settings, NIGHT) == {"a"}
    assert told(settings, NIGHT)["wronged"] == ("lift", "person: Grace")


def test_it_ends_with_the_next_night_and_does_not_come_back_on_the_same_evidence(settings):
    lift(settings, account="wronged", reason="a school class", by="Grace")
    for day in (1, 2):
        detected_night(settings, NIGHT + timedelta(days=day), {"a": FAKE, "wronged": FAKE})
        release(settings, NIGHT + timedelta(days=day))
        assert listed(settings, NIGHT + timedelta(days=day)) == {"a"}
    assert told(settings, NIGHT + timedelta(days=1))["wronged"][0] == "lift"


def test_it_is_kept_as_a_decision_with_its_reason(settings):
    found = lift(settings, account="wronged", reason=" a school class ", by=" Grace ")
    [kept] = Ledger(settings).read_state("reviews", REVIEWS_SCHEMA).to_pylist()
    assert (kept["account_id"], kept["decision"], kept["source"]) == ("wronged", "legitimate", "appeal")
    assert (kept["reason"], kept["reviewed_by"]) == ("a school class", "Grace")
    assert (found.decided_by, found.ring_id) == ("rule: suspicious, in a ring", "ring-1")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"account": "nobody"}, "'nobody' is not on the list in force"),
        ({"reason": " "}, "give a --reason"),
        ({"by": ""}, "who decides"),
    ],
)
def test_what_cannot_be_lifted_says_why(settings, options, why):
    with pytest.raises(RingwatchError, match=why):
        lift(settings, **{"account": "wronged", "reason": "known", "by": "Grace"} | options)
    assert Ledger(settings).read_state("reviews", REVIEWS_SCHEMA).num_rows == 0


def test_before_any_list_is_out_there_is_nothing_to_lift(tmp_path):
    with pytest.raises(RingwatchError, match="none is out"):
        lift(Settings(_env_file=None, home=tmp_path), account="a", reason="known", by="Grace")


def test_the_history_of_an_account_outlives_the_correction_of_a_list(settings):
    lift(settings, account="wronged", reason="a school class", by="Grace")
    release(settings, NIGHT)
    told = [(each.what, each.by, each.is_corrected) for each in account_history(settings, "wronged")]
    assert sorted(told) == [
        ("ban", "rule: suspicious, in a ring", True),
        ("legitimate", "Grace", False),
        ("lift", "person: Grace", False),
    ]
    [ban] = [each for each in account_history(settings, "a") if not each.is_corrected]
    assert (ban.list, ban.why) == (f"{NIGHT}, approved by Ada", "shares a card with 3 others")
    assert account_history(settings, "nobody") == []


def test_a_list_that_was_kept_before_a_crash_and_is_still_out_is_told_once(settings):
    keep_replaced(settings, read_published(settings, NIGHT))
    assert [(each.what, each.is_corrected) for each in account_history(settings, "a")] == [("ban", False)]
