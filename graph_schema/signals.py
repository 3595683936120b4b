"""The nightly signals, by the data contract: columns, types, keys. Casting, checks and ledger follow from here."""

from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa


class Kind(StrEnum):
    """What a value is, which settles how it is cast and made canonical."""

    ID = "id"  # opaque text of 1 to 128 characters
    TEXT = "text"
    TIMESTAMP = "timestamp"  # UTC
    INTEGER = "integer"
    NUMBER = "number"
    IP = "ip"  # canonical IPv4 or IPv6
    DOMAIN = "domain"  # lower case
    COUNTRY = "country"  # ISO 3166 alpha-2, upper case
    CURRENCY = "currency"  # ISO 4217, upper case
    DAY = "day"
    FLAG = "flag"

    @property
    def arrow_type(self) -> pa.DataType:
        """Type of a column of this kind in Parquet."""
        return _ARROW_TYPES.get(self, pa.string())


_ARROW_TYPES = {
    Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.DAY: pa.date32(),
    Kind.FLAG: pa.bool_(),
}


@dataclass(frozen=True)
class Field:
    """One column. A wrong value makes an optional field null and puts a required field's row in quarantine."""

    name: str
    kind: Kind
    required: bool = False
    one_of: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    is_hash: bool = False  # of an e-mail address or a phone number, which themselves never enter


@dataclass(frozen=True)
class Derived:
    """A column computed from another after casting: the UTC day of a timestamp, the subnet of an address."""

    name: str
    kind: Kind
    source: str


@dataclass(frozen=True)
class Signal:
    """One kind of file. Of rows with the same key the later partition, file and row wins."""

    name: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    derived: tuple[Derived, ...] = ()
    other_account: str | None = None  # optional field that names a second account
    # A row that names only the other account waits for it; beside this field, just the relationship waits.
    alternative_to_other: str | None = None

    def field(self, name: str) -> Field:
        """The field of that name."""
        return next(field for field in self.fields if field.name == name)

    @property
    def required_fields(self) -> tuple[Field, ...]:
        """Fields without which a row cannot stand."""
        return tuple(field for field in self.fields if field.required)

    @property
    def timestamps(self) -> tuple[str, ...]:
        """Names of the columns that hold a time."""
        return tuple(field.name for field in self.fields if field.kind is Kind.TIMESTAMP)

    @property
    def columns(self) -> tuple[Field | Derived, ...]:
        """Every column of an accepted row."""
        return self.fields + self.derived


ACCOUNTS = Signal(
    "accounts",
    key=("account_id",),
    fields=(
        Field("account_id", Kind.ID, required=True),
        Field("created_at", Kind.TIMESTAMP, required=True),
        Field("status", Kind.TEXT, one_of=("active", "suspended", "closed")),
        Field("country", Kind.COUNTRY),
        Field("plan", Kind.TEXT),
        Field("email_domain", Kind.DOMAIN),
        Field("email_hash", Kind.ID, is_hash=True),
        Field("phone_hash", Kind.ID, is_hash=True),
        Field("signup_ip", Kind.IP),
        Field("referred_by_account_id", Kind.ID),
        Field("organization_id", Kind.ID),
    ),
    derived=(Derived("signup_subnet", Kind.TEXT, "signup_ip"),),
    other_account="referred_by_account_id",
    alternative_to_other="account_id",
)

PAYMENTS = Signal(
    "payments",
    key=("payment_id",),
    fields=(
        Field("payment_id", Kind.ID, required=True),
        Field("account_id", Kind.ID, required=True),
        Field("occurred_at", Kind.TIMESTAMP, required=True),
        Field(
            "status",
            Kind.TEXT,
            required=True,
            one_of=("instrument_added", "succeeded", "failed", "refunded", "chargeback"),
        ),
        Field("instrument_id", Kind.ID),
        Field("instrument_type", Kind.TEXT, one_of=("card", "prepaid_card", "bank", "wallet", "crypto", "voucher")),
        Field("instrument_country", Kind.COUNTRY),
        Field("amount", Kind.NUMBER, minimum=0),
        Field("currency", Kind.CURRENCY),
        Field("payee_account_id", Kind.ID),
    ),
    other_account="payee_account_id",
    alternative_to_other="instrument_id",
)

IP_EVENTS = Signal(
    "ip_events",
    key=("account_id", "ip", "day"),
    fields=(
        Field("account_id", Kind.ID, required=True),
        Field("ip", Kind.IP, required=True),
        Field("first_seen_at", Kind.TIMESTAMP, required=True),
        Field("last_seen_at", Kind.TIMESTAMP, required=True),
        Field("n_events", Kind.INTEGER, minimum=1),
        Field("asn", Kind.INTEGER),
        Field(
            "network_type",
            Kind.TEXT,
            one_of=("residential", "mobile", "business", "education", "hosting", "vpn", "proxy", "tor"),
        ),
        Field("country", Kind.COUNTRY),
    ),
    derived=(Derived("day", Kind.DAY, "first_seen_at"), Derived("subnet", Kind.TEXT, "ip")),
)

DEVICE_EVENTS = Signal(
    "device_events",
    key=("account_id", "device_id", "day"),
    fields=(
        Field("account_id", Kind.ID, required=True),
        Field("device_id", Kind.ID, required=True),
        Field("first_seen_at", Kind.TIMESTAMP, required=True),
        Field("last_seen_at", Kind.TIMESTAMP, required=True),
        Field("n_events", Kind.INTEGER, minimum=1),
        Field("os", Kind.TEXT),
        Field("browser", Kind.TEXT),
        Field("device_model", Kind.TEXT),
    ),
    derived=(Derived("day", Kind.DAY, "first_seen_at"),),
)

USAGE_EVENTS = Signal(
    "usage_events",
    key=("account_id", "hour_start_at", "task", "template_id", "model"),
    fields=(
        Field("account_id", Kind.ID, required=True),
        Field("hour_start_at", Kind.TIMESTAMP, required=True),
        Field("task", Kind.TEXT, one_of=("chat", "coding", "vision", "reasoning", "grading", "agentic", "other")),
        Field("template_id", Kind.ID),
        Field("model", Kind.TEXT),
        Field("n_requests", Kind.INTEGER, minimum=1),
        Field("n_input_tokens", Kind.INTEGER, minimum=0),
        Field("n_output_tokens", Kind.INTEGER, minimum=0),
    ),
)

LABELS = Signal(
    "labels",
    key=("account_id", "source", "labelled_at"),
    fields=(
        Field("account_id", Kind.ID, required=True),
        Field("label", Kind.TEXT, required=True, one_of=("fake", "legitimate")),
        Field("labelled_at", Kind.TIMESTAMP, required=True),
        Field(
            "source",
            Kind.TEXT,
            required=True,
            one_of=("manual_review", "chargeback", "appeal", "partner", "audit_sample"),
        ),
        Field("label_confidence", Kind.NUMBER),
    ),
)

SIGNALS: tuple[Signal, ...] = (ACCOUNTS, PAYMENTS, IP_EVENTS, DEVICE_EVENTS, USAGE_EVENTS, LABELS)
SIGNALS_BY_NAME: dict[str, Signal] = {signal.name: signal for signal in SIGNALS}
PEOPLE_SOURCES = ("manual_review", "audit_sample", "appeal")  # their labels outrank those of the other sources
