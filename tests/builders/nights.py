"""Nights that were detected, made by hand in the real layout: what the ban list is proposed from."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa
from tests.builders.snapshots import build_snapshot, ends_of

from ringwatch.models.data.snapshot import write_snapshot
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.rings.identity import MEMBERS_SCHEMA, RINGS_SCHEMA, Rings
from ringwatch.models.scoring.detection import ACCOUNTS_SCHEMA, Detection
from ringwatch.pipelines.ban_list.rules.candidates import candidates_of
from ringwatch.pipelines.ban_list.rules.policy import POLICY
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.indicators.inbound.matching import match_partners
from ringwatch.pipelines.ingest.casting.values import subnet_of
from ringwatch.pipelines.review.questions import make_questions
from ringwatch.pipelines.runs.store import Run, write_run

_KINDS = {
    "PAID_WITH": "cards",
    "USED_DEVICE": "devices",
    "USED_IP": "ips",
    "SENT_TEMPLATE": "templates",
    "HAS_EMAIL_DOMAIN": "domains",
}
THRESHOLDS = Thresholds(suspicious=0.8, watch=0.4)


@dataclass(frozen=True)
class Judged:
    """What a night says about one account."""

    score: float = 0.99
    ring_id: str | None = None
    cards: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()  # of its e-mail, at most one
    label: str | None = None  # fake, legitimate
    source: str = "manual_review"
    n_people: int = 1  # who found the same
    reasons: tuple[str, ...] = ("shares a card with 3 others",)
    core_size: int = 6  # suspicious accounts that it hangs together with


def detected_night(
    settings: Settings,
    night: date,
    accounts: Mapping[str, Judged],
    *,
    is_default: bool = False,
    drift: Mapping[str, float] | None = None,
    networks: Mapping[str, str] | None = None,
    lawful: Collection[str] = (),
) -> None:
    """Leave behind what `detect` leaves: snapshot, run and exported scores.

    `networks` are the types of addresses' networks, `lawful` the rings that were looked at and cleared.
    """
    created_at = datetime.combine(night, time(), UTC) - timedelta(days=30)
    uses = {type_: _uses(accounts, kind) for type_, kind in _KINDS.items()}
    ends = {type_: sorted({end for _, end in pairs}) for type_, pairs in uses.items()}
    in_subnet = [(ip, subnet_of(ip)) for ip in ends["USED_IP"]]
    known = {account_id: judged for account_id, judged in accounts.items() if judged.label}
    snapshot = build_snapshot(
        night,
        {
            "Account": {"id": list(accounts)},
            "PaymentInstrument": {"id": ends["PAID_WITH"]},
            "Device": {"id": ends["USED_DEVICE"]},
            "IpAddress": {
                "id": ends["USED_IP"],
                "asn": None,
                "network_type": [(networks or {}).get(ip) for ip in ends["USED_IP"]],
            },
            "Subnet": {"id": sorted({subnet for _, subnet in in_subnet})},
            "PromptTemplate": {"id": ends["SENT_TEMPLATE"]},
            "EmailDomain": {"id": ends["HAS_EMAIL_DOMAIN"]},
        },
        {
            "PAID_WITH": {**ends_of(uses["PAID_WITH"]), "n_events": 1, "total_amount": 1.0},
            "USED_DEVICE": {**ends_of(uses["USED_DEVICE"]), "n_events": 1, "n_days": 1},
            "USED_IP": {**ends_of(uses["USED_IP"]), "n_events": 1, "n_days": 1, "signup": False},
            "IN_SUBNET": ends_of(in_subnet),
            "SENT_TEMPLATE": {**ends_of(uses["SENT_TEMPLATE"]), "n_requests": 1, "n_hours": 1},
            "HAS_EMAIL_DOMAIN": ends_of(uses["HAS_EMAIL_DOMAIN"]),
        },
        {
            "account_id": list(known),
            "label": [judged.label for judged in known.values()],
            "label_confidence": 1.0,
            "source": [judged.source for judged in known.values()],
            "n_people": [judged.n_people for judged in known.values()],
        },
        at=created_at,
    )
    write_snapshot(snapshot, settings.snapshots_dir / f"date={night}")
    rows = [
        {
            "account_id": account_id,
            "fraud_score": judged.score,
            "fraud_label": "suspicious" if judged.score >= THRESHOLDS.suspicious and not is_default else "clear",
            "ring_id": judged.ring_id,
            "reasons": list(judged.reasons),
            "core_size": judged.core_size,
        }
        for account_id, judged in sorted(accounts.items())
    ]
    detection = Detection(pa.Table.from_pylist(rows, ACCOUNTS_SCHEMA), _rings(accounts, created_at, lawful))
    n_suspicious = sum(row["fraud_label"] == "suspicious" for row in rows)
    counts = {"n_accounts": len(rows), "n_suspicious": n_suspicious, "n_watch": 0, "n_rings": 0}
    version = "gnn-default-0" if is_default else "model-1"
    run = Run(f"run-{night}", night, version, is_default, THRESHOLDS, counts, dict(drift or {}))
    candidates = candidates_of(settings, run, snapshot, detection.accounts, POLICY)
    matches = match_partners(settings, snapshot, detection.accounts)
    write_run(settings, run, detection, make_questions(settings, detection, candidates, matches.hits), matches.table)


def _rings(accounts: Mapping[str, Judged], seen_at: datetime, lawful: Collection[str]) -> Rings:
    members = [
        {"ring_id": judged.ring_id, "account_id": account_id, "membership": 1.0}
        for account_id, judged in sorted(accounts.items())
        if judged.ring_id
    ]
    sizes = Counter(member["ring_id"] for member in members)
    rings = [
        {
            "ring_id": ring_id,
            "n_accounts": n,
            "n_new_accounts": 0,
            "fraud_score": 0.99,
            "fraud_label": "clear" if ring_id in lawful else "suspicious",
            "reasons": [],
            "first_seen_at": seen_at,
            "last_seen_at": seen_at,
        }
        for ring_id, n in sorted(sizes.items())
    ]
    return Rings(pa.Table.from_pylist(rings, RINGS_SCHEMA), pa.Table.from_pylist(members, MEMBERS_SCHEMA))


def _uses(accounts: Mapping[str, Judged], kind: str) -> list[tuple[str, str]]:
    return [(account_id, end) for account_id, judged in accounts.items() for end in getattr(judged, kind)]
