"""Landing zones made in a test: rows as dicts into files as an upstream exporter would write them."""

import csv
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ringwatch.graph_schema.signals import SIGNALS_BY_NAME

FIRST = date(2026, 4, 1)
RING = [f"ring{i:02d}" for i in range(8)]
Rows = Iterable[Mapping[str, Any]]


def at(day: date, hour: int = 1) -> datetime:
    """A time of that day."""
    return datetime.combine(day, time(hour), UTC)


def deliver(landing: Path, signal: str, day: date, rows: Rows, *, name: str = "part-0.jsonl") -> Path:
    """Write rows as one file of a partition, in the form that its ending says."""
    file = landing / signal / f"date={day}" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    names = [field.name for field in SIGNALS_BY_NAME[signal].fields]
    if name.endswith(".jsonl"):
        file.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
    elif name.endswith(".csv"):
        with file.open("w", newline="") as out:
            writer = csv.DictWriter(out, names)
            writer.writeheader()
            writer.writerows(rows)
    else:
        columns = {field: [row.get(field) for row in rows] for field in names}
        pq.write_table(pa.table(columns), file)
    return file


def random_nights(landing: Path, seed: int, *, n_nights: int = 4, n_accounts: int = 18) -> list[date]:
    """Nights in which everything happens: late accounts, changed keys, repeated rows, unknown referrers and payees."""
    nights = [FIRST + timedelta(days=i) for i in range(n_nights)]
    for night in nights:
        random_night(landing, night, seed, n_accounts=n_accounts, n_nights=n_nights)
    return nights


def random_night(landing: Path, night: date, seed: int, *, n_accounts: int = 18, n_nights: int = 4) -> None:
    """One of them. Accounts are born on the same nights whatever the seed of the night's other rows."""
    born_by = random.Random(0)
    accounts = {f"a{i}": FIRST + timedelta(days=born_by.randrange(n_nights)) for i in range(n_accounts)}
    accounts["a0"] = FIRST
    pick = random.Random(f"{seed} {night}")
    ids = list(accounts)
    shown = [a for a, born in accounts.items() if born == night or (born < night and pick.random() < 0.2)]
    rows = [_account(pick, a, accounts[a], ids) for a in shown]
    deliver(landing, "accounts", night, rows, name="part-0.csv")
    days = [max(FIRST, night - timedelta(days=pick.choice([0, 0, 1]))) for _ in range(10)]
    deliver(landing, "ip_events", night, [_seen(pick, ids, d, "ip", _ip(pick)) for d in days], name="a.parquet")
    devices = [_seen(pick, ids, d, "device_id", f"d{pick.randrange(6)}") for d in days]
    deliver(landing, "device_events", night, devices)
    deliver(landing, "payments", night, [_payment(pick, ids, d) for d in days], name="p.csv")
    deliver(landing, "usage_events", night, [_usage(pick, ids, d) for d in days])
    labels = [
        {"account_id": pick.choice(ids), "label": "fake", "labelled_at": at(night), "source": "partner"} for _ in "12"
    ]
    deliver(landing, "labels", night, labels)


def _ip(pick: random.Random) -> str:
    return f"10.0.{pick.randrange(2)}.{pick.randrange(4)}"


def _account(pick: random.Random, account_id: str, born: date, ids: list[str]) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "created_at": at(born, 0).isoformat(),
        "status": pick.choice(["active", "closed"]),
        "country": "de",
        "email_domain": pick.choice(["example.org", ""]),
        "email_hash": pick.choice(["h1", "h2", ""]),
        "signup_ip": pick.choice(["", _ip(pick)]),
        "referred_by_account_id": pick.choice(["", pick.choice(ids), "unknown"]),
    }


def _seen(pick: random.Random, ids: list[str], day: date, kind: str, identifier: str) -> dict[str, Any]:
    asn = {"asn": pick.choice([1, 2])} if kind == "ip" else {"os": pick.choice(["Linux", "iOS"])}
    seen = {
        "first_seen_at": at(day, 1),
        "last_seen_at": at(day, 1 + pick.randrange(3)),
        "n_events": pick.randrange(1, 5),
    }
    return {"account_id": pick.choice(ids), kind: identifier, **seen, **asn}


def _payment(pick: random.Random, ids: list[str], day: date) -> dict[str, Any]:
    has_card = pick.random() < 0.7
    return {
        "payment_id": f"p{pick.randrange(40)}",
        "account_id": pick.choice(ids),
        "occurred_at": at(day),
        "status": pick.choice(["succeeded", "failed", "refunded", "chargeback"]),
        "instrument_id": f"c{pick.randrange(6)}" if has_card else "",
        "instrument_type": pick.choice(["card", "bank", ""]),
        "amount": round(pick.random() * 100, 2),
        "payee_account_id": pick.choice([*ids, "stranger"]) if not has_card or pick.random() < 0.5 else "",
    }


def _usage(pick: random.Random, ids: list[str], day: date) -> dict[str, Any]:
    return {
        "account_id": pick.choice(ids),
        "hour_start_at": at(day, pick.randrange(3)),
        "template_id": pick.choice([None, "t1", "t2"]),
        "n_requests": pick.randrange(1, 9),
    }


def deliver_a_ring(landing: Path, nights: Sequence[date]) -> None:
    """Ordinary people of all ages, and eight young accounts that share nearly all but their names."""
    people = [f"person{i}" for i in range(20)]
    signed_up = {a: 30 + 17 * i % 300 for i, a in enumerate(people)} | dict.fromkeys(RING, 20)  # days before
    profile = {"plan": "free", "country": "DE"}
    accounts = [
        {"account_id": a, "created_at": at(nights[0], 0) - timedelta(days=days), "email_hash": f"h-{a}", **profile}
        for a, days in signed_up.items()
    ]
    deliver(landing, "accounts", nights[0], accounts)
    for night in nights:
        uses = [(a, f"d-{a}") for a in people] + [(a, f"d-ring{i}") for a in RING for i in range(2)]
        seen = {"first_seen_at": at(night), "last_seen_at": at(night, 5), "n_events": 3}
        deliver(landing, "device_events", night, [{"account_id": a, "device_id": d, **seen} for a, d in uses])
        payments = [(a, f"c-{a}") for a in people] + [(a, f"c-ring{i}") for a in RING for i in range(2)]
        paid = {"occurred_at": at(night), "status": "succeeded", "amount": 1.1}
        rows = [{"payment_id": f"{night}{a}{c}", "account_id": a, "instrument_id": c, **paid} for a, c in payments]
        deliver(landing, "payments", night, rows)
        ips = [(a, f"10.{i}.0.7", "residential") for i, a in enumerate(people)]
        ips += [(a, f"185.3.2.{i}", "hosting") for a in RING for i in range(3)]
        used = [{"account_id": a, "ip": ip, "network_type": network, **seen} for a, ip, network in ips]
        deliver(landing, "ip_events", night, used)
        hours = [(a, f"t-{a}", 9) for a in people] + [(a, "t-ring", hour) for a in RING for hour in range(0, 24, 2)]
        asked = {"n_requests": 50, "n_input_tokens": 9_000, "n_output_tokens": 90_000}
        rows = [{"account_id": a, "template_id": t, "hour_start_at": at(night, hour), **asked} for a, t, hour in hours]
        deliver(landing, "usage_events", night, rows)
