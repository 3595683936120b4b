"""What a consumer checks before it acts, and that it comes to the list in force whatever it missed or did twice."""

import hashlib
import hmac
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.ban_lists import released
from tests.builders.nights import Judged

from ringwatch.pipelines.ban_list.cells import from_csv, to_csv
from ringwatch.pipelines.ban_list.consumer import consume, read_state
from ringwatch.pipelines.ban_list.rules.entries import Entry
from ringwatch.pipelines.ban_list.verification import actions_of, apply, verify
from ringwatch.pipelines.common.errors import ApprovalError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.signing import content_sha256, sha256, sign

pytestmark = pytest.mark.unit
D1 = date(2026, 4, 1)
KEY = "secret"
FAKE, CLEARED = Judged(ring_id="ring-1"), Judged(label="legitimate")


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path / "home", signing_key=KEY)


@pytest.fixture
def two_nights(settings):
    """A list of two, and one on which one of them is cleared and another listed."""
    first = released(settings, D1, {"a": FAKE, "b": FAKE}).folder
    return first, released(settings, D1 + timedelta(days=1), {"a": FAKE, "b": CLEARED, "c": FAKE}).folder


def forge(folder, name, content):
    """Replace a file and make the manifest fit it, as somebody without the key could."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"][name] |= {"sha256": sha256(content), "bytes": len(content)}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_what_was_published_is_right(two_nights):
    first, second = (verify(folder, key=KEY) for folder in two_nights)
    assert (first.faults, first.is_signed, first.former) == ([], True, None)
    assert (second.faults, second.is_signed, second.former) == ([], True, f"date={D1}")
    assert not verify(two_nights[0], key=None).is_signed


@pytest.mark.parametrize("name", ["ban_list.csv", "ban_list.parquet", "delta.csv", "manifest.json"])
def test_a_missing_or_altered_file_is_told(two_nights, name):
    file = two_nights[1] / name
    content = file.read_bytes()
    file.write_bytes(content.replace(b"ban", b"lif", 1))
    assert verify(two_nights[1], key=KEY).faults
    file.unlink()
    assert verify(two_nights[1], key=KEY).faults
    file.write_bytes(content)
    assert verify(two_nights[1], key=KEY).faults == []


def test_a_row_added_with_a_manifest_to_fit_is_told_even_without_the_key(two_nights):
    row = (two_nights[1] / "delta.csv").read_bytes()
    forge(two_nights[1], "delta.csv", row + row.splitlines(keepends=True)[-1].replace(b"c,ban", b"victim,ban"))
    faults = " ".join(verify(two_nights[1], key=KEY).faults)
    assert "not about the content that was approved" in faults
    assert "signature does not hold" in faults
    assert verify(two_nights[1], key=None).faults


def test_another_key_and_no_signature_are_told_apart(settings, two_nights):
    assert "signed with another key" in verify(two_nights[0], key="other").faults[0]
    manifest = json.loads((two_nights[0] / "manifest.json").read_bytes()) | {"hmac": None}
    (two_nights[0] / "manifest.json").write_text(json.dumps(manifest))
    assert verify(two_nights[0], key=KEY).faults == ["it is not signed"]


def test_a_delta_that_leads_elsewhere_is_told_whoever_signed_it(two_nights):
    folder = two_nights[1]
    delta = to_csv(entry for entry in from_csv((folder / "delta.csv").read_bytes()) if entry.account_id != "b")
    forge(folder, "delta.csv", delta)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["content_sha256"] = content_sha256(*content_of(manifest))
    manifest["hmac"] = sign(manifest, KEY)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert verify(folder, key=KEY).faults == [f"delta.csv does not lead from the list of date={D1} to this one"]


def test_a_list_that_was_signed_before_rfc_8785_can_still_be_checked(two_nights):
    file = two_nights[0] / "manifest.json"
    manifest = json.loads(file.read_bytes())
    facts, files = content_of(manifest)
    manifest["content_sha256"] = sha256(sorted_json({"facts": facts, "files": files}))
    del manifest["hmac"]
    signature = hmac.new(KEY.encode(), sorted_json(manifest), hashlib.sha256).hexdigest()
    file.write_text(json.dumps(manifest | {"hmac": signature}))
    assert signature != sign(manifest, KEY)
    assert verify(two_nights[0], key=KEY).faults == []
    file.write_text(json.dumps(manifest | {"hmac": signature, "approved_by": "Eve"}))
    assert "signature does not hold" in verify(two_nights[0], key=KEY).faults[0]


def content_of(manifest):
    """The facts of a manifest that an approval is bound to, and the hashes of its files."""
    added = {"content_sha256", "files", "hmac", "approved_by", "approved_at", "approved_via"}
    facts = {name: value for name, value in manifest.items() if name not in added}
    return facts, {name: file["sha256"] for name, file in manifest["files"].items()}


def sorted_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_each_list_is_enforced_once(tmp_path, two_nights):
    state = tmp_path / "state.json"
    first, second = two_nights
    assert consume(first, state, key=KEY) == {"a": "ban", "b": "ban"}
    assert consume(first, state, key=KEY) == {}
    assert consume(second, state, key=KEY) == {"b": "lift", "c": "ban"}
    assert consume(second, state, key=KEY) == {}
    with pytest.raises(ApprovalError, match="would undo it"):
        consume(first, state, key=KEY)


def test_after_a_crash_it_is_done_again(tmp_path, two_nights):
    state, done = tmp_path / "state.json", []

    def fail(changes):
        done.append(changes)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        consume(two_nights[0], state, key=KEY, act=fail)
    assert consume(two_nights[0], state, key=KEY, act=done.append) == done[0] == done[1]


def test_a_missed_night_comes_to_the_same(tmp_path, two_nights):
    assert consume(two_nights[1], tmp_path / "late.json", key=KEY) == {"a": "ban", "c": "ban"}
    for folder in two_nights:
        consume(folder, tmp_path / "nightly.json", key=KEY)
    assert read_state(tmp_path / "late.json") == read_state(tmp_path / "nightly.json")


def test_a_corrected_list_is_enforced_over_its_earlier_version(tmp_path, settings):
    state = tmp_path / "state.json"
    consume(released(settings, D1, {"a": FAKE, "wrong": FAKE}).folder, state, key=KEY)
    corrected = released(settings, D1, {"a": FAKE, "wrong": CLEARED}).folder
    assert consume(corrected, state, key=KEY) == {"wrong": "lift"}
    assert verify(corrected, key=KEY).faults == []


def test_nothing_is_done_about_a_folder_that_is_not_right(tmp_path, two_nights):
    (two_nights[0] / "extra.csv").write_text("x")
    with pytest.raises(ApprovalError, match=r"extra\.csv"):
        consume(two_nights[0], tmp_path / "state.json", key=KEY)
    assert not (tmp_path / "state.json").exists()


@given(*[st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["ban", "restrict"]))] * 2)
def test_a_delta_applied_twice_does_no_more_than_once(before, after):
    changed = [entry(a, action) for a, action in after.items() if before.get(a) != action]
    delta = changed + [entry(a, "lift") for a in before.keys() - after.keys()]
    once = apply(before, delta)
    assert once == apply(once, delta) == actions_of([entry(a, action) for a, action in after.items()])


def entry(account_id, action):
    at = datetime(2026, 4, 2, tzinfo=UTC)
    return Entry(account_id, action, None, 0.9, "rule", (), "[]", at, at, at, "run", "model")
