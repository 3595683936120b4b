"""What partners are told of and may tell us of: the one declaration that writing, reading and matching follow.

Nothing here is one person's: no accounts, devices, contacts or organizations. An address is named only in networks
that are rented out, and a card only by an HMAC with the key that one partner and we share.
"""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from typing import NamedTuple

from ringwatch.graph_schema.signals import Kind
from ringwatch.pipelines.ingest.casting.values import cast_value

HOSTING, VPN, PROXY, TOR = "hosting", "vpn", "proxy", "tor"
# Networks that third parties run and rent out: what is named in them is not somebody's line at home.
RENTED = (HOSTING, VPN, PROXY, TOR)
EQUALS, WITHIN = "=", "ISSUBSET"
# What a partner may name at most: beyond, it is whole providers with all their customers.
BROADEST = {4: 20, 6: 32}
# Mail for everybody: such a domain says nothing, however few accounts of a young platform have it.
PUBLIC_DOMAINS = frozenset(
    {"126.com", "163.com", "aol.com", "fastmail.com", "free.fr", "gmail.com", "gmx.com", "gmx.de", "gmx.net",
     "googlemail.com", "hey.com", "hotmail.co.uk", "hotmail.com", "hotmail.fr", "icloud.com", "laposte.net",
     "libero.it", "live.com", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com", "naver.com", "orange.fr",
     "outlook.com", "pm.me", "proton.me", "protonmail.com", "qq.com", "rediffmail.com", "rocketmail.com", "sina.com",
     "t-online.de", "tuta.com", "tutanota.com", "web.de", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yandex.com",
     "yandex.ru", "ymail.com", "zoho.com"}
)  # fmt: skip
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Named(NamedTuple):
    """An identifier as the graph has it: its node label and key; of a card its HMAC."""

    label: str
    value: str


@dataclass(frozen=True)
class Exchanged:
    """One kind of identifier.

    Attributes:
        label: its node in the graph.
        paths: the STIX object and property that hold it; of addresses IPv4's, then IPv6's.
        operator: of the comparison that names it.
        uses: SQL over the snapshot's tables: account_id, the `id` that it used, first_seen_at, last_seen_at.
        certainty: 0..1, how surely the same operator is behind it elsewhere, if only the operator's accounts use it.
        words: what it is called.
    """

    label: str
    paths: tuple[str, ...]
    operator: str
    uses: str
    certainty: float
    words: str


_DATED = "SELECT start_id AS account_id, end_id AS id, first_seen_at, last_seen_at FROM {}"

ADDRESS = Exchanged(
    "IpAddress", ("ipv4-addr:value", "ipv6-addr:value"), EQUALS, _DATED.format("USED_IP"), 0.8, "address"
)
SUBNET = Exchanged(
    "Subnet",
    ADDRESS.paths,
    WITHIN,
    "SELECT u.start_id AS account_id, s.end_id AS id, u.first_seen_at, u.last_seen_at"
    " FROM USED_IP u JOIN IN_SUBNET s ON u.end_id = s.start_id",
    0.6,
    "subnet",
)
TEMPLATE = Exchanged(
    "PromptTemplate", ("x-prompt-template:fingerprint",), EQUALS, _DATED.format("SENT_TEMPLATE"), 0.9, "prompt template"
)
CARD = Exchanged(
    "PaymentInstrument",
    ("x-payment-instrument:fingerprint_hmac",),
    EQUALS,
    _DATED.format("PAID_WITH"),
    1.0,
    "payment instrument",
)
DOMAIN = Exchanged(
    "EmailDomain",
    ("domain-name:value",),
    EQUALS,
    "SELECT d.start_id AS account_id, d.end_id AS id, a.created_at AS first_seen_at, a.created_at AS last_seen_at"
    " FROM HAS_EMAIL_DOMAIN d JOIN Account a ON a.id = d.start_id",
    0.8,
    "email domain",
)
KINDS = (ADDRESS, SUBNET, TEMPLATE, CARD, DOMAIN)
KINDS_BY_LABEL = {kind.label: kind for kind in KINDS}
NETWORK_KINDS = (ADDRESS, SUBNET)


def keyed(value: str, key: str) -> str:
    """What a partner is told instead of a card's fingerprint: its HMAC-SHA256 with the key of that partner."""
    return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()


def network_of(text: str) -> Network:
    """An address or CIDR as the network it is, canonical.

    Raises:
        ValueError: it is neither.
    """
    address, slash, length = text.strip().partition("/")
    address = str(cast_value(address, Kind.IP))
    return ipaddress.ip_network(f"{address}{slash}{length}", strict=False)
