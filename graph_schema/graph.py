"""The graph, by the data contract: nodes and relationships, and the ledger rows that each is made from.

`rows` is SQL (DuckDB's) over views named after the signals; a view holds the rows in force: accepted, not
superseded, not held. Each property is an aggregate over the rows of one node or relationship, so its value
is an absolute total that can be set again at will. `precedence` orders rows by partition, file and line.
"""

import hashlib
from dataclasses import dataclass

from ringwatch.graph_schema.signals import Kind


@dataclass(frozen=True)
class Property:
    """A property and the aggregate that computes it.

    A node's property may be of another signal than the one that describes the node: each signal's rows are aggregated
    by themselves and then joined, so that no row counts twice.
    """

    name: str
    kind: Kind
    aggregate: str
    signal: str | None = None  # whose rows; None: the signal that describes the node
    without_rows: str = "NULL"  # SQL of the value where that other signal has no row
    # The consequence of a decision, so never a feature: kept out of the snapshot.
    is_consequence: bool = False


@dataclass(frozen=True)
class Node:
    """A kind of node. Its properties are aggregates of the rows that name its key."""

    label: str
    key: str
    properties: tuple[Property, ...] = ()
    described_by: str | None = None  # the signal whose rows, with the key in a column of its name, describe it

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals that its properties are aggregates of, the one that describes it first."""
        return tuple(dict.fromkeys(filter(None, [self.described_by, *(p.signal for p in self.properties)])))


@dataclass(frozen=True)
class Relationship:
    """A kind of relationship. `rows` yields its two keys as `start_id` and `end_id`."""

    type: str
    start: Node
    end: Node
    rows: str
    properties: tuple[Property, ...] = ()
    waits_for_end: bool = False  # the end is an account that may not be known yet

    @property
    def is_dated(self) -> bool:
        """Whether it says when it was last seen, and is retired when that is long ago."""
        return any(property.name == "last_seen_at" for property in self.properties)


def _newest(name: str, kind: Kind) -> Property:
    return Property(name, kind, f"arg_max({name}, precedence)")


def _seen(first: str, last: str) -> tuple[Property, Property]:
    return (
        Property("first_seen_at", Kind.TIMESTAMP, f"min({first})"),
        Property("last_seen_at", Kind.TIMESTAMP, f"max({last})"),
    )


# Ordered, for a sum of doubles depends on its order and a night run again must give the same bytes.
_NET_AMOUNT = (
    "coalesce(sum(CASE status WHEN 'succeeded' THEN amount WHEN 'refunded' THEN -amount"
    " WHEN 'chargeback' THEN -amount END ORDER BY precedence), 0.0)"
)

ACCOUNT = Node(
    "Account",
    "account_id",
    described_by="accounts",
    properties=(
        Property("created_at", Kind.TIMESTAMP, "any_value(created_at)"),
        Property("status", Kind.TEXT, "any_value(status)", is_consequence=True),
        Property("country", Kind.COUNTRY, "any_value(country)"),
        Property("plan", Kind.TEXT, "any_value(plan)"),
        Property("n_requests", Kind.INTEGER, "sum(n_requests)", "usage_events", "0"),
        Property("n_input_tokens", Kind.INTEGER, "coalesce(sum(n_input_tokens), 0)", "usage_events", "0"),
        Property("n_output_tokens", Kind.INTEGER, "coalesce(sum(n_output_tokens), 0)", "usage_events", "0"),
        Property("n_usage_hours", Kind.INTEGER, "count(DISTINCT hour_start_at)", "usage_events", "0"),
    ),
)
PAYMENT_INSTRUMENT = Node(
    "PaymentInstrument",
    "instrument_id",
    described_by="payments",
    properties=(_newest("instrument_type", Kind.TEXT), _newest("instrument_country", Kind.COUNTRY)),
)
IP_ADDRESS = Node(
    "IpAddress",
    "ip",
    described_by="ip_events",
    properties=(_newest("asn", Kind.INTEGER), _newest("network_type", Kind.TEXT), _newest("country", Kind.COUNTRY)),
)
SUBNET = Node("Subnet", "cidr")
DEVICE = Node(
    "Device",
    "device_id",
    described_by="device_events",
    properties=(_newest("os", Kind.TEXT), _newest("browser", Kind.TEXT), _newest("device_model", Kind.TEXT)),
)
EMAIL_DOMAIN = Node("EmailDomain", "domain")
CONTACT_HASH = Node("ContactHash", "contact_hash")
ORGANIZATION = Node("Organization", "organization_id")
PROMPT_TEMPLATE = Node("PromptTemplate", "template_id")

NODES = (
    ACCOUNT,
    PAYMENT_INSTRUMENT,
    IP_ADDRESS,
    SUBNET,
    DEVICE,
    EMAIL_DOMAIN,
    CONTACT_HASH,
    ORGANIZATION,
    PROMPT_TEMPLATE,
)

RELATIONSHIPS = (
    # (:Account)-[:PAID_WITH]->(:PaymentInstrument)
    Relationship(
        "PAID_WITH",
        ACCOUNT,
        PAYMENT_INSTRUMENT,
        rows="SELECT account_id AS start_id, instrument_id AS end_id, * FROM payments WHERE instrument_id IS NOT NULL",
        properties=(
            *_seen("occurred_at", "occurred_at"),
            Property("n_events", Kind.INTEGER, "count(*)"),
            Property("n_failed", Kind.INTEGER, "count(*) FILTER (status = 'failed')"),
            Property("n_chargebacks", Kind.INTEGER, "count(*) FILTER (status = 'chargeback')"),
            Property("total_amount", Kind.NUMBER, _NET_AMOUNT),
        ),
    ),
    # (:Account)-[:USED_IP]->(:IpAddress)
    Relationship(
        "USED_IP",
        ACCOUNT,
        IP_ADDRESS,
        rows=(
            "SELECT account_id AS start_id, ip AS end_id, first_seen_at, last_seen_at, n_events, day, false AS signup"
            " FROM ip_events UNION ALL"
            " SELECT account_id, signup_ip, created_at, created_at, 0, NULL, true"
            " FROM accounts WHERE signup_ip IS NOT NULL"
        ),
        properties=(
            *_seen("first_seen_at", "last_seen_at"),
            Property("n_events", Kind.INTEGER, "coalesce(sum(n_events), 0)"),
            Property("n_days", Kind.INTEGER, "count(DISTINCT day)"),
            Property("signup", Kind.FLAG, "bool_or(signup)"),
        ),
    ),
    # (:IpAddress)-[:IN_SUBNET]->(:Subnet)
    Relationship(
        "IN_SUBNET",
        IP_ADDRESS,
        SUBNET,
        rows=(
            "SELECT account_id, ip AS start_id, subnet AS end_id FROM ip_events UNION ALL"
            " SELECT account_id, signup_ip, signup_subnet FROM accounts WHERE signup_ip IS NOT NULL"
        ),
    ),
    # (:Account)-[:USED_DEVICE]->(:Device)
    Relationship(
        "USED_DEVICE",
        ACCOUNT,
        DEVICE,
        rows="SELECT account_id AS start_id, device_id AS end_id, * FROM device_events",
        properties=(
            *_seen("first_seen_at", "last_seen_at"),
            Property("n_events", Kind.INTEGER, "coalesce(sum(n_events), 0)"),
            Property("n_days", Kind.INTEGER, "count(DISTINCT day)"),
        ),
    ),
    # (:Account)-[:SENT_MONEY_TO]->(:Account)
    Relationship(
        "SENT_MONEY_TO",
        ACCOUNT,
        ACCOUNT,
        rows=(
            "SELECT account_id AS start_id, payee_account_id AS end_id, *"
            " FROM payments WHERE payee_account_id IS NOT NULL"
        ),
        properties=(
            *_seen("occurred_at", "occurred_at"),
            Property("n_events", Kind.INTEGER, "count(*)"),
            Property("total_amount", Kind.NUMBER, _NET_AMOUNT),
        ),
        waits_for_end=True,
    ),
    # (:Account)-[:REFERRED_BY]->(:Account)
    Relationship(
        "REFERRED_BY",
        ACCOUNT,
        ACCOUNT,
        rows=(
            "SELECT account_id AS start_id, referred_by_account_id AS end_id"
            " FROM accounts WHERE referred_by_account_id IS NOT NULL"
        ),
        waits_for_end=True,
    ),
    # (:Account)-[:HAS_EMAIL_DOMAIN]->(:EmailDomain)
    Relationship(
        "HAS_EMAIL_DOMAIN",
        ACCOUNT,
        EMAIL_DOMAIN,
        rows="SELECT account_id AS start_id, email_domain AS end_id FROM accounts WHERE email_domain IS NOT NULL",
    ),
    # (:Account)-[:HAS_CONTACT]->(:ContactHash)
    Relationship(
        "HAS_CONTACT",
        ACCOUNT,
        CONTACT_HASH,
        rows=(
            "SELECT account_id AS start_id, email_hash AS end_id FROM accounts WHERE email_hash IS NOT NULL UNION"
            " SELECT account_id, phone_hash FROM accounts WHERE phone_hash IS NOT NULL"
        ),
    ),
    # (:Account)-[:MEMBER_OF_ORG]->(:Organization)
    Relationship(
        "MEMBER_OF_ORG",
        ACCOUNT,
        ORGANIZATION,
        rows="SELECT account_id AS start_id, organization_id AS end_id FROM accounts WHERE organization_id IS NOT NULL",
    ),
    # (:Account)-[:SENT_TEMPLATE]->(:PromptTemplate)
    Relationship(
        "SENT_TEMPLATE",
        ACCOUNT,
        PROMPT_TEMPLATE,
        rows="SELECT account_id AS start_id, template_id AS end_id, * FROM usage_events WHERE template_id IS NOT NULL",
        properties=(
            *_seen("hour_start_at", "hour_start_at"),
            Property("n_requests", Kind.INTEGER, "coalesce(sum(n_requests), 0)"),
            Property("n_hours", Kind.INTEGER, "count(DISTINCT hour_start_at)"),
        ),
    ),
)


def declaration_digest() -> str:
    """SHA-256 of the declaration: where it differs, a graph that was written before lacks something."""
    return hashlib.sha256(repr((NODES, RELATIONSHIPS)).encode()).hexdigest()


RELATIONSHIPS_BY_TYPE = {relationship.type: relationship for relationship in RELATIONSHIPS}
# What accounts may share: the far ends of their relationships, other accounts aside.
IDENTIFIER_RELATIONSHIPS = tuple(r for r in RELATIONSHIPS if r.start is ACCOUNT and r.end is not ACCOUNT)
# An identifier on more accounts is a hub. Pairs of accounts stay below this many times the number of relationships.
HUB_ACCOUNTS = 60
