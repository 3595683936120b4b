"""What people are asked first, and what they are not asked."""

from datetime import date, timedelta

import pytest
from tests.builders.nights import Judged, detected_night

from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.review.queue import read_queue

pytestmark = pytest.mark.unit
NIGHT = date(2026, 4, 1)


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path, audits_per_night=0)


def asked(settings, accounts, *, n_audits=0, night=NIGHT):
    settings = settings.model_copy(update={"audits_per_night": n_audits})
    detected_night(settings, night, accounts)
    return read_queue(settings, limit=20)


def test_whom_a_ban_would_hit_with_most_doubt_comes_first(settings):
    questions = asked(settings, {"sure": Judged(0.99), "doubtful": Judged(0.85), "clear": Judged(0.3)})
    assert [(each.id, round(each.worth, 2)) for each in questions] == [("doubtful", 1.5), ("sure", 0.1)]
    assert questions[0].why == "in no ring; acted on at a score of 0.85"


def test_what_a_person_decided_is_not_asked_again(settings):
    accounts = {"a": Judged(0.9, label="fake"), "b": Judged(0.9, label="legitimate"), "c": Judged(0.9)}
    assert [each.id for each in asked(settings, accounts)] == ["c"]


def test_what_a_chargeback_says_is_asked_all_the_same(settings):
    assert [each.id for each in asked(settings, {"a": Judged(0.9, label="fake", source="chargeback")})] == ["a"]


def test_a_finding_against_the_model_is_asked_until_a_second_person_agrees(settings):
    [question] = asked(settings, {"a": Judged(0.01, label="fake")})
    assert (question.kind, question.id) == ("second look", "a")
    assert asked(settings, {"a": Judged(0.01, label="fake", n_people=2)}) == []


def test_audits_are_the_same_all_night_and_others_the_next(settings):
    accounts = {f"a{i:03d}": Judged(0.0) for i in range(300)} | {"known": Judged(0.0, label="legitimate")}
    tonight = [each.id for each in asked(settings, accounts, n_audits=5)]
    assert len(set(tonight)) == 5
    assert tonight == [each.id for each in asked(settings, accounts, n_audits=5)]
    assert tonight != [each.id for each in asked(settings, accounts, n_audits=5, night=NIGHT + timedelta(days=1))]
    assert "known" not in [each.id for each in asked(settings, accounts, n_audits=400)]


def test_a_question_says_since_which_night_it_is_asked(settings):
    asked(settings, {"old": Judged(0.9)})
    questions = asked(settings, {"old": Judged(0.9), "new": Judged(0.9)}, night=NIGHT + timedelta(days=3))
    assert {each.id: each.asked_since for each in questions} == {"old": NIGHT, "new": NIGHT + timedelta(days=3)}


def test_before_any_night_there_is_nothing_to_ask(settings):
    with pytest.raises(RingwatchError, match="no night has been detected"):
        read_queue(settings, limit=20)
