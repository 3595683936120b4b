"""Public data through the same checks, snapshot and models, by the protocol that figures were published for."""

import logging
import tempfile
from pathlib import Path
from typing import Any

from ringwatch.graph_schema.signals import SIGNALS
from ringwatch.models.evaluation.public.p2p_folds import evaluate_folds
from ringwatch.pipelines.common.progress import percent_logger
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.evaluation.benchmarks.import_p2p import import_p2p
from ringwatch.pipelines.ingest.landing import partition_dates
from ringwatch.pipelines.nightly.offline import put_in_ledger
from ringwatch.pipelines.nightly.snapshot import compute_snapshot

_log = logging.getLogger(__name__)


def benchmark_p2p(source: Path, *, n_seeds: int) -> dict[str, Any]:
    """The peer-to-peer payment platform: five folds by whole components, as of its last night.

    Raises:
        RingwatchError: the folder lacks a file of it.
    """
    with tempfile.TemporaryDirectory(prefix="ringwatch-p2p-") as folder:
        landing = Path(folder) / "landing"
        # Payments years apart all count.
        settings = Settings(home=Path(folder) / "home", retention_days=0)  # type: ignore[call-arg]
        import_p2p(source, landing, progress=percent_logger(_log, "writing partitions"))
        days = sorted({day for signal in SIGNALS for day in partition_dates(landing, signal)})
        _log.info("checking %s nights", len(days))
        put_in_ledger(settings, landing, days)
        snapshot = compute_snapshot(settings, days[-1])
    return evaluate_folds(snapshot, seeds=tuple(range(n_seeds)), progress=percent_logger(_log, "evaluating"))
