"""The graph, by the data contract: nodes and relationships, and the ledger rows that each is made from.

`rows` is SQL (DuckDB's) over views named after the signals; a view holds the rows in force: accepted, not
superseded, not held. Each property is an aggregate over the rows of one node or relationship, so its value
is an absolute total that can be set again at will. `precedence` orders rows by partition, file and line.
"""

import hashlib

from ringwatch.graph_schema.signals import Kind
from ringwatch.graph_schema.vocabulary import Evidence, Node, Property, Relationship


def _newest(name: str, kind: Kind, *, is_feature: bool = True) -> Property:
    return Property(name, kind, f"arg_max({name}, precedence)", is_feature=is_feature)


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
    nouns=("payment instrument", "payment instruments"),
    evidence=Evidence("payment", 1.0),
)
IP_ADDRESS = Node(
    "IpAddress",
    "ip",
    described_by="ip_events",
    properties=(
        _newest("asn", Kind.INTEGER, is_feature=False),
        _newest("network_type", Kind.TEXT),
        _newest("country", Kind.COUNTRY),
    ),
    nouns=("IP address", "IP addresses"),
    evidence=Evidence("network", 0.3),
)
SUBNET = Node("Subnet", "cidr", nouns=("subnet", "subnets"), evidence=Evidence("network", 0.05))
DEVICE = Node(
    "Device",
    "device_id",
    described_by="device_events",
    properties=(_newest("os", Kind.TEXT), _newest("browser", Kind.TEXT), _newest("device_model", Kind.TEXT)),
    nouns=("device", "devices"),
    evidence=Evidence("device", 1.0),
)
EMAIL_DOMAIN = Node(
    "EmailDomain", "domain", nouns=("e-mail domain", "e-mail domains"), evidence=Evidence("organization", 0.1)
)
CONTACT_HASH = Node(
    "ContactHash",
    "contact_hash",
    nouns=("e-mail address or phone number", "e-mail addresses or phone numbers"),
    is_key_readable=False,
    evidence=Evidence("contact", 1.0),
)
ORGANIZATION = Node(
    "Organization",
    "organization_id",
    nouns=("organization", "organizations"),
    evidence=Evidence("organization", 0.1),
)
PROMPT_TEMPLATE = Node(
    "PromptTemplate",
    "template_id",
    nouns=("prompt template", "prompt templates"),
    is_key_readable=False,
    evidence=Evidence("template", 0.3),
)

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
            Property("n_chargebacks", Kind.INTEGER, "count(*) FILTER (status = 'chargeback')", is_feature=False),
            Property("total_amount", Kind.NUMBER, _NET_AMOUNT, is_feature=False),  # chargebacks are taken off
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
    """SHA-256 of what the graph is written by: where it differs, a graph that was written before lacks something."""
    nodes = [(node.label, node.key, node.described_by, _written(node.properties)) for node in NODES]
    relationships = [(r.type, r.start.label, r.end.label, r.rows, _written(r.properties)) for r in RELATIONSHIPS]
    return hashlib.sha256(repr((nodes, relationships)).encode()).hexdigest()


def _written(properties: tuple[Property, ...]) -> list[tuple[str, str, str, str | None, str]]:
    return [(p.name, str(p.kind), p.aggregate, p.signal, p.without_rows) for p in properties]


NODES_BY_LABEL = {node.label: node for node in NODES}
RELATIONSHIPS_BY_TYPE = {relationship.type: relationship for relationship in RELATIONSHIPS}
# What accounts may share: the far ends of their relationships, other accounts aside.
IDENTIFIER_RELATIONSHIPS = tuple(r for r in RELATIONSHIPS if r.start is ACCOUNT and r.end is not ACCOUNT)
# An identifier on more accounts is a hub. Pairs of accounts stay below this many times the number of relationships.
HUB_ACCOUNTS = 60
