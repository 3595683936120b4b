"""Nights without a server: for worlds and data that are measured, and not for a platform's own."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from ringwatch.graph_schema.signals import SIGNALS
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.indicators.inbound import inbox
from ringwatch.pipelines.ingest.landing import delivery
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.nightly.load import check_deliveries, stage_checked


def put_in_ledger(settings: Settings, landing: Path, days: Sequence[date]) -> None:
    """Check all that some days deliver, and put it in the ledger, as loads do; the graph is left out."""
    for signal in SIGNALS:
        found = {day: delivery(landing, signal, day, require_success_file=False) for day in days}
        delivered = [each for each in found.values() if each]
        checked = check_deliveries(settings, delivered) if delivered else {}
        for day in days:
            stage_checked(settings, signal, day, found[day], checked.get(day))
    for day in days:
        inbox.take_in(settings, landing, day)
    Ledger(settings).commit_staged(list(days))
