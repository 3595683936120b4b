"""Columns to declared kinds: whole columns where Arrow's type already fits, else each distinct value once.

Nothing is judged here but whether a value can be had without loss and, for an optional field, whether it keeps
to its declaration: such a wrong value becomes null. What a required field must be is the suites' affair.
"""

import contextlib
import json

import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.signals import Derived, Field, Kind
from ringwatch.pipelines.ingest.casting.contacts import holds_contact, strike_contacts
from ringwatch.pipelines.ingest.casting.values import MAX_ID_LENGTH, cast_value, subnet_of

type_is = pa.types
_UNITS_A_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_OCTET = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_PLAIN_IPV4 = rf"^({_OCTET}\.){{3}}{_OCTET}$"
_FIRST_SECOND, _END_SECOND = -62_135_596_800, 253_402_300_800  # years 1 to 9999: what Python, too, can hold


def cast_column(column: pa.ChunkedArray | pa.Array, field: Field) -> tuple[pa.Array, pa.BooleanArray]:
    """A raw column as its field declares it.

    Returns:
        The values, [n_rows] of the kind's Arrow type, and [n_rows] bool: whether a value was there that could not
        be had without loss, holds somebody's e-mail address or phone number or, for an optional field, is none that
        it may have. Such a value is null. Null, NaN and empty text are null and not wrong.
    """
    raw = _plain(column)
    typed = _cast_whole(raw, field.kind)
    if typed is None:
        typed, wrong = _cast_distinct(raw, field.kind)
    else:
        wrong = pc.and_(pc.is_valid(raw), pc.is_null(typed))
        wrong = pc.and_(wrong, pc.invert(_is_blank(raw)))
    outside = holds_contact(typed, field)
    if not field.required:
        outside = pc.or_(outside, _outside_declaration(typed, field))
    return pc.if_else(outside, pa.scalar(None, typed.type), typed), pc.or_(wrong, outside)


def derive_column(source: pa.Array, derived: Derived) -> pa.Array:
    """The UTC day of a timestamp, or the subnet of an address."""
    if derived.kind is Kind.DAY:
        return source.cast(pa.date32())
    return _subnets(source)


def as_text(column: pa.ChunkedArray | pa.Array, field: Field) -> pa.Array:
    """Raw values as the text that stands for them in quarantine, e-mail addresses struck out: [n_rows] string."""
    return strike_contacts(_as_text(_plain(column, decode=False)), field)


def _as_text(raw: pa.Array) -> pa.Array:
    if type_is.is_string(raw.type):
        return raw
    if isinstance(raw, pa.ExtensionArray) or type_is.is_nested(raw.type) or _is_binary(raw.type):
        return pa.array([None if value is None else _shown(value) for value in _values(raw)], pa.string())
    return raw.cast(pa.string())


def _plain(column: pa.ChunkedArray | pa.Array, *, decode: bool = True) -> pa.Array:
    """One array without the wrappings that change no value; text that is not UTF-8 as binary."""
    raw = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if type_is.is_dictionary(raw.type):
        raw = raw.cast(raw.type.value_type)
    if type_is.is_large_string(raw.type) or type_is.is_string_view(raw.type):
        raw = raw.cast(pa.string())
    if type_is.is_string(raw.type) or (decode and _is_binary(raw.type)):
        try:
            text = raw.cast(pa.string())
            text.validate(full=True)
        except pa.ArrowInvalid:
            return raw.cast(pa.binary())
        return text
    return raw


def _cast_whole(raw: pa.Array, kind: Kind) -> pa.Array | None:
    """The column cast as a whole, values that are none as null; None where each value needs a look."""
    if type_is.is_null(raw.type):
        return raw.cast(kind.arrow_type)
    if kind in (Kind.ID, Kind.TEXT) and type_is.is_string(raw.type):
        return pc.if_else(pc.equal(raw, ""), pa.scalar(None, pa.string()), raw)
    if kind is Kind.TIMESTAMP and type_is.is_timestamp(raw.type):
        units = _UNITS_A_SECOND[raw.type.unit]
        moment = raw.cast(pa.int64())
        if units <= 10**6:  # nanoseconds in 64 bits stay within the years 1677 to 2262
            inside = pc.and_(pc.greater_equal(moment, _FIRST_SECOND * units), pc.less(moment, _END_SECOND * units))
            raw = pc.if_else(inside, raw, pa.scalar(None, raw.type))
        return raw.cast(kind.arrow_type, safe=False)
    if kind is Kind.TIMESTAMP and type_is.is_string(raw.type):
        moment = _parse_moments(pc.if_else(pc.equal(raw, ""), pa.scalar(None, pa.string()), raw))
        return None if moment is None else _cast_whole(moment, kind)
    if kind is Kind.TIMESTAMP and type_is.is_date(raw.type):
        return _cast_whole(raw.cast(pa.timestamp("s"), safe=False), kind)
    if kind is Kind.INTEGER and type_is.is_integer(raw.type) and raw.type != pa.uint64():
        return raw.cast(pa.int64())
    if kind is Kind.NUMBER and type_is.is_floating(raw.type):
        number = raw.cast(pa.float64())
        return pc.if_else(pc.is_finite(number), number, pa.scalar(None, pa.float64()))
    return None


def _parse_moments(text: pa.Array) -> pa.Array | None:
    """Times in the plain forms of ISO 8601, all of them with a zone or all without; None if any is another text."""
    for moment in (pa.timestamp("us", tz="UTC"), pa.timestamp("us")):
        with contextlib.suppress(pa.ArrowInvalid):
            return text.cast(moment)
    return None


def _is_blank(raw: pa.Array) -> pa.Array:
    """Values that are there and say "unknown"."""
    if type_is.is_string(raw.type):
        return pc.fill_null(pc.equal(raw, ""), False)
    if type_is.is_floating(raw.type):
        return pc.fill_null(pc.is_nan(raw), False)
    return pa.repeat(pa.scalar(False), len(raw))


def _cast_distinct(raw: pa.Array, kind: Kind) -> tuple[pa.Array, pa.Array]:
    if not _has_castable_type(raw):
        return pa.nulls(len(raw), kind.arrow_type), pc.is_valid(raw)
    storage = raw.storage if isinstance(raw, pa.ExtensionArray) else raw
    encoded = storage.dictionary_encode()
    distinct = encoded.dictionary
    if isinstance(raw, pa.ExtensionArray):
        distinct = pa.ExtensionArray.from_storage(raw.type, distinct)
    typed, wrong = (
        _cast_ips(distinct) if kind is Kind.IP and type_is.is_string(raw.type) else _cast_each(distinct, kind)
    )
    of_row = encoded.indices
    return typed.take(of_row), pc.fill_null(wrong.take(of_row), False)


def _cast_each(distinct: pa.Array, kind: Kind) -> tuple[pa.Array, pa.Array]:
    """Each value by itself, and whether it was wrong."""
    typed: list[object | None] = []
    wrong: list[bool] = []
    for value in _values(distinct):
        try:
            typed.append(cast_value(value, kind))
            wrong.append(False)
        except ValueError:
            typed.append(None)
            wrong.append(True)
    return pa.array(typed, kind.arrow_type), pa.array(wrong, pa.bool_())


def _cast_ips(distinct: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The same of addresses, of which those that are plainly IPv4, nearly all, are canonical as they are."""
    is_plain = pc.fill_null(pc.match_substring_regex(distinct, _PLAIN_IPV4), False)
    is_other = pc.invert(is_plain)
    typed, wrong = _cast_each(distinct.filter(is_other), Kind.IP)
    none_wrong = pa.repeat(pa.scalar(False), len(distinct))
    return pc.replace_with_mask(distinct, is_other, typed), pc.replace_with_mask(none_wrong, is_other, wrong)


def _has_castable_type(raw: pa.Array) -> bool:
    kind = raw.type
    return (
        type_is.is_string(kind)
        or _is_binary(kind)
        or type_is.is_integer(kind)
        or type_is.is_floating(kind)
        or type_is.is_decimal(kind)
        or type_is.is_boolean(kind)
        or isinstance(raw, pa.ExtensionArray)
    )


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        type_is.is_binary(kind)
        or type_is.is_large_binary(kind)
        or type_is.is_binary_view(kind)
        or type_is.is_fixed_size_binary(kind)
    )


def _values(raw: pa.Array) -> list[object]:
    if raw.type == pa.json_():
        return [None if text is None else json.loads(text) for text in raw.storage.to_pylist()]
    values: list[object] = raw.to_pylist()
    return values


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    text = json.dumps(value, default=str) if isinstance(value, dict | list | bool) else str(value)
    return text.encode(errors="backslashreplace").decode()  # JSON can spell half a surrogate pair


def _subnets(addresses: pa.Array) -> pa.Array:
    """The subnet of each canonical address: [n_rows] string."""
    encoded = addresses.dictionary_encode()
    distinct = encoded.dictionary
    is_plain = pc.match_substring_regex(distinct, _PLAIN_IPV4)
    subnets = pc.replace_substring_regex(distinct, r"\.\d+$", ".0/24")  # of an IPv4 address
    others = [subnet_of(address) for address in distinct.filter(pc.invert(is_plain)).to_pylist()]
    subnets = pc.replace_with_mask(subnets, pc.invert(is_plain), pa.array(others, pa.string()))
    return subnets.take(encoded.indices)


def _outside_declaration(typed: pa.Array, field: Field) -> pa.Array:
    """Whether a value is none that the field may have: [n_rows] bool, False for null."""
    faults = []
    if field.one_of:
        faults.append(pc.invert(pc.is_in(typed, pa.array(field.one_of))))
    if field.kind is Kind.ID:
        faults.append(pc.greater(pc.utf8_length(typed), MAX_ID_LENGTH))
    if field.minimum is not None:
        faults.append(pc.less(typed, field.minimum))
    if field.maximum is not None:
        faults.append(pc.greater(typed, field.maximum))
    outside = pa.repeat(pa.scalar(False), len(typed))
    for fault in faults:
        outside = pc.or_(outside, fault)
    return pc.and_(pc.fill_null(outside, False), pc.is_valid(typed))
