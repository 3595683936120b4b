"""A ban list of a night that has drifted: it does not go out unless a person says that it is to, all the same."""

from datetime import date

import pytest
from tests.builders.nights import Judged, detected_night

from ringwatch.models.registry.drift import SCORE
from ringwatch.pipelines.ban_list import approve, approve_by_policy, propose, publish, reject
from ringwatch.pipelines.common.errors import ApprovalError
from ringwatch.pipelines.common.settings import Settings

pytestmark = pytest.mark.unit
NIGHT = date(2026, 4, 1)


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path, signing_key="secret")


@pytest.fixture
def held(settings):
    """A list with something in it, of a night whose scores have moved."""
    detected_night(settings, NIGHT, {"a": Judged(ring_id="ring-1")}, drift={SCORE: 0.4})
    return propose(settings, date=NIGHT)


def test_an_approval_has_to_release_it_as_well(settings, held):
    assert held.held
    with pytest.raises(ApprovalError, match=r"held: scores have moved.*report\.html.*--release"):
        approve(settings, date=NIGHT, by="Ada")
    with pytest.raises(ApprovalError, match="not approved"):
        publish(settings, date=NIGHT)
    approve(settings, date=NIGHT, by="Ada", release=True)
    assert publish(settings, date=NIGHT).manifest["held"] == held.held


def test_it_can_be_rejected_as_any_other(settings, held):
    assert reject(settings, date=NIGHT, by="Ada").decision == "rejected"


def test_once_the_night_has_not_drifted_the_proposal_is_another_and_not_held(settings, held):
    detected_night(settings, NIGHT, {"a": Judged(ring_id="ring-1")}, drift={SCORE: 0.1})
    anew = propose(settings, date=NIGHT)
    assert (anew.held, anew.content_sha256 == held.content_sha256) == ([], False)
    approve(settings, date=NIGHT, by="Ada")


def test_a_list_that_changes_nothing_harms_nobody_and_goes_out(settings):
    detected_night(settings, NIGHT, {"a": Judged(score=0.1)}, drift={SCORE: 0.4})
    assert approve_by_policy(settings, propose(settings, date=NIGHT)).decision == "approved"
