"""Adds accounts that frame ordinary people to a world's last nights, in each style of knobs/framing.py.

Attackers sign up two nights before the last one and act then; what they are charged back and labelled for comes the
night after. Their rows lie beside a night's own, in `framing.parquet`. Victims do nothing out of the ordinary.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from ringwatch.graph_schema.signals import SIGNALS_BY_NAME, Signal
from ringwatch.pipelines.simulate.events.landing import write_whole
from ringwatch.pipelines.simulate.knobs.framing import STYLES, Style

N_VICTIMS = 10  # of each style: their attackers are as many as a world's fakes already
NIGHTS_BEFORE_LAST = 2
Row = dict[str, Any]


@dataclass
class _Victim:
    """An ordinary person and one identifier of each kind that it has."""

    account_id: str
    device_id: str | None = None
    instrument_id: str | None = None
    ip: str | None = None
    new_ip: str | None = None  # one that it is to use for the first time after the attackers
    template_id: str | None = None
    email_hash: str | None = None
    phone_hash: str | None = None

    def suits(self, style: Style) -> bool:
        """Whether it has what a style needs."""
        needs = {
            "device_id": style.device,
            "instrument_id": style.card,
            "ip": style.address == "after",
            "new_ip": style.address == "before",
            "template_id": style.template,
        }
        has_contact = self.email_hash or self.phone_hash
        return all(getattr(self, name) for name, is_needed in needs.items() if is_needed) and (
            not style.contact or bool(has_contact)
        )


@dataclass
class _Acts:
    """Rows by night and signal."""

    rows: dict[tuple[date, str], list[Row]] = field(default_factory=dict)

    def add(self, night: date, signal: str, **row: object) -> None:
        self.rows.setdefault((night, signal), []).append(row)


def add_framing(world: Path, last_night: date, *, seed: int) -> dict[str, int]:
    """Write what the attackers do, and the truth with `framed_by`, the style, of each victim.

    Returns:
        Rows written, by signal; of accounts as many as there are attackers.
    """
    rng = np.random.default_rng([seed, 7])
    night = last_night - timedelta(days=NIGHTS_BEFORE_LAST)
    truth = pq.read_table(world / "truth.parquet")
    victims = _victims(world / "landing", truth, night)
    waiting = [victims[position] for position in rng.permutation(len(victims))]
    acts, attackers, framed_by = _Acts(), [], {}
    for style in STYLES:
        chosen = [each for each in waiting if each.suits(style)][:N_VICTIMS]
        for number, victim in enumerate(chosen):
            waiting.remove(victim)
            framed_by[victim.account_id] = style.name
            attackers += [(*each, style.name) for each in _frame(acts, victim, style, number, night, rng)]
    n_rows = {"accounts": 0}  # none where the world is too young to have anybody to frame
    for (day, name), rows in acts.rows.items():
        signal = SIGNALS_BY_NAME[name]
        n_rows[name] = n_rows.get(name, 0) + len(rows)
        write_whole(_table(signal, rows), world / "landing" / name / f"date={day}" / "framing.parquet")
    write_whole(_with_framing(truth, attackers, framed_by), world / "truth.parquet")
    return n_rows


def _frame(
    acts: _Acts, victim: _Victim, style: Style, number: int, night: date, rng: np.random.Generator
) -> Iterator[tuple[str, datetime]]:
    """What the attackers of one victim do; yields each account and when it is created and first acts."""
    after = night + timedelta(days=1)
    own_device = _opaque("d_", style.name, number)
    for position in range(style.n_attackers):
        account_id = _opaque("a_", style.name, number, position)
        hour = int(rng.integers(1, 20))
        yield account_id, _at(night, hour)
        contact = {"email_hash": victim.email_hash, "phone_hash": victim.phone_hash} if style.contact else {}
        acts.add(
            night, "accounts", account_id=account_id, created_at=_at(night, hour), status="active", plan="free",
            referred_by_account_id=victim.account_id if style.referred else None, **contact,
        )  # fmt: skip
        seen = {"first_seen_at": _at(night, hour), "last_seen_at": _at(night, hour + 1), "n_events": 3}
        devices = [own_device, *([victim.device_id] if style.device else [])]
        for device_id in devices:
            acts.add(night, "device_events", account_id=account_id, device_id=device_id, **seen)
        address = {"after": victim.ip, "before": victim.new_ip}.get(style.address)
        for ip in [
            f"198.18.{STYLES.index(style) * N_VICTIMS + number}.{position + 1}",
            *([address] if address else []),
        ]:
            acts.add(night, "ip_events", account_id=account_id, ip=ip, **seen)
        began = datetime.combine(night, time(hour), UTC)
        template_id = victim.template_id if style.template else None
        acts.add(
            night, "usage_events", account_id=account_id, hour_start_at=began, task="chat", model="small",
            template_id=template_id, n_requests=40, n_input_tokens=20_000, n_output_tokens=20_000,
        )  # fmt: skip
        _pay(acts, account_id, victim, style, night, hour)
        if style.disputes:
            acts.add(
                after, "labels", account_id=account_id, label="fake", labelled_at=_at(after, 12), source="chargeback"
            )
    if style.reported:
        acts.add(
            after, "labels", account_id=victim.account_id, label="fake", labelled_at=_at(after, 12), source="partner",
            label_confidence=0.7,
        )  # fmt: skip


def _pay(acts: _Acts, account_id: str, victim: _Victim, style: Style, night: date, hour: int) -> None:
    after = night + timedelta(days=1)
    own_card = _opaque("i_", account_id)

    def event(day: date, what: str, status: str, **more: object) -> None:
        row = {"occurred_at": _at(day, hour), "status": status, "currency": "USD", "amount": 5.0} | more
        acts.add(day, "payments", payment_id=_opaque("p_", account_id, what), account_id=account_id, **row)

    if style.card:
        event(night, "victim's", style.card, instrument_id=victim.instrument_id, instrument_type="card")
    if style.amount:
        event(night, "sent", "succeeded", payee_account_id=victim.account_id, amount=style.amount)
    if style.disputes:
        event(night, "own", "succeeded", instrument_id=own_card, instrument_type="card")
        card = victim.instrument_id if style.disputes == "victim's" else own_card
        event(after, "disputed", "chargeback", instrument_id=card, instrument_type="card")


def _victims(landing: Path, truth: pa.Table, night: date) -> list[_Victim]:
    """Ordinary people who signed up before the night, with the identifiers that they used last by then."""
    ordinary = truth.filter(pc.invert(truth["is_fake"]))["account_id"]
    accounts = _rows(landing, "accounts", ["account_id", "email_hash", "phone_hash", "status"], ordinary)
    before = accounts.filter(pc.less(accounts["date"], night.isoformat()))
    found = {
        row["account_id"]: _Victim(row["account_id"], email_hash=row["email_hash"], phone_hash=row["phone_hash"])
        for row in before.to_pylist()
        if row["status"] == "active"
    }
    kinds = {
        "device_events": "device_id", "payments": "instrument_id", "ip_events": "ip", "usage_events": "template_id",
    }  # fmt: skip
    for signal, column in kinds.items():
        if not (landing / signal).is_dir():
            continue
        rows = _rows(landing, signal, ["account_id", column], ordinary)
        known = set()
        for row in rows.sort_by("date").to_pylist():
            account_id, value, day = row["account_id"], row[column], row["date"]
            if value is None or account_id not in found:
                continue
            if day <= night.isoformat():
                known.add((account_id, value))
            if day < night.isoformat():
                setattr(found[account_id], column, value)
            elif column == "ip" and (account_id, value) not in known:
                found[account_id].new_ip = value
    return [found[account_id] for account_id in sorted(found)]


def _rows(landing: Path, signal: str, columns: Sequence[str], account_ids: pa.ChunkedArray) -> pa.Table:
    partitioned = ds.partitioning(pa.schema([("date", pa.string())]), flavor="hive")
    rows = ds.dataset(landing / signal, partitioning=partitioned).to_table(columns=[*columns, "date"])
    return rows.filter(pc.is_in(rows["account_id"], account_ids.combine_chunks()))


def _table(signal: Signal, rows: Sequence[Row]) -> pa.Table:
    schema = pa.schema([(each.name, each.kind.arrow_type) for each in signal.fields])
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)


def _with_framing(
    truth: pa.Table, attackers: Sequence[tuple[str, datetime, str]], framed_by: dict[str, str]
) -> pa.Table:
    schema = truth.schema
    rows = [
        {
            "account_id": account_id, "is_fake": True, "campaign": f"framing: {style}", "group": f"framing: {style}",
            "kind": "framer", "first_active_at": active_at,
        }
        for account_id, active_at, style in attackers
    ]  # fmt: skip
    added = pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)
    whole = pa.concat_tables([truth, added]).sort_by("account_id")
    framed = pa.array([framed_by.get(each) for each in whole["account_id"].to_pylist()], pa.string())
    return whole.append_column("framed_by", framed)


def _at(night: date, hour: int) -> datetime:
    return datetime.combine(night, time(hour, 30), UTC)


def _opaque(prefix: str, *parts: object) -> str:
    return prefix + hashlib.sha256("/".join(map(str, ("framing", *parts))).encode()).hexdigest()[:16]
