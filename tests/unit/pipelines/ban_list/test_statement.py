"""The statement about a listed account stands alone: everything in it, and a signature over it."""

import pytest
from tests.builders.ban_lists import D1, D2, PERSON, RING, released
from tests.builders.nights import Judged

from ringwatch.pipelines.ban_list.statement import statement_of
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.signing import sign

pytestmark = pytest.mark.unit


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path / "home", signing_key="secret")


def test_it_holds_all_that_stands_behind_the_entry(settings):
    manifest = released(settings, D1, {**RING, "person": PERSON}).manifest
    found = statement_of(settings, "fake-0")
    assert (found["action"], found["decided_by"]) == ("ban", "rule: suspicious, in a ring")
    assert found["rule"] == "a fraud score of 0.98 or more, and membership in a ring of accounts"
    assert found["reasons"] == ["shares a card with 3 others"]
    shared = {"kind": "PaymentInstrument", "id": "card-a", "n_accounts": 3, "n_suspicious": 3}
    assert found["shared_identifiers"] == [shared]
    assert (found["run_id"], found["model_version"]) == ("run-2026-04-01", "model-1")
    assert found["policy"] == manifest["policy"]
    assert (found["approved_by"], found["content_sha256"]) == ("Ada", manifest["content_sha256"])
    assert found["appeal_by"] == "2026-05-02T00:00:00+00:00"


def test_it_can_be_checked_by_its_signature(settings):
    released(settings, D1, RING)
    found = statement_of(settings, "fake-0")
    assert found["hmac"] == sign(found, "secret")
    assert sign({**found, "fraud_score": 0.5}, "secret") != found["hmac"]


def test_it_is_of_the_list_that_last_told_of_the_account(settings):
    released(settings, D1, RING)
    released(settings, D2, {**RING, "fake-0": Judged(ring_id="ring-1", label="legitimate")})
    assert statement_of(settings, "fake-0")["action"] == "lift"
    assert statement_of(settings, "fake-0")["rule"] == "person: manual_review"
    assert statement_of(settings, "fake-1")["in_list_of"] == "2026-04-01"


def test_an_account_that_no_list_names_has_none(settings):
    released(settings, D1, {**RING, "person": PERSON})
    with pytest.raises(RingwatchError, match="no list that is out names 'person'"):
        statement_of(settings, "person")
