"""Publishing a ban list: whole or not at all, signed, and never undone by an older one."""

import hashlib
import hmac
import json
import os
import threading

import pytest
import rfc8785
from tests.builders.ban_lists import D1, D2, PERSON, RING, ban_list, listed, released, snapshot_of
from tests.builders.nights import detected_night

from ringwatch.pipelines.ban_list import Standing, approve, propose, publication, publish, standing
from ringwatch.pipelines.ban_list.published import replaced_folders
from ringwatch.pipelines.ban_list.rules.entries import ENTRY_SCHEMA
from ringwatch.pipelines.common import atomic_folder as whole_folder
from ringwatch.pipelines.common.errors import ApprovalError
from ringwatch.pipelines.common.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path / "home", signing_key="secret", lock_timeout_s=5)


def test_an_empty_list_is_publishable(settings):
    publication = released(settings, D1, {"person": PERSON})
    assert {file["rows"] for file in publication.manifest["files"].values()} == {0}
    assert ban_list(settings).schema.names == ENTRY_SCHEMA.names


def test_the_folder_holds_the_contracts_files(settings):
    publication = released(settings, D1, RING)
    assert {path.name for path in publication.folder.iterdir()} == {
        "ban_list.csv",
        "ban_list.parquet",
        "delta.csv",
        "manifest.json",
    }
    assert publication.folder == settings.exports_dir / "ban_lists" / "date=2026-04-01"


def test_a_consumer_can_check_the_manifest(settings):
    folder = released(settings, D1, RING).folder
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, file in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == file["sha256"]
        assert file["rows"] == 3
    claimed = manifest.pop("hmac")
    assert claimed == hmac.new(b"secret", rfc8785.dumps(manifest), hashlib.sha256).hexdigest()
    assert manifest["thresholds"] == {"suspicious": 0.8, "watch": 0.4}
    assert (manifest["run_id"], manifest["model_version"]) == ("run-2026-04-01", "model-1")
    assert manifest["approved_by"] == "Ada"


def test_without_a_key_the_manifest_is_unsigned_and_says_so(settings, caplog):
    publication = released(settings.model_copy(update={"signing_key": None}), D1, RING)
    assert publication.manifest["hmac"] is None
    assert "unsigned" in caplog.text


def test_publishing_again_changes_no_byte(settings):
    folder = released(settings, D1, RING).folder
    before, inode = snapshot_of(folder), folder.stat().st_ino
    assert not publish(settings, date=D1).is_new
    assert (snapshot_of(folder), folder.stat().st_ino) == (before, inode)


def test_a_published_file_that_was_altered_is_noticed(settings):
    folder = released(settings, D1, RING).folder
    (folder / "ban_list.csv").write_text("account_id,action\ninnocent,ban\n")
    with pytest.raises(ApprovalError, match=r"ban_list\.csv .* is not what was published"):
        publish(settings, date=D1)
    detected_night(settings, D2, RING)
    with pytest.raises(ApprovalError, match="is not what was published"):
        propose(settings, date=D2)


def test_the_same_night_gives_the_same_files_anywhere(settings, tmp_path):
    elsewhere = Settings(_env_file=None, home=tmp_path / "elsewhere", signing_key="secret")
    one, other = (snapshot_of(released(s, D1, RING).folder) for s in (settings, elsewhere))
    for files in (one, other):
        files.pop("manifest.json")  # names the time of approval
    assert one == other


def test_an_older_list_does_not_undo_a_newer_one(settings):
    detected_night(settings, D1, RING)
    old = propose(settings, date=D1)
    released(settings, D2, RING)
    assert standing(settings, D1, old.content_sha256) is Standing.OUTDATED
    with pytest.raises(ApprovalError, match="would undo it"):
        approve(settings, date=D1, by="Ada")


def test_a_list_that_follows_on_another_than_was_proposed_is_refused(settings):
    detected_night(settings, D2, RING)
    propose(settings, date=D2)
    approve(settings, date=D2, by="Ada")
    released(settings, D1, RING)
    with pytest.raises(ApprovalError, match="another list was published since"):
        publish(settings, date=D2)


@pytest.mark.parametrize("is_replaced", [False, True])
@pytest.mark.parametrize(("step", "n_done"), [("_write_flushed", i) for i in range(4)] + [("_flush_folder", 0)])
def test_a_crash_leaves_nothing_half_published(settings, monkeypatch, is_replaced, step, n_done):
    before = snapshot_of(released(settings, D1, RING).folder) if is_replaced else None
    detected_night(settings, D1, {**RING, "another": RING["fake-0"]})
    propose(settings, date=D1)
    approve(settings, date=D1, by="Ada")
    real, calls = getattr(whole_folder, step), []

    def crash(*args):
        if len(calls) == n_done:
            raise KeyboardInterrupt
        calls.append(args)
        real(*args)

    with monkeypatch.context() as patched:
        patched.setattr(whole_folder, step, crash)
        with pytest.raises(KeyboardInterrupt):
            publish(settings, date=D1)
    folder = settings.exports_dir / "ban_lists" / f"date={D1}"
    assert (snapshot_of(folder) if folder.exists() else None) == before
    publish(settings, date=D1)
    assert ("another", "ban") in listed(settings)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("step", ["read_proposal", "keep_replaced", "_manifest", "write_folder"])
def test_a_crash_between_two_steps_loses_nothing_and_publishing_goes_on(settings, monkeypatch, step):
    before = snapshot_of(released(settings, D1, RING).folder)
    detected_night(settings, D1, {**RING, "another": RING["fake-0"]})
    propose(settings, date=D1)
    approve(settings, date=D1, by="Ada")
    real = getattr(publication, step)

    def crash(*args):
        real(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(publication, step, crash)
        with pytest.raises(KeyboardInterrupt):
            publish(settings, date=D1)
    folder = settings.exports_dir / "ban_lists" / f"date={D1}"
    is_done = step == "write_folder"
    assert (snapshot_of(folder) == before) is not is_done
    assert publish(settings, date=D1).is_new is not is_done
    assert ("another", "ban") in listed(settings)
    kept = list(replaced_folders(settings))
    assert [json.loads((each / "manifest.json").read_bytes())["counts"]["delta"]["ban"] for each in kept] == [3]


def test_of_two_publishers_one_publishes_and_the_other_finds_it_done(settings):
    detected_night(settings, D1, RING)
    propose(settings, date=D1)
    approve(settings, date=D1, by="Ada")
    start, done = threading.Barrier(4), []

    def race():
        start.wait()
        done.append(publish(settings, date=D1))

    racers = [threading.Thread(target=race) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(each.is_new for each in done) == [False, False, False, True]
    assert len({json.dumps(each.manifest, sort_keys=True) for each in done}) == 1
    assert [path.name for path in done[0].folder.parent.iterdir()] == [done[0].folder.name]


def test_two_publishers_of_two_nights_leave_lists_that_follow_on_each_other(settings):
    for night in (D1, D2):
        detected_night(settings, night, RING)
        propose(settings, date=night)
        approve(settings, date=night, by="Ada")
    start, refused = threading.Barrier(2), []

    def race(night):
        start.wait()
        try:
            publish(settings, date=night)
        except ApprovalError as error:
            refused.append((night, str(error)))

    racers = [threading.Thread(target=race, args=(night,)) for night in (D1, D2)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    # Both were made to follow on nothing: whichever came second would undo, or not follow on, the first.
    [(night, why)] = refused
    assert ("would undo it" if night == D1 else "another list was published since") in why


def test_readers_never_see_half_a_folder(tmp_path):
    target = tmp_path / "date=2026-04-01"
    versions = [{"a": bytes([i]) * 100_000, "b": bytes([i])} for i in range(2)]
    whole_folder.write_folder(target, versions[0])
    seen, is_over = [], threading.Event()

    def read_file(name, folder):
        descriptor = os.open(name, os.O_RDONLY, dir_fd=folder)
        try:
            return os.read(descriptor, 100_000)
        finally:
            os.close(descriptor)

    def read():
        while not is_over.is_set():
            folder = os.open(target, os.O_RDONLY)  # a reader that opened a folder goes on in that folder
            try:
                seen.append({name: read_file(name, folder) for name in ("a", "b")})
            except FileNotFoundError:  # replaced and removed since: the reader sees that, and no mixture
                pass
            finally:
                os.close(folder)

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(60):
        whole_folder.write_folder(target, versions[i % 2])
    is_over.set()
    reader.join()
    assert seen
    assert all(files in versions for files in seen)
