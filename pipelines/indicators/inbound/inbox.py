"""Take partners' bundles of a night from the landing zone into the ledger, and what is rejected into quarantine.

LANDING/indicators/date=D/*.json                     one bundle each
QUARANTINE/indicators/date=D/rejected.parquet        files and indicators that were rejected, with the reason

indicators_in = usable + superseded + quarantined + unsupported, each time a partition is read; those of a file that
cannot be read are not counted.
"""

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.indicators.inbound.store import Row, keep, newest_versions
from ringwatch.pipelines.ingest.landing import INDICATORS, bundles, fingerprint_of
from ringwatch.pipelines.ledger.store import write_parquet

REJECTED_SCHEMA = pa.schema(
    [("partition", pa.string()), ("file", pa.string()), ("indicator_id", pa.string()), ("reason", pa.string())]
)
Counts = dict[str, Any]


def take_in(settings: Settings, landing: Path, day: date) -> Counts | None:
    """Take in what lies for a day, in place of what was taken in of it before; again is safe.

    Returns:
        files, files_quarantined, indicators_in, usable, superseded, quarantined, unsupported, and notes; None without
        a partition.
    """
    found = bundles(landing, day, require_success_file=settings.require_success_file)
    files, ignored = found or ((), ())
    rows, rejected, counts = _check(settings, files, day)
    keep(settings, day, rows)
    _quarantine(settings, day, rejected)
    if found is None:
        return None
    holding = [row["unsupported"] for row in newest_versions(settings) if row["partition"] == day]
    counts |= {
        "usable": holding.count(None),
        "unsupported": len(holding) - holding.count(None),
        "superseded": len(rows) - len(holding),
    }
    notes = [f"{each['file']}: {each['reason']}" for each in rejected]
    reasons = Counter(row["unsupported"] for row in rows if row["unsupported"])
    notes += [f"{n:,} unsupported: {reason}" for reason, n in sorted(reasons.items())]
    return {**counts, "notes": [*notes, *(f"{path.name} is no .json and was ignored" for path in ignored)]}


def fingerprint(settings: Settings, landing: Path, day: date) -> str | None:
    """Changes whenever a bundle of the day does; None without a partition."""
    found = bundles(landing, day, require_success_file=settings.require_success_file)
    return fingerprint_of(found[0]) if found else None


def _check(settings: Settings, files: tuple[Path, ...], day: date) -> tuple[list[Row], list[Row], Counts]:
    """Rows for the ledger, rows for quarantine, and what can be counted of them."""
    rows, rejected = [], []
    counts = {"files": len(files), "files_quarantined": 0, "indicators_in": 0, "quarantined": 0}
    for path in files:
        # Here, for the libraries of STIX take a second to import, and most nights have no bundle.
        from ringwatch.pipelines.indicators.inbound.intake import check_file

        checked = check_file(settings, path, day=day)
        rows += [{**row, "file": path.name} for row in checked.rows]
        refused = [(None, "; ".join(checked.faults))] if checked.faults else checked.refused
        rejected += [
            {"partition": str(day), "file": path.name, "indicator_id": id_, "reason": reason} for id_, reason in refused
        ]
        counts["files_quarantined"] += bool(checked.faults)
        counts["indicators_in"] += checked.n_indicators
        counts["quarantined"] += checked.n_indicators if checked.faults else len(checked.refused)
    return rows, rejected, counts


def _quarantine(settings: Settings, day: date, rejected: list[Row]) -> None:
    target = settings.quarantine_dir / INDICATORS / f"date={day}" / "rejected.parquet"
    if rejected:
        write_parquet(pa.Table.from_pylist(rejected, REJECTED_SCHEMA), target)
    else:
        target.unlink(missing_ok=True)
