"""Values become what their column declares, without loss, or count as wrong."""

import ipaddress
import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwatch.graph_schema.signals import Derived, Field, Kind
from ringwatch.pipelines.ingest.casting.cast import as_text, cast_column, derive_column
from ringwatch.pipelines.ingest.casting.values import cast_value, subnet_of

MOMENT = datetime(2026, 4, 1, 10, 30, tzinfo=UTC)
INT64 = st.integers(-(2**63), 2**63 - 1)


def cast(values, kind, *, type=None, **rules):
    typed, wrong = cast_column(pa.array(values, type), Field("x", kind, **rules))
    assert typed.type == kind.arrow_type
    return typed.to_pylist(), wrong.to_pylist()


def outcome(value, kind):
    try:
        return cast_value(value, kind)
    except ValueError:
        return "wrong"


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("7", Kind.INTEGER, 7),
        (" 7.0 ", Kind.INTEGER, 7),
        ("7e2", Kind.INTEGER, 700),
        (7.0, Kind.INTEGER, 7),
        (Decimal("7.00"), Kind.INTEGER, 7),
        (7, Kind.ID, "7"),
        (7.0, Kind.ID, "7"),
        ("007", Kind.ID, "007"),
        (" a ", Kind.ID, " a "),
        (7.5, Kind.TEXT, "7.5"),
        (b"caf\xc3\xa9", Kind.TEXT, "café"),
        ("1e3", Kind.NUMBER, 1000.0),
        (2**53, Kind.NUMBER, 2.0**53),
        ("2026-04-01T10:30Z", Kind.TIMESTAMP, MOMENT),
        ("2026-04-01 12:30:00+02:00", Kind.TIMESTAMP, MOMENT),
        ("2026-04-01T10:30:00", Kind.TIMESTAMP, MOMENT),
        ("2026-04-01", Kind.TIMESTAMP, datetime(2026, 4, 1, tzinfo=UTC)),
        (date(2026, 4, 1), Kind.TIMESTAMP, datetime(2026, 4, 1, tzinfo=UTC)),
        ("2026-04-01T10:30:00.123456789Z", Kind.TIMESTAMP, MOMENT.replace(microsecond=123456)),
        ("::FFFF:192.0.2.1", Kind.IP, "192.0.2.1"),
        (" 2001:DB8:0::1 ", Kind.IP, "2001:db8::1"),
        (" Example.ORG. ", Kind.DOMAIN, "example.org"),
        ("münchen.de", Kind.DOMAIN, "münchen.de"),
        (" de ", Kind.COUNTRY, "DE"),
        ("eur", Kind.CURRENCY, "EUR"),
    ],
)
def test_values_that_lose_nothing_are_cast(value, kind, expected):
    assert cast_value(value, kind) == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *(
            (value, Kind.INTEGER)
            for value in ("7.5", 7.5, True, "seven", "1_000", 2**63, str(2**63), 1e300, "1e999999999")
        ),
        *((value, Kind.NUMBER) for value in ("inf", "-Infinity", math.inf, True, "1,5", "0x10", 2**53 + 1)),
        *((value, Kind.ID) for value in (True, 7.5, 2.0**60, "\ud800", [1], {"a": 1}, MOMENT)),
        *((value, Kind.TIMESTAMP) for value in (1775039400, "1775039400", "20260401", "2026-02-30", "soon", True)),
        *((value, Kind.TIMESTAMP) for value in ("0001-01-01T00:00:00+02:00", "2026-04-01T25:00:00")),
        *((value, Kind.IP) for value in ("fe80::1%eth0", "10.0.0", "010.0.0.1", 16909060, "a.b.c.d")),
        *(
            (value, Kind.DOMAIN)
            for value in ("me@example.org", "localhost", "-a.org", "a..org", "10.0.0.1", "a" * 64 + ".org", 7)
        ),
        *((value, Kind.COUNTRY) for value in ("DEU", "D", "D1", "ß", 49)),
        ("EURO", Kind.CURRENCY),
    ],
)
def test_values_that_cannot_be_had_without_loss_are_wrong(value, kind):
    assert outcome(value, kind) == "wrong"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.DAY, Kind.FLAG)])
def test_null_nan_and_empty_text_are_unknown_and_not_wrong(kind):
    assert cast(["", None], kind) == ([None, None], [False, False])
    assert cast([math.nan, None], kind) == ([None, None], [False, False])


@given(INT64)
def test_an_integer_survives_text_and_back(number):
    assert cast_value(str(number), Kind.INTEGER) == cast_value(number, Kind.INTEGER) == number
    assert cast_value(cast_value(number, Kind.ID), Kind.INTEGER) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_text_and_back(number):
    assert cast_value(repr(number), Kind.NUMBER) == number


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_survives_text_and_back(moment):
    assert cast_value(moment.isoformat(), Kind.TIMESTAMP) == moment
    assert cast([moment.isoformat()], Kind.TIMESTAMP) == ([moment], [False])


@given(st.ip_addresses())
def test_addresses_are_canonical_and_lie_in_their_subnet(address):
    canonical = cast_value(address.exploded.upper(), Kind.IP)
    assert cast_value(canonical, Kind.IP) == canonical
    network = ipaddress.ip_network(subnet_of(canonical))
    assert ipaddress.ip_address(canonical) in network
    assert network.prefixlen == (24 if network.version == 4 else 48)


@given(st.text(max_size=20), st.sampled_from([Kind.IP, Kind.DOMAIN, Kind.COUNTRY, Kind.CURRENCY, Kind.TEXT, Kind.ID]))
def test_what_is_canonical_stays_as_it_is(text, kind):
    canonical = outcome(text, kind)
    assert outcome(canonical, kind) == canonical or canonical == "wrong"


NEARLY_IP = st.lists(st.integers(0, 300).map(str), min_size=3, max_size=5).map(".".join)
TEXTS = st.one_of(
    st.none(),
    st.text(max_size=12),
    INT64.map(str),
    st.datetimes().map(str),
    st.ip_addresses().map(str),
    NEARLY_IP,
    st.tuples(NEARLY_IP, st.sampled_from(["\n", ".", " ", "0", "٣"])).map("".join),
)


@given(st.lists(TEXTS, max_size=12))
@pytest.mark.parametrize("kind", [Kind.TIMESTAMP, Kind.ID, Kind.INTEGER, Kind.NUMBER, Kind.DOMAIN, Kind.IP])
def test_a_column_is_cast_as_its_values_are(kind, values):
    typed, wrong = cast(values, kind, type=pa.string(), required=True)
    for value, got, is_wrong in zip(values, typed, wrong, strict=True):
        expected = outcome(value, kind)
        assert (got, is_wrong) == ((None, True) if expected == "wrong" else (expected, False))


@given(st.lists(st.one_of(st.none(), st.ip_addresses()), max_size=12))
def test_a_column_of_addresses_lies_in_the_subnets_of_its_addresses(addresses):
    ips = [str(address) if address else None for address in addresses]
    subnets = derive_column(pa.array(ips, pa.string()), Derived("subnet", Kind.TEXT, "ip"))
    assert subnets.to_pylist() == [subnet_of(ip) if ip else None for ip in ips]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_arrow_times_of_any_unit_with_and_without_zone_are_utc(unit):
    naive = pa.array([MOMENT.replace(tzinfo=None)]).cast(pa.timestamp(unit))
    zoned = pa.array([MOMENT]).cast(pa.timestamp(unit, tz="Asia/Tokyo"))
    for column in (naive, zoned):
        typed, wrong = cast_column(column, Field("x", Kind.TIMESTAMP))
        assert (typed.to_pylist(), wrong.to_pylist()) == ([MOMENT], [False])


def test_nanoseconds_are_cut_and_times_outside_the_calendar_are_wrong():
    typed, _ = cast_column(pa.array([1_999], pa.timestamp("ns")), Field("x", Kind.TIMESTAMP))
    assert typed.cast(pa.int64()).to_pylist() == [1]
    assert cast([2**62], Kind.TIMESTAMP, type=pa.timestamp("s")) == ([None], [True])


def test_whole_columns_of_fitting_types_are_cast():
    assert cast([1, None], Kind.INTEGER, type=pa.uint8()) == ([1, None], [False, False])
    assert cast([2**64 - 1], Kind.INTEGER, type=pa.uint64()) == ([None], [True])
    assert cast([1.5, math.inf, math.nan], Kind.NUMBER, type=pa.float32()) == ([1.5, None, None], [False, True, False])
    assert cast([date(2026, 4, 1)], Kind.TIMESTAMP)[0] == [datetime(2026, 4, 1, tzinfo=UTC)]
    assert cast(["a", "a"], Kind.TEXT, type=pa.dictionary(pa.int8(), pa.string())) == (["a", "a"], [False, False])
    assert cast([None], Kind.COUNTRY) == ([None], [False])
    assert cast([[1]], Kind.TEXT) == ([None], [True])


def test_text_that_is_not_utf8_is_wrong_and_shown_with_replacements():
    broken = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff", b"ok"]).buffers())
    typed, wrong = cast_column(broken, Field("x", Kind.TEXT))
    assert (typed.to_pylist(), wrong.to_pylist()) == ([None, "ok"], [True, False])
    assert as_text(broken, Field("x", Kind.TEXT)).to_pylist() == ["\ufffd", "ok"]


def test_an_optional_value_outside_its_declaration_is_wrong():
    assert cast([0, 1, None], Kind.INTEGER, minimum=1) == ([None, 1, None], [True, False, False])
    assert cast([-0.5, 2.5], Kind.NUMBER, minimum=0, maximum=2) == ([None, None], [True, True])
    assert cast(["a", "c"], Kind.TEXT, one_of=("a", "b")) == (["a", None], [False, True])
    assert cast(["x" * 128, "x" * 129], Kind.ID) == (["x" * 128, None], [False, True])


def test_what_a_required_value_must_be_is_left_to_the_suite():
    assert cast(["x" * 129], Kind.ID, required=True) == (["x" * 129], [False])
    assert cast(["c"], Kind.TEXT, required=True, one_of=("a", "b")) == (["c"], [False])
    assert cast(["soon"], Kind.TIMESTAMP, required=True) == ([None], [True])


def test_days_and_subnets_are_derived():
    moments = pa.array([datetime(2026, 4, 1, 23, 59, 59, 999999, UTC), None], Kind.TIMESTAMP.arrow_type)
    assert derive_column(moments, Derived("day", Kind.DAY, "t")).to_pylist() == [date(2026, 4, 1), None]
    addresses = pa.array(["192.0.2.77", "2001:db8:1:2::3", None])
    subnets = derive_column(addresses, Derived("subnet", Kind.TEXT, "ip"))
    assert subnets.to_pylist() == ["192.0.2.0/24", "2001:db8:1::/48", None]
