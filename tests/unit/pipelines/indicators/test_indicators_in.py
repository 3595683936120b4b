"""What becomes of partners' bundles: taken in or rejected, matched, asked about; and never a ban."""

import json
import shutil
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from tests.builders.ban_lists import D1, D2
from tests.builders.nights import Judged, detected_night
from tests.builders.partners import (
    HOME,
    KEYS,
    NETWORKS,
    RENTED,
    bundle_of,
    exported,
    fakes,
    id_of,
    indicator,
    of_type,
    patterns,
    people,
    send,
    stamp,
)

from ringwatch.pipelines.ban_list import propose
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.indicators.inbound.in_force import indicators_in_force
from ringwatch.pipelines.indicators.inbound.inbox import take_in
from ringwatch.pipelines.indicators.inbound.report import report_on_file, standing
from ringwatch.pipelines.indicators.kinds import keyed
from ringwatch.pipelines.indicators.matches import read_matches
from ringwatch.pipelines.review.queue import read_queue

TEMPLATE_1 = "[x-prompt-template:fingerprint = 't-1']"
SUBNET = "[ipv4-addr:value ISSUBSET '185.3.2.0/24']"


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path / "home", partner_keys=KEYS, audits_per_night=0)


@pytest.fixture
def landing(tmp_path):
    return tmp_path / "landing"


def counted(settings, landing, day=D1):
    """Counts of a partition that is read, which always add up."""
    counts = take_in(settings, landing, day)
    parts = ("usable", "superseded", "quarantined", "unsupported")
    assert counts["indicators_in"] == sum(counts[name] for name in parts)
    return {name: counts[name] for name in ("indicators_in", *parts, "files_quarantined") if counts[name]}


def notes(settings, landing, day=D1):
    return take_in(settings, landing, day)["notes"]


def in_force(settings, night=D1):
    return {value for each in indicators_in_force(settings, night) for _, value in each.named}


def asked(settings, accounts, *, night=D1, **kwargs):
    """Questions of a night: id to why."""
    detected_night(settings, night, accounts, networks=NETWORKS, **kwargs)
    return {each.id: each.why for each in read_queue(settings, limit=500)}


# The door -------------------------------------------------------------------------------------------


def test_what_is_taken_in_adds_up(settings, landing):
    unsupported = indicator("b", "[url:value = 'http://x']")
    late = indicator("c", TEMPLATE_1, modified=D1 + timedelta(days=9))
    older = indicator("a", SUBNET, modified=D1 - timedelta(days=1))
    send(landing, bundle_of(indicator("a", TEMPLATE_1), unsupported, late))
    send(landing, bundle_of(older), name="older.json")
    send(landing, bundle_of(indicator("d", "no pattern")), name="invalid.json")
    send(landing, "{", name="no.json")
    send(landing, "x", name="notes.txt")
    send(landing, "{", name="_draft.json")
    assert counted(settings, landing) == {
        "indicators_in": 5, "usable": 1, "superseded": 1, "quarantined": 2, "unsupported": 1, "files_quarantined": 2,
    }  # fmt: skip
    rejected = pq.read_table(settings.quarantine_dir / "indicators" / f"date={D1}" / "rejected.parquet").to_pylist()
    assert {(each["file"], each["indicator_id"]) for each in rejected} == {
        ("acme.json", id_of("indicator", "c")), ("invalid.json", None), ("no.json", None),
    }  # fmt: skip
    assert "notes.txt is no .json and was ignored" in notes(settings, landing)
    assert "1 unsupported: url:value is not matched here" in notes(settings, landing)
    assert in_force(settings) == {"t-1"}


NOBODYS = indicator("a", TEMPLATE_1, created_by_ref=None)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("[" * 100_000, "it is no JSON"),
        ("[]", "it is no STIX bundle of objects"),
        ('{"type": "bundle", "objects": 7}', "it is no STIX bundle of objects"),
        ('{"type": "bundle", "objects": [7, null]}', ""),
        (" " * 40_000_001, "it is of 40,000,001 bytes"),
        (bundle_of(*[{}] * 50_000), "it holds 50,001 objects"),
        (bundle_of(indicator("a", "[" + "(" * 3000)), "the validator cannot read it: RecursionError"),
        (bundle_of(indicator("a", TEMPLATE_1)) | {"granular_markings": "x"}, "it cannot be read"),
        (bundle_of(NOBODYS), "nobody stands for it"),
        (bundle_of(indicator("a", TEMPLATE_1, partner="beta")), "nobody stands for it"),
        (bundle_of(indicator("a", TEMPLATE_1, partner="a/b"), partner="a/b"), "its identity's name is not of letters"),
        (bundle_of(indicator("a", TEMPLATE_1, partner="Ringwatch"), partner="Ringwatch"), "it is Ringwatch's, as we"),
        (bundle_of(indicator("a", TEMPLATE_1, valid_until=stamp(D1 - timedelta(days=2)))), "valid_until"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "bundle",
)
def test_a_file_that_cannot_be_trusted_is_quarantined_whole(settings, landing, sent, reason):
    send(landing, sent)
    send(landing, bundle_of(indicator("z", SUBNET)), name="right.json")
    counts = counted(settings, landing)
    assert (counts["files_quarantined"], counts["usable"]) == (1, 1)
    assert reason in notes(settings, landing)[0]


def test_a_partner_may_have_blanks_in_its_name(settings, landing):
    send(landing, bundle_of(indicator("a", TEMPLATE_1, partner="Acme Corp"), partner="Acme Corp"))
    take_in(settings, landing, D1)
    assert [each.partner for each in indicators_in_force(settings, D1)] == ["Acme-Corp"]


def test_no_partition_is_nothing_and_takes_away_what_was_there(settings, landing):
    assert take_in(settings, landing, D1) is None
    send(landing, bundle_of(indicator("a", TEMPLATE_1)))
    take_in(settings, landing, D1)
    shutil.rmtree(landing)
    assert take_in(settings, landing, D1) is None
    assert in_force(settings) == set()


def test_a_partition_waits_for_the_file_that_says_it_is_whole(settings, landing):
    strict = settings.model_copy(update={"require_success_file": True})
    send(landing, bundle_of(indicator("a", TEMPLATE_1)))
    assert take_in(strict, landing, D1) is None
    send(landing, "", name="_SUCCESS")
    assert counted(strict, landing) == {"indicators_in": 1, "usable": 1}


# In force -------------------------------------------------------------------------------------------


LONG_AGO = stamp(D1 - timedelta(days=30))


@pytest.mark.parametrize(
    ("more", "is_in_force"),
    [
        ({}, True),
        ({"revoked": True}, False),
        ({"valid_until": stamp(D1 + timedelta(days=1))}, False),  # the end of the night
        ({"valid_until": stamp(D1 + timedelta(days=1), 1)}, True),
        ({"valid_from": stamp(D1 + timedelta(days=1), 1)}, False),
        ({"indicator_types": ["benign"]}, False),
        ({"pattern_type": "yara"}, False),
        ({"valid_until": None}, True),
        ({"valid_until": None, "valid_from": LONG_AGO}, True),
        ({"valid_until": None, "valid_from": LONG_AGO, "modified": D1 - timedelta(days=29)}, False),
    ],
)
def test_an_indicator_is_in_force_from_when_to_when_it_says(settings, landing, more, is_in_force):
    send(landing, bundle_of(indicator("a", TEMPLATE_1, **more)))
    counted(settings, landing)
    assert (in_force(settings) == {"t-1"}) == is_in_force


def test_the_version_modified_last_holds_in_whatever_order_it_came(settings, landing):
    send(landing, bundle_of(indicator("a", TEMPLATE_1, modified=D1)))
    send(landing, bundle_of(indicator("a", SUBNET, modified=D1 - timedelta(days=1))), day=D2)
    send(landing, bundle_of(indicator("a", SUBNET, partner="beta"), partner="beta"), day=D2, name="beta.json")
    assert counted(settings, landing, D2) == {"indicators_in": 2, "usable": 2}
    assert counted(settings, landing, D1) == {"indicators_in": 1, "usable": 1}
    assert counted(settings, landing, D2) == {"indicators_in": 2, "usable": 1, "superseded": 1}
    assert {(each.partner, each.named[0].value) for each in indicators_in_force(settings, D2)} == {
        ("acme", "t-1"), ("beta", "185.3.2.0/24"),
    }  # fmt: skip


def test_a_later_version_that_is_unsupported_or_revoked_ends_an_earlier_one(settings, landing):
    send(landing, bundle_of(indicator("a", TEMPLATE_1), indicator("b", SUBNET)))
    later = {"modified": D2}
    send(
        landing,
        bundle_of(indicator("a", "[url:value = 'x']", **later), indicator("b", SUBNET, revoked=True, **later)),
        day=D2,
    )
    take_in(settings, landing, D1)
    take_in(settings, landing, D2)
    assert in_force(settings, D1) == {"t-1", "185.3.2.0/24"}  # as of then
    assert in_force(settings, D2) == set()


def test_a_corrected_partition_leaves_what_the_current_deliveries_alone_would(settings, landing, tmp_path):
    wrong = send(landing, bundle_of(indicator("a", SUBNET, modified=D2)), day=D2, name="wrong.json")
    send(landing, bundle_of(indicator("a", TEMPLATE_1)))
    send(landing, bundle_of(indicator("b", SUBNET)), day=D2)
    for day in (D1, D2):
        take_in(settings, landing, day)
    assert in_force(settings, D2) == {"185.3.2.0/24"}
    wrong.unlink()
    take_in(settings, landing, D2)
    afresh = settings.model_copy(update={"home": tmp_path / "afresh"})
    for day in (D1, D2):
        take_in(afresh, landing, day)
    assert indicators_in_force(settings, D2) == indicators_in_force(afresh, D2)
    assert in_force(settings, D2) == {"t-1", "185.3.2.0/24"}


def test_people_can_ask_beforehand_and_afterwards(settings, landing):
    expired = indicator("b", SUBNET, valid_until=stamp(D1))
    card = indicator("c", f"[x-payment-instrument:fingerprint_hmac = '{'0' * 64}']", partner="gamma")
    file = send(landing, bundle_of(indicator("a", "[url:value = 'x']"), expired))
    send(landing, bundle_of(card, partner="gamma"), name="gamma.json")
    take_in(settings, landing, D1)
    found = report_on_file(settings, file)
    assert (found.partner, found.faults) == ("acme", [])
    assert found.counts == {"expired": 1, "unsupported: url:value is not matched here": 1}
    told = standing(settings, D1)
    assert told.partners == {"acme": found.counts, "gamma": {"in force": 1}}
    assert told.unkeyed == ["gamma"]


# Matched and asked ----------------------------------------------------------------------------------


def test_a_question_about_a_ring_names_the_partner_and_is_worth_more(settings, landing):
    accounts = fakes(6, ips=(RENTED,), templates=("t-1",)) | people(3)
    before = asked(settings, accounts)
    worth = read_queue(settings, limit=1)[0].worth
    send(landing, bundle_of(indicator("a", TEMPLATE_1), indicator("b", SUBNET)))
    take_in(settings, landing, D1)
    assert asked(settings, accounts) == {"ring-1": before["ring-1"] + "; acme names 2 identifiers of 6 of them"}
    assert read_queue(settings, limit=1)[0].worth == pytest.approx(worth + 6 * 0.8)


def test_a_clear_account_that_a_partner_names_is_asked_about(settings, landing):
    send(landing, bundle_of(indicator("a", "[ipv4-addr:value ISSUBSET '84.20.0.0/20']")))
    take_in(settings, landing, D1)
    accounts = people(2, ips=(HOME,)) | people(2, prefix="other")
    why = "in no ring; cleared at a score of 0.01; acme names 1 identifier of it"
    assert asked(settings, accounts) == {"person-00": why, "person-01": why}


def test_an_identifier_of_many_raises_no_question(settings, landing):
    send(landing, bundle_of(indicator("a", SUBNET)))
    take_in(settings, landing, D1)
    assert asked(settings, people(61, ips=(RENTED,))) == {}
    assert [each["n_accounts"] for each in read_matches(settings, D1).to_pylist()] == [61]


def test_questions_about_clear_accounts_are_bounded_and_the_rarest_come_first(settings, landing):
    send(landing, bundle_of(indicator("a", TEMPLATE_1), indicator("b", SUBNET)))
    take_in(settings, landing, D1)
    questions = asked(settings, people(55, templates=("t-1",)) | people(1, prefix="zz", ips=(RENTED,)))
    assert len(questions) == 50
    assert "zz-00" in questions


def test_a_decided_account_is_not_asked_about_again(settings, landing):
    send(landing, bundle_of(indicator("a", TEMPLATE_1)))
    take_in(settings, landing, D1)
    decided = Judged(0.01, templates=("t-1",), label="legitimate")
    assert asked(settings, {"decided": decided}) == {}


def test_a_card_is_matched_only_with_the_key_of_its_partner(settings, landing):
    def named(partner, key):
        pattern = f"[x-payment-instrument:fingerprint_hmac = '{keyed('card-1', key)}']"
        return bundle_of(indicator("a", pattern, partner=partner), partner=partner)

    send(landing, named("acme", KEYS["acme"]))
    send(landing, named("beta", KEYS["acme"]), name="beta.json")
    send(landing, named("gamma", KEYS["acme"]), name="gamma.json")
    take_in(settings, landing, D1)
    asked(settings, people(3, cards=("card-1",)))
    assert [each["partner"] for each in read_matches(settings, D1).to_pylist()] == ["acme"]


def test_what_a_partner_names_never_bans(settings, landing, tmp_path):
    accounts = fakes(6, ips=(RENTED,)) | people(9, ips=(RENTED,), templates=("t-1",))
    asked(settings, accounts)
    without = {file.name: file.read_bytes() for file in propose(settings, date=D1).folder.iterdir()}
    scores = (settings.exports_dir / "scores" / f"date={D1}" / "scores.parquet").read_bytes()
    send(landing, bundle_of(indicator("a", TEMPLATE_1), indicator("b", SUBNET, confidence=100)))
    take_in(settings, landing, D1)
    asked(settings, accounts)
    assert read_matches(settings, D1).num_rows == 2
    assert {file.name: file.read_bytes() for file in propose(settings, date=D1).folder.iterdir()} == without
    assert (settings.exports_dir / "scores" / f"date={D1}" / "scores.parquet").read_bytes() == scores


def test_infrastructure_that_a_partner_names_raises_nothing(settings, landing, tmp_path):
    there = Settings(_env_file=None, home=tmp_path / "there", platform="there")
    bundle = exported(there, fakes(6, ips=(RENTED,)) | people(9, ips=(RENTED,)))["bundle.json"]
    assert of_type(bundle, "infrastructure")
    send(landing, bundle, day=D2)
    assert counted(settings, landing, D2) == {}
    assert asked(settings, people(5, ips=(RENTED,)), night=D2) == {}


def test_a_run_from_before_there_were_partners_has_no_matches(settings):
    asked(settings, people(2))
    (settings.runs_dir / f"date={D1}" / "partner_matches.parquet").unlink()
    assert read_matches(settings, D1).num_rows == 0


# There and back -------------------------------------------------------------------------------------


def test_what_one_platform_exports_another_finds_and_tells_of_having_seen(tmp_path, settings, landing):
    """Keys are mutual: `there` knows us as beta, and we know it as acme."""
    key = KEYS["acme"]
    there = Settings(_env_file=None, home=tmp_path / "there", platform="acme", partner_keys={"beta": key})
    uses = {"cards": ("card-1",), "ips": (RENTED,), "templates": ("t-1",), "domains": ("bulk.example",)}
    bundle = exported(there, fakes(6, **uses))["bundle-beta.json"]
    send(landing, bundle, day=D2)
    assert counted(settings, landing, D2) == {"indicators_in": 5, "usable": 5}
    ours = fakes(5, prefix="ours", **uses) | people(4, prefix="few", templates=("t-2",))
    back = exported(settings, ours, night=D2)
    told = {each["id"]: each["pattern"] for each in of_type(bundle, "indicator")}
    sightings = of_type(back["bundle-acme.json"], "sighting")
    assert {told[each["sighting_of_ref"]] for each in sightings} == patterns(bundle)
    assert {each["count"] for each in sightings} == {5}
    assert of_type(back["bundle.json"], "sighting") == of_type(back["bundle-beta.json"], "sighting") == []


def test_a_sighting_by_fewer_accounts_than_the_floor_is_not_told_of(settings, landing):
    send(landing, bundle_of(indicator("a", TEMPLATE_1), indicator("b", "[x-prompt-template:fingerprint = 't-2']")))
    take_in(settings, landing, D1)
    accounts = people(4, templates=("t-1",)) | people(5, prefix="more", templates=("t-2",))
    sightings = of_type(exported(settings, accounts)["bundle-acme.json"], "sighting")
    assert [each["sighting_of_ref"] for each in sightings] == [id_of("indicator", "b")]
    assert json.dumps(sightings).count("2026-03-02T00:00:00Z") == 2  # days, not times
