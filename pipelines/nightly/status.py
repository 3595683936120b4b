"""What there is: the nights loaded and detected, the champion, the ban lists, and where everything lies."""

import json
from dataclasses import dataclass
from typing import Any

from ringwatch.models.registry.catalog import Catalog
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.runs.store import run_nights

_N_NIGHTS = 10


@dataclass(frozen=True)
class Status:
    """The newest nights, newest last, and the places."""

    n_nights: int
    nights: list[dict[str, Any]]
    champion: str | None
    places: dict[str, str]


def read_status(settings: Settings) -> Status:
    """Read the state folder; no server is needed."""
    ledger = Ledger(settings)
    nights, detected = ledger.nights(), set(run_nights(settings))
    entries = []
    for night in nights[-_N_NIGHTS:]:
        record = ledger.read_night(night) or {"counts": {}}
        run_file = settings.runs_dir / f"date={night}" / "run.json"
        entries.append(
            {
                "date": str(night),
                "rows_in": sum(counts["rows_in"] for counts in record["counts"].values()),
                "quarantined": sum(counts["quarantined"] for counts in record["counts"].values()),
                "counts": record["counts"],
                "run": json.loads(run_file.read_text()) if night in detected else None,
                "ban_list": _ban_list(settings, str(night)),
            }
        )
    return Status(
        n_nights=len(nights),
        nights=entries,
        champion=Catalog(settings.models_dir).champion(),
        places={
            "home": str(settings.home_dir),
            "exports": str(settings.exports_dir),
            "quarantine": str(settings.quarantine_dir),
            "data docs": str(settings.data_docs_dir / "index.html"),
            "models": str(settings.models_dir),
            "snapshots": str(settings.snapshots_dir),
        },
    )


def _ban_list(settings: Settings, night: str) -> str:
    if (settings.exports_dir / "ban_lists" / f"date={night}" / "manifest.json").exists():
        return "published"
    proposed = settings.ban_lists_dir / "proposals" / f"date={night}"
    return "proposed" if proposed.exists() else ""
