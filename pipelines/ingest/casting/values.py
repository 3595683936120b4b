"""One value at a time: what a raw value is as each kind, in its canonical form, or why it is none.

Each function takes a value as it lay in a file (text, number, ...) and returns the typed one, or None when the
value says "unknown". It raises ValueError where the value cannot be had without loss.
"""

import ipaddress
import math
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from ringwatch.graph_schema.signals import Kind

MAX_ID_LENGTH = 128
_MAX_INTEGER = 2**63 - 1
_MIN_INTEGER = -(2**63)
_MAX_EXACT_FLOAT = 2**53  # integers beyond it may have been rounded when they became a double
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_DOMAIN_LABEL = re.compile(r"[^\W_]([\w-]{0,61}[^\W_])?")
_MAX_DOMAIN_LENGTH = 253
_DIGITS_ONLY = re.compile(r"[+-]?[0-9.]+")


def cast_value(value: object, kind: Kind) -> object | None:
    """The value as that kind, or None where it is unknown (null, NaN, empty text).

    Raises:
        ValueError: it is neither, or would lose something.
    """
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bytes):
        value = value.decode()  # UnicodeDecodeError is a ValueError
    return _CASTS[kind](value)


def _text(value: object) -> str:
    if isinstance(value, str):
        value.encode()  # JSON can spell half a surrogate pair, which is no text
        return value
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, float) and not value.is_integer():
        return repr(_finite(value))
    return str(_integer(value))


def _id(value: object) -> str:
    return str(_integer(value)) if isinstance(value, float | Decimal) else _text(value)


def _integer(value: object) -> int:
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    if isinstance(value, str):
        value = _decimal(value)
        if value is None:
            raise ValueError("not a number")
    if isinstance(value, float):
        if abs(_finite(value)) > _MAX_EXACT_FLOAT:
            raise ValueError("may have been rounded")
        value = Decimal(value)
    if isinstance(value, Decimal):
        if not value.is_finite() or value.adjusted() > 20 or value != value.to_integral_value():
            raise ValueError("not whole")
        value = int(value)
    if not isinstance(value, int) or not _MIN_INTEGER <= value <= _MAX_INTEGER:
        raise ValueError("not an integer of 64 bits")
    return value


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.strip()):
            raise ValueError("not a number")
        number = float(value)
    elif isinstance(value, int):
        number = float(value)
        if int(number) != value:
            raise ValueError("a double cannot hold it")
    elif isinstance(value, float | Decimal):
        number = float(value)
    else:
        raise ValueError("not a number")
    return None if math.isnan(number) else _finite(number)


def _timestamp(value: object) -> datetime:
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)
    elif isinstance(value, str) and not _DIGITS_ONLY.fullmatch(value.strip()):
        moment = datetime.fromisoformat(value.strip().upper())
    else:
        raise ValueError("not a time in ISO 8601")
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the years 1 to 9999") from None


def _ip(value: object) -> str:
    if not isinstance(value, str) or "%" in value:
        raise ValueError("not an address")
    address = ipaddress.ip_address(value.strip())
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def subnet_of(ip: str) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 one, as canonical CIDR."""
    return str(ipaddress.ip_network(f"{ip}/{48 if ':' in ip else 24}", strict=False))


def _domain(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a domain")
    domain = value.strip().lower().removesuffix(".")
    labels = domain.split(".")
    well_formed = len(labels) > 1 and all(_DOMAIN_LABEL.fullmatch(label) for label in labels)
    if not well_formed or len(domain) > _MAX_DOMAIN_LENGTH or labels[-1].isdigit():
        raise ValueError("not a domain")
    return domain


def _code(pattern: re.Pattern[str]) -> Callable[[object], str]:
    def code(value: object) -> str:
        text = value.strip() if isinstance(value, str) else ""
        if not pattern.fullmatch(text):
            raise ValueError("not a code")
        return text.upper()

    return code


def _decimal(text: str) -> Decimal | None:
    """The number in a text, exactly; None for anything else, infinity and NaN included."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    try:
        number = Decimal(text.strip())
    except InvalidOperation:  # an exponent beyond reason
        return None
    return number if number.is_finite() else None


def _finite(number: float) -> float:
    if math.isinf(number):
        raise ValueError("infinite")
    return number


_CASTS: dict[Kind, Callable[[object], object | None]] = {
    Kind.ID: _id,
    Kind.TEXT: _text,
    Kind.TIMESTAMP: _timestamp,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.IP: _ip,
    Kind.DOMAIN: _domain,
    Kind.COUNTRY: _code(_COUNTRY),
    Kind.CURRENCY: _code(_CURRENCY),
}
