"""A world that goes on: the banned fall silent, campaigns answer, the wrongly banned are heard."""

import csv
import datetime as dt
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.builders.simulated import bytes_of, connect

from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.simulate import Arguments, continue_world, simulate

LAST = dt.date(2026, 3, 3)
NEXT = dt.date(2026, 3, 4)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "world"
    simulate(Arguments(6000, 2, 20, 5, "disclosure"), folder)
    return folder


@pytest.fixture
def world(made: Path, tmp_path: Path) -> Path:
    """A world of its own for each test."""
    return Path(shutil.copytree(made, tmp_path / "world"))


def query(world: Path, sql: str) -> list[tuple]:
    return connect(world).sql(sql).fetchall()


def active(world: Path, condition: str) -> list[str]:
    acting = f"SELECT DISTINCT account_id FROM usage_events JOIN truth USING (account_id) WHERE date = '{LAST}'"
    return [account for (account,) in query(world, f"{acting} AND {condition} ORDER BY account_id")]


def ban_list(folder: Path, accounts: Iterable[str], action: str = "ban") -> Path:
    file = folder / "ban_list.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["account_id", "action", "ring_id"])
        writer.writerows([account, action, ""] for account in accounts)
    return file


def test_banned_accounts_fall_silent_and_are_delivered_as_suspended(world: Path):
    banned = active(world, "is_fake") + active(world, "NOT is_fake")[:50]
    continue_world(world, ban_list(world, banned))
    names = ", ".join(f"'{account}'" for account in banned)
    for signal in ("usage_events", "ip_events", "device_events"):
        assert query(world, f"SELECT * FROM {signal} WHERE date = '{NEXT}' AND account_id IN ({names})") == []
    status = query(world, f"SELECT account_id, status FROM accounts WHERE date = '{NEXT}' AND account_id IN ({names})")
    assert dict(status) == dict.fromkeys(banned, "suspended")


def test_without_a_ban_list_the_night_goes_on_and_those_banned_stay_silent(world: Path):
    banned = active(world, "is_fake")
    continue_world(world, ban_list(world, banned))
    continue_world(world, None)
    names = ", ".join(f"'{account}'" for account in banned)
    since = f"SELECT * FROM usage_events WHERE date > '{LAST}' AND account_id IN ({names})"
    assert query(world, since) == []
    assert len(query(world, f"SELECT * FROM usage_events WHERE date = '{NEXT + dt.timedelta(days=1)}'")) > 100


def test_a_lifted_account_comes_back(world: Path):
    banned = active(world, "NOT is_fake")
    continue_world(world, ban_list(world, banned))
    continue_world(world, ban_list(world, []))
    after = NEXT + dt.timedelta(days=1)
    back = f"SELECT DISTINCT account_id FROM usage_events WHERE date = '{after}'"
    assert len({account for (account,) in query(world, back)} & set(banned)) > 0.2 * len(banned)
    status = query(world, f"SELECT DISTINCT account_id, status FROM accounts WHERE date = '{after}'")
    told = {account: dict(status).get(account) for account in banned}
    assert set(told.values()) <= {"active", "closed"}  # one or another leaves on its own


def test_campaigns_replace_banned_accounts_within_a_day_on_what_they_share(world: Path):
    banned = active(world, "kind = 'hydra'")
    before = {account for (account,) in query(world, "SELECT account_id FROM truth")}
    continue_world(world, ban_list(world, banned))
    new = (
        "SELECT account_id, created_at FROM accounts JOIN truth USING (account_id)"
        f" WHERE date = '{NEXT}' AND kind = 'hydra'"
    )
    fresh = [(account, born) for account, born in query(world, new) if account not in before]
    assert len(fresh) >= 0.8 * len(banned)
    assert {born.date() for _, born in fresh} == {NEXT}
    names = ", ".join(f"'{account}'" for account, _ in fresh)
    old_devices = (
        f"SELECT device_id FROM device_events JOIN truth USING (account_id) WHERE kind = 'hydra' AND date <= '{LAST}'"
    )
    assert query(world, f"SELECT * FROM device_events WHERE account_id IN ({names}) AND device_id IN ({old_devices})")


def test_an_answered_ban_is_answered_once(world: Path):
    banned = active(world, "kind = 'hydra'")
    continue_world(world, ban_list(world, banned))
    after_one = query(world, "SELECT count(*) FROM truth WHERE kind = 'hydra'")
    continue_world(world, ban_list(world, banned))
    [(n,)] = query(world, "SELECT count(*) FROM truth WHERE kind = 'hydra'")
    assert n - after_one[0][0] <= 2  # but for sign-ups that were planned


def test_a_campaign_hit_hard_moves_to_other_addresses(world: Path):
    members = active(world, "kind = 'bulk_pivoting'")
    banned = ban_list(world, members[::2])
    for _ in range(3):
        continue_world(world, banned)
    several = (
        "SELECT ip FROM ip_events JOIN truth USING (account_id) WHERE kind = 'bulk_pivoting' AND date {} '{}'"
        " AND network_type NOT IN ('mobile', 'vpn') GROUP BY ip HAVING count(DISTINCT account_id) > 1"
    )
    old, new = (set(query(world, several.format(when, LAST))) for when in ("<=", ">"))
    assert old
    assert new
    assert not new & old


def test_people_banned_wrongly_are_heard_within_some_days(world: Path):
    wronged = active(world, "NOT is_fake")[:60]
    file = ban_list(world, wronged)
    for _ in range(12):
        continue_world(world, file)
    heard = dict(query(world, "SELECT account_id, label FROM labels WHERE source = 'appeal'"))
    assert len(set(heard) & set(wronged)) > 0.6 * len(wronged)
    assert {heard[account] for account in set(heard) & set(wronged)} == {"legitimate"}


def test_going_on_gives_the_same_bytes_each_time(world: Path, tmp_path: Path):
    twin = Path(shutil.copytree(world, tmp_path / "twin"))
    file = ban_list(tmp_path, active(world, "is_fake"))
    for each in (world, twin):
        continue_world(each, file)
        continue_world(each, None)
    assert bytes_of(world) == bytes_of(twin)


def test_a_night_that_was_broken_off_is_written_again_as_it_was(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    twin = Path(shutil.copytree(world, tmp_path / "twin"))
    file = ban_list(tmp_path, active(world, "is_fake"))
    with monkeypatch.context() as patched:
        patched.setattr("ringwatch.pipelines.simulate.nights.save_state", _break_off)
        with pytest.raises(KeyboardInterrupt):
            continue_world(world, file)
    for each in (world, twin):
        continue_world(each, file)
    assert bytes_of(world) == bytes_of(twin)


def _break_off(*_: object) -> None:
    raise KeyboardInterrupt


def test_sign_ups_go_on_beyond_what_was_planned_at_first(world: Path):
    n_before = query(world, "SELECT count(*) FROM truth")[0][0]
    for _ in range(3):
        continue_world(world, None)
    joined = query(world, f"SELECT date, count(*) FROM accounts WHERE date > '{LAST}' GROUP BY date ORDER BY date")
    assert all(n > 5 for _, n in joined)
    assert query(world, "SELECT count(*) FROM truth")[0][0] > n_before + 15


def test_a_list_of_another_world_or_no_list_at_all_is_refused(world: Path, tmp_path: Path):
    with pytest.raises(RingwatchError, match="accounts that this world does not have"):
        continue_world(world, ban_list(tmp_path, ["a_stranger"]))
    with pytest.raises(RingwatchError, match="cannot be read as a ban list"):
        continue_world(world, tmp_path / "nothing.csv")
    with pytest.raises(RingwatchError, match="holds no world"):
        continue_world(tmp_path, None)


def test_restricted_accounts_are_not_silenced(world: Path):
    members = active(world, "is_fake")
    continue_world(world, ban_list(world, members, action="restrict"))
    names = ", ".join(f"'{account}'" for account in members)
    assert query(world, f"SELECT * FROM usage_events WHERE date = '{NEXT}' AND account_id IN ({names})")
