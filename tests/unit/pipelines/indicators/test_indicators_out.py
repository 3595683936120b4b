"""What partners are told, and what they are never told."""

import json
from datetime import timedelta

import pytest
from stix2validator import ValidationOptions, validate_string
from tests.builders.ban_lists import D1, D2, release, released
from tests.builders.nights import Judged, detected_night
from tests.builders.partners import HOME, KEYS, NETWORKS, RENTED, exported, fakes, of_type, patterns, people

from ringwatch.graph_schema.graph import HUB_ACCOUNTS
from ringwatch.pipelines.common.errors import ApprovalError, RingwatchError
from ringwatch.pipelines.common.settings import Settings, read_settings
from ringwatch.pipelines.indicators.kinds import keyed
from ringwatch.pipelines.indicators.outbound.export import export_indicators

ALL_KINDS = {"cards": ("card-1",), "ips": (RENTED,), "templates": ("t'1\\",), "domains": ("bulk.example",)}
FOR_ALL = {
    f"[ipv4-addr:value = '{RENTED}']",
    "[ipv4-addr:value ISSUBSET '185.3.2.0/24']",
    "[x-prompt-template:fingerprint = 't\\'1\\\\']",
    "[domain-name:value = 'bulk.example']",
}


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path, partner_keys=KEYS, audits_per_night=0)


def bundle(settings, accounts, **kwargs):
    """What everybody is told."""
    return exported(settings, accounts, **kwargs)["bundle.json"]


def card(partner):
    return f"[x-payment-instrument:fingerprint_hmac = '{keyed('card-1', KEYS[partner])}']"


def test_a_campaigns_own_identifiers_go_out_and_cards_only_to_a_partner_under_its_key(settings):
    bundles = exported(settings, fakes(6, **ALL_KINDS))
    assert {name: patterns(each) for name, each in bundles.items()} == {
        "bundle.json": FOR_ALL,
        "bundle-acme.json": FOR_ALL | {card("acme")},
        "bundle-beta.json": FOR_ALL | {card("beta")},
    }
    assert card("acme") != card("beta")


def test_the_public_validator_takes_every_bundle(settings):
    third_party = people(9, ips=("185.9.9.9",)) | fakes(6, ring_id="ring-2", prefix="other", ips=("185.9.9.9",))
    networks = NETWORKS | {"185.9.9.9": "vpn"}
    for each in exported(settings, fakes(6, **ALL_KINDS) | third_party, networks=networks).values():
        result = validate_string(json.dumps(each), ValidationOptions(version="2.1"))
        assert result.is_valid, result.errors
        # That ids are of version 5 is meant: STIX allows it, and the same thing has the same id.
        assert [w for w in map(str, result.warnings) if "is not a valid UUIDv4 ID" not in w] == []


def test_nothing_of_single_persons_and_no_key_is_in_any_byte(settings):
    accounts = fakes(6, **ALL_KINDS, devices=("device-1",)) | people(5, cards=("card-2",), devices=("device-2",))
    exported(settings, accounts)
    content = b"".join(file.read_bytes() for file in (settings.indicators_dir / f"date={D1}").iterdir())
    for secret in ("fake-", "person-", "device-", "card-1", "card-2", *KEYS.values()):
        assert secret.encode() not in content, secret


def test_fewer_accounts_than_the_floor_stand_for_nothing(settings):
    told = bundle(settings, fakes(4, **ALL_KINDS))
    assert {each["type"] for each in told["objects"]} == {"identity", "marking-definition"}
    lower = settings.model_copy(update={"indicators_floor": 4})
    export_indicators(lower, date=D1)
    assert len(patterns(json.loads((settings.indicators_dir / f"date={D1}" / "bundle.json").read_bytes()))) == 4


def test_what_others_use_as_well_is_not_a_campaigns_own(settings):
    accounts = fakes(7, **ALL_KINDS) | people(3, **ALL_KINDS)  # seven in ten
    assert patterns(exported(settings, accounts)["bundle-acme.json"]) == set()


def test_a_hub_is_not_a_campaigns_own_even_if_all_on_it_are_listed(settings):
    many = HUB_ACCOUNTS + 1
    assert patterns(bundle(settings, fakes(many, templates=("t-hub",)))) == set()


def test_a_public_mail_domain_never_goes_out(settings):
    accounts = fakes(6, domains=("gmail.com",)) | fakes(6, prefix="other", ring_id="ring-2", domains=("own.example",))
    assert patterns(bundle(settings, accounts)) == {"[domain-name:value = 'own.example']"}


def test_an_address_at_home_is_not_named_nor_is_a_households_subnet(settings):
    accounts = fakes(6, ips=(HOME, "2a00:1:1::5"))
    assert patterns(bundle(settings, accounts)) == {"[ipv4-addr:value ISSUBSET '84.20.1.0/24']"}


def test_an_address_that_means_something_else_elsewhere_is_not_named(settings):
    accounts = fakes(6, ips=("10.0.0.8",))
    told = bundle(settings, accounts, networks={"10.0.0.8": "hosting"})
    assert patterns(told) == set()
    assert of_type(told, "infrastructure") == []


@pytest.mark.parametrize(
    ("network", "types"), [("proxy", ["anonymization"]), ("vpn", ["anonymization"]), ("hosting", ["unknown"])]
)
def test_a_network_with_other_customers_is_a_third_partys_and_no_indicator(settings, network, types):
    accounts = fakes(6, ips=(RENTED,)) | people(6, ips=(RENTED,))
    told = bundle(settings, accounts, networks={RENTED: network})
    assert patterns(told) == set()
    [infrastructure] = of_type(told, "infrastructure")
    assert infrastructure["infrastructure_types"] == types
    assert "Run by a third party" in infrastructure["description"]
    names = {each["id"]: each.get("value", each.get("name")) for each in told["objects"]}
    related = {
        (names[each["source_ref"]], each["relationship_type"], names[each["target_ref"]])
        for each in of_type(told, "relationship")
    }
    name = f"{network} network"
    assert related == {
        ("ring-1", "uses", name),
        (name, "consists-of", RENTED),
        (name, "consists-of", "185.3.2.0/24"),
    }


def test_a_vpn_with_more_customers_than_any_hub_is_still_named_as_infrastructure(settings):
    accounts = fakes(6, ips=(RENTED,)) | people(HUB_ACCOUNTS, ips=(RENTED,))
    told = bundle(settings, accounts, networks={RENTED: "vpn"})
    assert len(of_type(told, "infrastructure")) == 1


def test_nobody_is_said_to_be_a_customer_where_all_are_listed(settings):
    told = bundle(settings, fakes(HUB_ACCOUNTS + 1, ips=(RENTED,)))
    assert of_type(told, "infrastructure") == of_type(told, "indicator") == []


def test_where_a_lawful_group_stands_behind_a_reseller_nobody_is_indicated(settings):
    accounts = fakes(12, ips=(RENTED,)) | people(2, ring_id="ring-lawful", ips=(RENTED,))
    told = bundle(settings, accounts, lawful=("ring-lawful",))
    assert patterns(told) == set()
    [infrastructure] = of_type(told, "infrastructure")
    assert "as behind a reseller" in infrastructure["description"]
    assert "ring-lawful" not in json.dumps(told)


def test_a_campaign_tells_of_counts_and_days_and_each_object_of_the_traffic_light(settings):
    told = bundle(settings, fakes(6, **ALL_KINDS) | fakes(3, ring_id="ring-small", prefix="few"))
    [campaign] = of_type(told, "campaign")
    assert (campaign["name"], campaign["first_seen"]) == ("ring-1", "2026-03-02T00:00:00Z")
    assert campaign["description"] == "A ring of fake accounts; 6 of them are on the ban list."
    assert {each["number_observed"] for each in of_type(told, "observed-data")} == {6}
    amber = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
    marked = {tuple(each.get("object_marking_refs", ())) for each in told["objects"] if each["id"] != amber}
    assert marked == {(amber,)}
    [grouping] = of_type(told, "grouping")
    assert grouping["context"] == "suspicious-activity"
    assert {each["id"] for each in of_type(told, "indicator")} < set(grouping["object_refs"])


def test_an_indicator_expires_and_says_how_sure_it_is(settings):
    few = {each["confidence"] for each in of_type(bundle(settings, fakes(5, templates=("t-1",))), "indicator")}
    [many] = of_type(bundle(settings, fakes(50, templates=("t-1",)), night=D2), "indicator")
    assert few == {51}  # the lower bound of five in five is .566, times .9 of a template
    assert many["confidence"] == 84
    assert (many["valid_from"], many["valid_until"]) == ("2026-04-03T00:00:00Z", "2026-05-03T00:00:00Z")


def test_the_same_night_gives_the_same_bytes(settings):
    exported(settings, fakes(6, **ALL_KINDS))
    folder = settings.indicators_dir / f"date={D1}"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    export_indicators(settings, date=D1)
    assert before == {file.name: file.read_bytes() for file in folder.iterdir()}


def test_what_is_told_again_is_a_new_version_of_the_same_indicator(settings):
    [first] = of_type(bundle(settings, fakes(6, templates=("t-1",))), "indicator")
    [second] = of_type(bundle(settings, fakes(7, templates=("t-1",)), night=D2), "indicator")
    assert (first["id"], first["created"]) == (second["id"], second["created"])
    assert first["modified"] < second["modified"]


def test_what_holds_no_more_is_revoked_and_what_holds_again_is_another_indicator(settings):
    [first] = of_type(bundle(settings, fakes(6, templates=("t-1",))), "indicator")
    used_by_all = fakes(6, templates=("t-1",)) | people(6, templates=("t-1",))
    for night in (D2, D2 + timedelta(days=1)):
        [second] = of_type(bundle(settings, used_by_all, night=night), "indicator")
        assert (second["id"], second["revoked"], second["modified"][:10]) == (first["id"], True, "2026-04-03")
    again = of_type(bundle(settings, fakes(6, templates=("t-1",)), night=D2 + timedelta(days=2)), "indicator")
    assert {each["id"] == first["id"]: each.get("revoked", False) for each in again} == {True: True, False: False}
    long_after = bundle(settings, used_by_all, night=D2 + timedelta(days=60))
    assert of_type(long_after, "indicator") == []


def test_only_a_list_that_is_out_is_told_of(settings):
    detected_night(settings, D1, fakes(6, **ALL_KINDS), networks=NETWORKS)
    with pytest.raises(ApprovalError, match="the ban list of 2026-04-01 is not out"):
        export_indicators(settings, date=D1)
    assert not settings.indicators_dir.exists()


def test_a_night_detected_anew_waits_for_its_list(settings):
    released(settings, D1, fakes(6, **ALL_KINDS))
    run = settings.runs_dir / f"date={D1}" / "run.json"
    run.write_text(run.read_text().replace(f"run-{D1}", f"run-{D1}-anew"))
    with pytest.raises(ApprovalError, match="detected anew since its ban list went out"):
        export_indicators(settings, date=D1)
    release(settings, D1)
    export_indicators(settings, date=D1)


def test_who_is_only_suspected_stands_for_nothing(settings):
    suspected = {f"suspect-{i}": Judged(0.9, ring_id="ring-1", templates=("t-1",)) for i in range(9)}
    assert patterns(bundle(settings, suspected)) == set()


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("{", "not a JSON object"),
        ('["acme"]', "not a JSON object"),
        ('{"acme": "short"}', "the key of acme is shorter than 16 characters"),
        ('{"../acme": "acme-key-0123456789"}', "a partner's name is of letters"),
    ],
)
def test_a_bad_key_is_said_and_not_shown(monkeypatch, tmp_path, given, fault):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGWATCH_PARTNER_KEYS", given)
    with pytest.raises(RingwatchError, match=fault) as error:
        read_settings()
    assert "short'" not in str(error.value)
    assert "acme-key-0123456789" not in str(error.value)


def test_keys_come_from_the_environment_and_are_not_shown(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGWATCH_PARTNER_KEYS", json.dumps(KEYS))
    settings = read_settings()
    assert settings.partner_keys["acme"].get_secret_value() == KEYS["acme"]
    assert KEYS["acme"] not in repr(settings)
