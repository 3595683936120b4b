"""The command line as a script sees it: exit codes, one clear sentence on an error, JSON on standard output."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from neo4j import Driver
from tests.builders.deliveries import FIRST, at, deliver

from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.client import migrate, run

RINGWATCH = Path(sys.executable).with_name("ringwatch")
DAY = str(FIRST)


def ringwatch(settings: Settings, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    known = {
        "RINGWATCH_HOME": str(settings.home),
        "RINGWATCH_NEO4J_URI": settings.neo4j_uri or "",
        "RINGWATCH_NEO4J_PASSWORD_FILE": str(settings.neo4j_password_file),
    }
    environment = (
        {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(settings.home),
            "COLUMNS": "200",
        }
        | known
        | env
    )
    command = [str(RINGWATCH), *args]
    return subprocess.run(
        command, env=environment, cwd=settings.home.parent, capture_output=True, text=True, timeout=240
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str], exit_code: int, *words: str) -> None:
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(said) == 1, done.stderr
    for word in words:
        assert word in said[0]


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    landing = tmp_path / "landing"
    rows = [{"account_id": account_id, "created_at": at(FIRST, 0)} for account_id in ("a", "b")]
    deliver(landing, "accounts", FIRST, rows)
    return landing


def test_a_night_goes_from_files_to_a_published_list(settings: Settings, driver: Driver, landing: Path) -> None:
    done = ringwatch(settings, "nightly", "--landing", str(landing), "--date", DAY, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result[DAY]["accounts"]["loaded"] == 2
    assert result["detected"]["is_default"] is True
    refused = ringwatch(settings, "ban-list", "publish", "--date", "2026-03-01")
    assert_one_sentence(refused, 7, "nothing is proposed for 2026-03-01")
    assert ringwatch(settings, "ban-list", "approve", "--date", DAY, "--by", "kim").returncode == 0
    published = ringwatch(settings, "ban-list", "publish", "--date", DAY, "--json", RINGWATCH_SIGNING_KEY="k" * 32)
    assert published.returncode == 0, published.stderr
    folder = settings.exports_dir / "ban_lists" / f"date={DAY}"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert len(manifest["hmac"]) == 64
    explained = json.loads(ringwatch(settings, "explain", "--account", "a", "--json").stdout)
    assert (explained["account_id"], explained["fraud_label"], len(explained["history"])) == ("a", "clear", 1)
    status = json.loads(ringwatch(settings, "status", "--json").stdout)
    assert [night["date"] for night in status["nights"]] == [DAY]
    assert json.loads(ringwatch(settings, "model", "list", "--json").stdout) == []


def test_a_bad_setting_is_named(settings: Settings, landing: Path) -> None:
    done = ringwatch(settings, "load", "--landing", str(landing), "--date", DAY, RINGWATCH_RETENTION_DAYS="soon")
    assert_one_sentence(done, 2, "RINGWATCH_RETENTION_DAYS")


def test_an_unreachable_neo4j_says_how_to_start_it(settings: Settings, landing: Path) -> None:
    done = ringwatch(
        settings, "load", "--landing", str(landing), "--date", DAY, RINGWATCH_NEO4J_URI="bolt://127.0.0.1:9"
    )
    assert_one_sentence(done, 6, "127.0.0.1:9", "ringwatch neo4j start")


def test_a_wrong_password_names_the_setting(settings: Settings, landing: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("not the password")
    done = ringwatch(
        settings, "load", "--landing", str(landing), "--date", DAY, RINGWATCH_NEO4J_PASSWORD_FILE=str(wrong)
    )
    assert_one_sentence(done, 6, "RINGWATCH_NEO4J_PASSWORD_FILE")


def test_a_missing_or_misnamed_landing_folder_says_what_is_expected(settings: Settings, tmp_path: Path) -> None:
    missing = ringwatch(settings, "load", "--landing", str(tmp_path / "nowhere"), "--date", DAY)
    assert_one_sentence(missing, 2, "nowhere", "accounts")
    (tmp_path / "other" / "acounts").mkdir(parents=True)
    misnamed = ringwatch(settings, "load", "--landing", str(tmp_path / "other"), "--date", DAY)
    assert_one_sentence(misnamed, 2, "acounts", "accounts")


def test_a_date_without_data_says_so(settings: Settings, landing: Path) -> None:
    done = ringwatch(settings, "load", "--landing", str(landing), "--date", "2031-01-01")
    assert_one_sentence(done, 3, "2031-01-01")


def test_an_unknown_account_is_an_error(settings: Settings) -> None:
    assert_one_sentence(ringwatch(settings, "explain", "--account", "nobody"), 2, "detect")


@pytest.mark.parametrize(
    "command",
    ["", "load", "backfill", "nightly", "ban-list", "neo4j", "airflow", "model", "import", "simulate", "outcome"],
)
def test_every_command_helps(settings: Settings, command: str) -> None:
    done = ringwatch(settings, *([command] if command else []), "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_neo4j_status_names_what_a_client_needs(settings: Settings) -> None:
    status = json.loads(ringwatch(settings, "neo4j", "status", "--json").stdout)
    assert {"running", "uri", "user", "password_file", "browser_url"} <= set(status)
    assert status["running"] is True


def test_doctor_changes_nothing_and_names_the_migrations_that_are_pending(settings: Settings, driver: Driver) -> None:
    done = ringwatch(settings, "doctor", "--json")
    [neo4j] = [finding for finding in json.loads(done.stdout) if finding["check"] == "neo4j"]
    assert (done.returncode, neo4j["state"]) == (0, "note")
    assert "migrations pending: 1, 2, 3" in neo4j["finding"]
    assert run(driver, "MATCH (n) RETURN n") == []


def test_doctor_finds_the_server_and_what_is_missing(settings: Settings, driver: Driver) -> None:
    migrate(driver)
    done = ringwatch(settings, "doctor", "--json")
    assert done.returncode == 0, done.stdout
    states = {finding["check"]: finding["state"] for finding in json.loads(done.stdout)}
    assert states["neo4j"] == "ok"
    assert states["landing"] == "note"


def test_a_world_is_made_and_continued_and_its_outcome_waits_for_a_night(settings: Settings, tmp_path: Path) -> None:
    world, ban_list = tmp_path / "world", tmp_path / "ban_list.csv"
    made = ringwatch(
        settings, "simulate", "--out", str(world), "--accounts", "200", "--nights", "1", "--history-days", "3"
    )
    assert made.returncode == 0, made.stderr
    assert f"backfill --landing {world / 'landing'} --from 2026-02-27 --to 2026-03-02" in made.stdout
    ban_list.write_text("account_id,action\n")
    done = ringwatch(settings, "simulate", "--continue", str(world), "--ban-list", str(ban_list), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["last_night"] == "2026-03-03"
    assert_one_sentence(ringwatch(settings, "outcome", "--world", str(world)), 2, "no night has been detected")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulate"], "either --out"),
        (["simulate", "--out", "world", "--continue", "world"], "either --out"),
        (["simulate", "--out", "world", "--ban-list", "list.csv"], "goes with --continue"),
        (["simulate", "--continue", "nowhere"], "holds no world"),
        (["simulate", "--out", "world", "--knobs", "none.json"], "none.json cannot be read"),
        (["simulate", "--out", "world", "--scenario", "sunny"], "no scenario sunny"),
        (["outcome", "--world", "nowhere"], "holds no world"),
        (["difficulty", "--accounts", "200", "--scenario", "quiet"], "has no fakes"),
    ],
)
def test_what_a_world_cannot_be_made_of_is_said(settings: Settings, arguments: list[str], said: str) -> None:
    assert_one_sentence(ringwatch(settings, *arguments), 2, said)
