"""No e-mail address and no phone number enters as it is: not the ledger, not quarantine, not a reason or a page."""

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.deliveries import deliver

from ringwatch.graph_schema.signals import ACCOUNTS, DEVICE_EVENTS, Field, Kind
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.ingest.casting.contacts import holds_contact, strike_contacts
from ringwatch.pipelines.ingest.landing import delivery
from ringwatch.pipelines.ingest.validation import DataDocs, check
from ringwatch.pipelines.nightly.load import stage_checked

pytestmark = pytest.mark.unit
DAY = date(2026, 4, 1)
NOON = "2026-04-01T12:00:00Z"
ADDRESS, NUMBER = "ann.lee+x@mail.example.org", "+49 (151) 234-5678"
HASH, ID = ACCOUNTS.field("email_hash"), ACCOUNTS.field("account_id")


@pytest.mark.parametrize(
    ("value", "field", "is_one"),
    [
        (ADDRESS, ID, True),
        (f"mailto:{ADDRESS}", HASH, True),
        (f"'{ADDRESS}' <{ADDRESS}>", ACCOUNTS.field("plan"), True),
        ("ünï@bücher.example", ID, True),
        (NUMBER, ID, True),
        (NUMBER, HASH, True),
        ("0151 2345678", HASH, True),
        ("(212) 555-0100", HASH, True),
        ("4915123456789", HASH, True),
        ("4915123456789", ID, False),  # an id may be a number
        ("user@cluster", ID, False),  # no domain
        ("3f2a9c+1", HASH, False),
        ("9" * 64, HASH, False),  # longer than any number
        ("a1b2c3d4e5f6", HASH, False),
        (None, HASH, False),
    ],
)
def test_what_is_taken_for_an_address_or_a_number(value, field, is_one):
    assert holds_contact(pa.array([value], pa.string()), field).to_pylist() == [is_one]


PART = st.text(st.characters(categories=("L", "N")), min_size=1)


@given(st.text(), PART, PART, PART, st.text())
def test_no_text_keeps_an_address(before, local, host, top, after):
    address = f"{local}@{host}.{top}"
    [struck] = strike_contacts(pa.array([f"{before} {address} {after}"])).to_pylist()
    assert address not in struck


@given(st.from_regex(r"\+[1-9][0-9]{1,2}[ -]?[0-9]{3}[ -]?[0-9]{3,5}", fullmatch=True))
def test_a_number_is_struck_out_of_a_text_and_of_a_hash(number):
    assert number not in strike_contacts(pa.array([f"a,{number},b"])).to_pylist()[0]
    assert number[1:] not in strike_contacts(pa.array([number[1:]]), HASH).to_pylist()[0]


def test_times_and_ids_stay_as_they_are():
    texts = pa.array([NOON, "2026-04-01T12:00:00+00:00", "acc-1", "10.0.0.1", "4915123456789"])
    assert strike_contacts(texts, Field("x", Kind.ID)).equals(texts)


def test_none_of_them_is_anywhere_after_a_night(tmp_path):
    settings = Settings(_env_file=None, home=tmp_path / "home")
    rows = [
        {"account_id": "a", "created_at": NOON, "email_hash": ADDRESS, "phone_hash": NUMBER, "email_domain": ADDRESS},
        {"account_id": "b", "created_at": NOON, "phone_hash": "0151 2345678", "plan": ADDRESS, "status": ADDRESS},
        {"account_id": ADDRESS, "created_at": NOON},
        {"account_id": "c", "created_at": f"since {ADDRESS}", "referred_by_account_id": NUMBER},
    ]
    deliver(tmp_path / "landing", "accounts", DAY, rows)
    broken = tmp_path / "landing" / "accounts" / f"date={DAY}" / "part-1.jsonl"
    broken.write_text(f'{{"account_id": "d", "note": "{ADDRESS} {NUMBER}"\n')
    csv = f"account_id,device_id,first_seen_at,last_seen_at\na,{ADDRESS},{NOON},{NOON}\n"
    deliver(tmp_path / "landing", "device_events", DAY, [])
    (tmp_path / "landing" / "device_events" / f"date={DAY}" / "part-0.csv").write_text(csv)
    n_rows = {}
    for signal in (ACCOUNTS, DEVICE_EVENTS):
        found = delivery(tmp_path / "landing", signal, DAY, require_success_file=False)
        checked = check(signal, [found], quarantine_limit=1.0, docs=DataDocs(settings))[DAY]
        stage_checked(settings, signal, DAY, found, checked)
        n_rows[signal.name] = (checked.accepted.num_rows, checked.quarantined.num_rows)
        kept = f"{checked.accepted.to_pylist()} {checked.quarantined.to_pylist()} {checked.notes}"
        assert not any(each in kept for each in (ADDRESS, NUMBER, "0151 2345678"))
    assert n_rows == {"accounts": (2, 3), "device_events": (0, 1)}
    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert len(files) > 4
    for path in files:
        content = path.read_bytes()
        assert not any(each.encode() in content for each in (ADDRESS, NUMBER, "0151 2345678")), path


def test_who_delivers_one_is_told_what_to_mend(tmp_path):
    deliver(tmp_path, "accounts", DAY, [{"account_id": ADDRESS, "created_at": NOON}])
    found = delivery(tmp_path, ACCOUNTS, DAY, require_success_file=False)
    [row] = check(ACCOUNTS, [found], quarantine_limit=1.0, docs=None)[DAY].quarantined.to_pylist()
    assert row["reason"] == "account_id '[e-mail address]' is not an id of 1 to 128 characters"
    assert row["account_id"] == "[e-mail address]"
