"""What the commands of indicators print."""

import json

import pytest
from tests.builders.ban_lists import D1, released
from tests.builders.nights import detected_night
from tests.builders.partners import KEYS, NETWORKS, RENTED, bundle_of, fakes, indicator, send
from typer.testing import CliRunner

from ringwatch.pipelines.cli import app
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.indicators.inbound.inbox import take_in

SUBNET = "[ipv4-addr:value ISSUBSET '185.3.2.0/24']"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGWATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RINGWATCH_PARTNER_KEYS", json.dumps(KEYS))
    return Settings(_env_file=None, home=tmp_path / "home", partner_keys=KEYS)


def said(*arguments, code=0):
    result = CliRunner().invoke(app, ["indicators", *map(str, arguments)])
    assert result.exit_code == code, result.output
    assert not any(key in result.output for key in KEYS.values())
    return result.stdout if code == 0 else result.output


def test_export_says_how_much_is_told_to_whom(settings):
    released(settings, D1, fakes(6, ips=(RENTED,)), networks=NETWORKS)
    files = json.loads(said("export", "--date", D1, "--json"))["files"]
    assert {name: counts["indicator"] for name, counts in files.items()} == {
        "bundle.json": 2, "bundle-acme.json": 2, "bundle-beta.json": 2,
    }  # fmt: skip
    assert "bundle-acme.json" in said("export", "--date", D1)


def test_check_says_what_would_become_of_a_file(settings, tmp_path):
    file = send(tmp_path / "landing", bundle_of(indicator("a", "[url:value = 'x']")))
    assert "1 unsupported: url:value is not matched here" in said("check", file)
    file.write_text("{")
    assert "it is no JSON" in said("check", file, code=2)


def test_status_and_matches_name_the_partner(settings, tmp_path):
    send(tmp_path / "landing", bundle_of(indicator("a", SUBNET)))
    take_in(settings, tmp_path / "landing", D1)
    detected_night(settings, D1, fakes(6, ips=(RENTED,)), networks=NETWORKS)
    assert "acme: 1 in force" in said("status", "--date", D1)
    [match] = json.loads(said("matches", "--date", D1, "--json"))
    assert (match["partner"], match["identifiers"]) == ("acme", ["Subnet 185.3.2.0/24"])
    assert "Subnet 185.3.2.0/24" in said("matches", "--date", D1)
