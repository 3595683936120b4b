"""The ban list's rules: who is listed, what may go out, and that it goes out whole."""

import csv
import hashlib
import hmac
import io
import json
import os
import threading
from datetime import UTC, date, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ban_list import Standing, approve, approve_unchanged, propose, publish, reject, standing, whole_folder
from pipelines.ban_list.cells import from_csv, to_csv
from pipelines.ban_list.entries import ENTRY_SCHEMA, Entry
from pipelines.errors import ApprovalError, RingwatchError
from pipelines.settings import Settings
from tests.nights import Judged, detected_night

D1 = date(2026, 4, 1)
D2 = date(2026, 4, 2)
RING = {f"fake-{i}": Judged(ring_id="ring-1", cards=("card-a",)) for i in range(3)}
PERSON = Judged(score=0.1, reasons=())


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path / "home", signing_key="secret", lock_timeout_s=5)


def released(settings, night, accounts, *, by="Ada", **kwargs):
    detected_night(settings, night, accounts, **kwargs)
    propose(settings, date=night)
    approve(settings, date=night, by=by)
    return publish(settings, date=night)


def ban_list(settings, night=D1):
    return pq.read_table(settings.exports_dir / f"ban_lists/date={night}/ban_list.parquet", partitioning=None)


def listed(settings, night=D1):
    return {(row["account_id"], row["action"]) for row in ban_list(settings, night).to_pylist()}


def delta(settings, night=D1):
    rows = csv.DictReader(io.StringIO((settings.exports_dir / f"ban_lists/date={night}/delta.csv").read_text()))
    return {(row["account_id"], row["action"]) for row in rows}


def snapshot_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# Who is listed


def test_a_suspicious_account_in_a_ring_is_banned(settings):
    released(settings, D1, {**RING, "person": PERSON})
    assert listed(settings) == {(account_id, "ban") for account_id in RING}


def test_a_score_alone_does_not_ban(settings):
    released(settings, D1, {"loner": Judged()})
    assert listed(settings) == set()


def test_two_independent_kinds_of_shared_identifiers_ban_outside_a_ring(settings):
    shared = Judged(cards=("card-a",), devices=("device-a",))
    released(settings, D1, {"a": shared, "b": Judged(score=0.1, cards=("card-a",), devices=("device-a",))})
    assert listed(settings) == {("a", "ban")}


def test_one_kind_however_often_does_not_ban_outside_a_ring(settings):
    shared = Judged(cards=("card-a", "card-b"))
    released(settings, D1, {"a": shared, "b": shared})
    assert listed(settings) == set()


def test_below_the_score_that_the_policy_asks_for_nothing_bans(settings):
    released(settings, D1, {"a": Judged(score=0.979, ring_id="ring-1")})
    assert listed(settings) == set()


def test_a_run_of_the_default_model_never_bans(settings):
    publication = released(settings, D1, RING, is_default=True)
    assert listed(settings) == set()
    assert publication.manifest["is_default"] is True


def test_a_run_of_the_default_model_keeps_what_is_in_force(settings):
    released(settings, D1, RING)
    released(settings, D2, RING, is_default=True)
    assert listed(settings, D2) == listed(settings, D1)


def test_an_account_that_a_person_found_legitimate_is_never_listed(settings):
    released(settings, D1, {"a": Judged(ring_id="ring-1", label="legitimate", source="appeal")})
    assert listed(settings) == set()


def test_a_legitimate_label_that_is_no_persons_does_not_protect(settings):
    released(settings, D1, {"a": Judged(ring_id="ring-1", label="legitimate", source="partner")})
    assert listed(settings) == {("a", "ban")}


def test_an_account_that_a_person_found_fake_is_listed_whatever_its_score(settings):
    released(settings, D1, {"a": Judged(score=0.1, label="fake", source="audit_sample")}, is_default=True)
    [row] = ban_list(settings).to_pylist()
    assert (row["action"], row["decided_by"]) == ("ban", "person: audit_sample")


def test_one_persons_word_against_the_models_is_contested_and_waits_for_a_second(settings):
    released(settings, D1, {"a": Judged(score=0.01, label="fake"), "b": Judged(score=0.06, label="fake")})
    assert listed(settings) == {("b", "ban")}
    folder = settings.ban_lists_dir / "proposals" / f"date={D1}"
    contested = list(csv.DictReader((folder / "contested.csv").open(newline="")))
    assert [(row["account_id"], row["decided_by"]) for row in contested] == [("a", "person: manual_review")]
    assert not (settings.ban_lists_dir / f"date={D1}" / "contested.csv").exists()


def test_what_two_people_found_is_not_contested(settings):
    released(settings, D1, {"a": Judged(score=0.01, label="fake", n_people=2)})
    assert listed(settings) == {("a", "ban")}


def test_evidence_names_the_shared_identifiers_with_their_numbers_of_accounts(settings):
    released(settings, D1, RING)
    evidence = json.loads(ban_list(settings).to_pylist()[0]["evidence"])
    assert evidence == [{"id": "card-a", "kind": "PaymentInstrument", "n_accounts": 3, "n_suspicious": 3}]


# From night to night


def test_an_entry_stays_as_it_was_decided_while_it_is_in_force(settings):
    released(settings, D1, RING)
    released(settings, D2, dict.fromkeys(RING, PERSON))
    assert ban_list(settings, D2).equals(ban_list(settings, D1))
    assert delta(settings, D2) == set()


def test_an_entry_expires_unless_it_is_renewed(settings):
    released(settings, D1, RING)
    late = D1 + timedelta(days=90)
    released(settings, late, {"fake-0": RING["fake-0"], "fake-1": PERSON, "fake-2": PERSON})
    [row] = ban_list(settings, late).to_pylist()
    assert row["first_listed_at"] == datetime(2026, 4, 2, tzinfo=UTC)
    assert row["expires_at"] == datetime(2026, 4, 2, tzinfo=UTC) + timedelta(days=180)
    assert delta(settings, late) == {("fake-0", "ban"), ("fake-1", "lift"), ("fake-2", "lift")}


def test_fresh_evidence_renews_only_near_the_end(settings):
    released(settings, D1, RING)
    for days, is_renewed in ((59, False), (60, True)):
        night = D1 + timedelta(days=days)
        released(settings, night, RING)
        run_ids = {row["run_id"] for row in ban_list(settings, night).to_pylist()}
        assert run_ids == {f"run-{night}" if is_renewed else f"run-{D1}"}


def test_a_person_who_clears_an_account_lifts_it(settings):
    released(settings, D1, RING)
    cleared = Judged(ring_id="ring-1", cards=("card-a",), label="legitimate", source="appeal")
    released(settings, D2, {**RING, "fake-0": cleared})
    assert delta(settings, D2) == {("fake-0", "lift")}
    assert listed(settings, D2) == {("fake-1", "ban"), ("fake-2", "ban")}


def test_a_corrected_list_tells_anew_what_the_first_version_told(settings):
    released(settings, D1, RING)
    released(settings, D2, {**RING, "wrong": Judged(ring_id="ring-2")})
    assert delta(settings, D2) == {("wrong", "ban")}
    released(settings, D2, {**RING, "right": Judged(ring_id="ring-2"), "wrong": PERSON})
    assert delta(settings, D2) == {("wrong", "lift"), ("right", "ban")}
    assert not publish(settings, date=propose(settings, date=D2).date).is_new  # and proposing again changes nothing


# Approval


def test_nothing_goes_out_without_an_approval(settings):
    detected_night(settings, D1, RING)
    propose(settings, date=D1)
    with pytest.raises(ApprovalError, match="not approved"):
        publish(settings, date=D1)
    assert not (settings.exports_dir / "ban_lists").exists()


def test_proposing_again_gives_the_same_bytes_and_keeps_the_approval(settings):
    detected_night(settings, D1, RING)
    first = propose(settings, date=D1)
    before = snapshot_of(first.folder)
    approve(settings, date=D1, by="Ada")
    assert propose(settings, date=D1) == first
    assert snapshot_of(first.folder) == before
    assert publish(settings, date=D1).manifest["approved_by"] == "Ada"


def test_a_changed_row_needs_a_new_approval(settings):
    detected_night(settings, D1, RING)
    old = propose(settings, date=D1)
    approve(settings, date=D1, by="Ada")
    detected_night(settings, D1, {**RING, "fake-0": Judged(score=0.985, ring_id="ring-1", cards=("card-a",))})
    new = propose(settings, date=D1)
    assert new.content_sha256 != old.content_sha256
    assert standing(settings, D1, new.content_sha256) is Standing.WAITING
    with pytest.raises(ApprovalError, match="not approved"):
        publish(settings, date=D1)


def test_what_a_person_saw_is_what_is_approved(settings):
    detected_night(settings, D1, RING)
    seen = propose(settings, date=D1).content_sha256
    detected_night(settings, D1, {**RING, "another": RING["fake-0"]})
    propose(settings, date=D1)
    assert standing(settings, D1, seen) is Standing.OUTDATED
    with pytest.raises(ApprovalError, match="changed since"):
        approve(settings, date=D1, by="Ada", via="airflow", content_sha256=seen)


def test_the_first_approval_holds(settings):
    detected_night(settings, D1, RING)
    propose(settings, date=D1)
    first = approve(settings, date=D1, by="Ada")
    assert approve(settings, date=D1, by="Grace", via="airflow") == first
    with pytest.raises(ApprovalError, match="approved by Ada"):
        reject(settings, date=D1, by="Grace")


def test_a_rejected_list_does_not_go_out(settings):
    detected_night(settings, D1, RING)
    propose(settings, date=D1)
    reject(settings, date=D1, by="Ada")
    with pytest.raises(ApprovalError, match="rejected by Ada"):
        approve(settings, date=D1, by="Grace")
    with pytest.raises(ApprovalError, match="rejected by Ada"):
        publish(settings, date=D1)


@pytest.mark.parametrize("by", ["", "  "])
def test_somebody_has_to_stand_for_an_approval(settings, by):
    detected_night(settings, D1, RING)
    propose(settings, date=D1)
    with pytest.raises(ApprovalError, match="--by"):
        approve(settings, date=D1, by=by)


def test_what_is_not_there_is_said(settings):
    with pytest.raises(RingwatchError, match="has not been detected"):
        propose(settings, date=D1)
    with pytest.raises(ApprovalError, match="nothing is proposed"):
        approve(settings, date=D1, by="Ada")


@pytest.mark.parametrize("name", ["ban_list.csv", "ban_list.parquet", "delta.csv"])
def test_a_proposal_that_was_tampered_with_is_refused(settings, name):
    detected_night(settings, D1, RING)
    file = propose(settings, date=D1).folder / name
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(ApprovalError, match="was changed"):
        approve(settings, date=D1, by="Ada")


def test_tampering_after_the_approval_is_seen_too(settings):
    detected_night(settings, D1, RING)
    proposal = propose(settings, date=D1)
    approve(settings, date=D1, by="Ada")
    head = json.loads((proposal.folder / "proposal.json").read_text())
    head["facts"]["thresholds"]["suspicious"] = 0.1
    (proposal.folder / "proposal.json").write_text(json.dumps(head))
    with pytest.raises(ApprovalError, match="was changed"):
        publish(settings, date=D1)


def test_of_many_who_decide_at_once_one_does(settings):
    detected_night(settings, D1, RING)
    propose(settings, date=D1)
    decisions, at_once = [], threading.Barrier(8)

    def decide(i):
        at_once.wait()
        decisions.append(approve(settings, date=D1, by=f"person {i}"))

    threads = [threading.Thread(target=decide, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decisions) == 8
    assert len({decision.by for decision in decisions}) == 1


def test_a_list_that_changes_nothing_needs_nobody(settings):
    released(settings, D1, RING)
    detected_night(settings, D2, RING)
    assert approve_unchanged(settings, propose(settings, date=D2)).via == "policy"
    assert publish(settings, date=D2).is_new


def test_a_list_that_changes_something_needs_somebody(settings):
    detected_night(settings, D1, RING)
    assert approve_unchanged(settings, propose(settings, date=D1)) is None


def test_an_outdated_list_is_left_alone_even_if_it_changes_nothing(settings):
    released(settings, D2, RING)
    detected_night(settings, D1, {"person": PERSON})
    proposal = propose(settings, date=D1)
    assert proposal.changes_nothing
    assert approve_unchanged(settings, proposal) is None
    assert standing(settings, D1, proposal.content_sha256) is Standing.OUTDATED


# Publishing


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
    canonical = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert claimed == hmac.new(b"secret", canonical.encode(), hashlib.sha256).hexdigest()
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


def test_readers_never_see_half_a_folder(tmp_path):
    target = tmp_path / "date=2026-04-01"
    versions = [{"a": bytes([i]) * 100_000, "b": bytes([i])} for i in range(2)]
    whole_folder.write_folder(target, versions[0])
    seen, is_over = [], threading.Event()

    def read():
        while not is_over.is_set():
            descriptor = os.open(target, os.O_RDONLY)  # a reader that opened a folder goes on in that folder
            files = {}
            for name in ("a", "b"):
                try:
                    files[name] = os.read(os.open(name, os.O_RDONLY, dir_fd=descriptor), 100_000)
                except FileNotFoundError:  # replaced and removed since: the reader sees that, and no mixture
                    break
            else:
                seen.append(files)
            os.close(descriptor)

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(60):
        whole_folder.write_folder(target, versions[i % 2])
    is_over.set()
    reader.join()
    assert seen
    assert all(files in versions for files in seen)


# Cells


def entry(**changes):
    at = datetime(2026, 4, 2, tzinfo=UTC)
    values = {
        "account_id": "a", "action": "ban", "ring_id": None, "fraud_score": 0.9, "decided_by": "rule", "reasons": (),
        "evidence": "[]", "first_listed_at": at, "expires_at": at, "appeal_by": at, "run_id": "r", "model_version": "m",
    }  # fmt: skip
    return Entry(**{**values, **changes})


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1"])
def test_a_cell_that_a_spreadsheet_would_run_is_escaped(text):
    [_, row] = csv.reader(io.StringIO(to_csv([entry(account_id=text)]).decode(), newline=""))
    assert row[0] == f"'{text}"


def test_lists_in_cells_are_json():
    [row] = csv.DictReader(io.StringIO(to_csv([entry(reasons=("a, b", 'c "d"'))]).decode()))
    assert json.loads(row["reasons"]) == ["a, b", 'c "d"']


@given(
    account_id=st.text(min_size=1).filter(lambda text: "\x00" not in text),
    reasons=st.lists(st.text(), max_size=3),
    score=st.none() | st.floats(0, 1),
)
def test_what_is_written_can_be_read_again(account_id, reasons, score):
    written = entry(account_id=account_id, reasons=tuple(reasons), fraud_score=score)
    assert from_csv(to_csv([written])) == [written]
