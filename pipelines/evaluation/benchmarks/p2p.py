"""Public data through the same checks, snapshot and models, by the protocol that figures were published for."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ringwatch.graph_schema.signals import SIGNALS
from ringwatch.models.evaluation.public.p2p_folds import evaluate_folds
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.evaluation.benchmarks.import_p2p import import_p2p
from ringwatch.pipelines.ingest.landing import partition_dates
from ringwatch.pipelines.nightly.offline import put_in_ledger
from ringwatch.pipelines.nightly.snapshot import compute_snapshot

Say = Callable[[str], None]


def benchmark_p2p(source: Path, *, n_seeds: int, say: Say = lambda _: None) -> dict[str, Any]:
    """The peer-to-peer payment platform: five folds by whole components, as of its last night.

    Raises:
        RingwatchError: the folder lacks a file of it.
    """
    with tempfile.TemporaryDirectory(prefix="ringwatch-p2p-") as folder:
        landing = Path(folder) / "landing"
        # Payments years apart all count.
        settings = Settings(home=Path(folder) / "home", retention_days=0)  # type: ignore[call-arg]
        import_p2p(source, landing, lambda n, total: say(f"writing partitions: {n / total:.0%}"))
        days = sorted({day for signal in SIGNALS for day in partition_dates(landing, signal)})
        say(f"checking {len(days)} nights")
        put_in_ledger(settings, landing, days)
        snapshot = compute_snapshot(settings, days[-1])
    return evaluate_folds(snapshot, seeds=tuple(range(n_seeds)), progress=lambda share: say(f"evaluating: {share:.0%}"))
