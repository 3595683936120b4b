"""Why an account stands where it stands: score, reasons, ring, shared identifiers, and its history by night."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow.compute as pc

from ringwatch.models.data.snapshot import read_snapshot
from ringwatch.models.explain.evidence import account_evidence
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.store import decisions_on
from ringwatch.pipelines.runs.store import detected_nights, read_run, read_run_table

_HISTORY = ("fraud_score", "fraud_label", "ring_id")


@dataclass(frozen=True)
class Explanation:
    """One account as the newest detection sees it."""

    account_id: str
    date: str
    model_version: str
    fraud_score: float
    fraud_label: str
    thresholds: dict[str, float]
    reasons: list[str]
    ring: dict[str, Any] | None
    shared_identifiers: list[dict[str, Any]]
    label: dict[str, Any] | None
    decisions: list[dict[str, Any]]
    history: list[dict[str, Any]]  # one entry a night detected, oldest first


def explain(settings: Settings, account_id: str) -> Explanation:
    """Explain an account by the newest night detected.

    Raises:
        RingwatchError: nothing has been detected, or that account was not there.
    """
    nights = detected_nights(settings)
    night = nights[-1]
    accounts = read_run_table(settings, night, "accounts")
    found = accounts.filter(pc.equal(accounts["account_id"], account_id)).to_pylist()
    if not found:
        raise RingwatchError(f"there is no account {account_id!r} in the graph of {night}: check its id.")
    [account] = found
    run = read_run(settings, night)
    snapshot = read_snapshot(settings.snapshots_dir / f"date={night}")
    fraud_labels = dict(zip(accounts["account_id"].to_pylist(), accounts["fraud_label"].to_pylist(), strict=True))
    labels = snapshot.labels.filter(pc.equal(snapshot.labels["account_id"], account_id)).to_pylist()
    return Explanation(
        account_id=account_id,
        date=str(night),
        model_version=run.model_version,
        fraud_score=account["fraud_score"],
        fraud_label=account["fraud_label"],
        thresholds={"suspicious": run.thresholds.suspicious, "watch": run.thresholds.watch},
        reasons=account["reasons"],
        ring=_ring(settings, night, account["ring_id"], account_id),
        shared_identifiers=[dict(each) for each in account_evidence(snapshot, [account_id], fraud_labels)[account_id]],
        label=labels[0] if labels else None,
        decisions=decisions_on(settings, ring=None, account=account_id),
        history=[entry for each in nights for entry in _history(settings, each, account_id)],
    )


def _ring(settings: Settings, night: date, ring_id: str | None, account_id: str) -> dict[str, Any] | None:
    if ring_id is None:
        return None
    rings, members = (read_run_table(settings, night, name) for name in ("rings", "members"))
    ring: dict[str, Any]
    [ring] = rings.filter(pc.equal(rings["ring_id"], ring_id)).to_pylist()
    of_ring = members.filter(pc.equal(members["ring_id"], ring_id)).to_pylist()
    ring["membership"] = next(member["membership"] for member in of_ring if member["account_id"] == account_id)
    return ring


def _history(settings: Settings, night: date, account_id: str) -> list[dict[str, Any]]:
    """The account's entry of one night; only the rows asked for are read."""
    of_account = [("account_id", "=", account_id)]
    rows = read_run_table(settings, night, "accounts", columns=_HISTORY, filters=of_account).to_pylist()
    return [{"date": str(night), **{name: row[name] for name in _HISTORY}} for row in rows]
