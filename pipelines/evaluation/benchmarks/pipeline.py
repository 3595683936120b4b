"""What the nights of a platform of some size take, step by step: first load, training, a night that changes 1 %.

All runs as it runs every night, against a real server, which is thrown away afterwards; figures are the steps' own
lines (`ringwatch.pipelines.common.metering`), and the server's ceilings are measured in the same run.
"""

import logging
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil
from neo4j import Driver

from ringwatch.graph_schema.signals import SIGNALS
from ringwatch.models.data.snapshot import read_snapshot
from ringwatch.models.training.own_networks import fit_one_epoch
from ringwatch.pipelines.common.metering import listening, looking, metered
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.sql import open_connection
from ringwatch.pipelines.evaluation.benchmarks.ceilings import Ceilings, measure_ceilings
from ringwatch.pipelines.graph.mirror import GraphCopy
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.nightly.backfill import backfill
from ringwatch.pipelines.nightly.nightly import nightly
from ringwatch.pipelines.nightly.snapshot import take_snapshot
from ringwatch.pipelines.nightly.train import train
from ringwatch.pipelines.simulate.nights import continue_world, nights_of

_log = logging.getLogger(__name__)

FIRST, TRAINING, SECOND, NEXT, AGAIN = "first load", "training", "second night", "next night, 1 %", "graph read in full"
_CHANGED = 100  # one account in so many has rows in the next night
LOADS = ("check", "stage", "load")  # of a load; the other steps of it are parts of the last
_PROGRAMS = {"CommunityEntryPoint": "neo4j", "AdminTool": "neo4j-admin"}
_LOOK_EVERY_S = 0.5
_MB = 1_000_000


@dataclass(frozen=True)
class PipelineCost:
    """What it took.

    Attributes:
        n_accounts: that the world has.
        rows: delivered before the first load, by signal.
        records: nodes and relationships after it, by label and type.
        steps: lines of the steps, each with the `phase` that it was in.
        ceilings: of the server.
        shares: what the steps reached, beside what could be reached at most; see `_shares`.
        peak_mb: the most memory that each program held: ours, Neo4j, and its import tool.
    """

    n_accounts: int
    rows: dict[str, int]
    records: dict[str, int]
    steps: list[dict[str, Any]]
    ceilings: Ceilings
    shares: dict[str, float]
    peak_mb: dict[str, int]

    def seconds(self, phase: str, *steps: str) -> float:
        """What these steps of a phase took together; all of them where none is named."""
        lines = (line for line in self.steps if line["phase"] == phase)
        return float(sum(line["seconds"] for line in lines if line["step"] in (steps or _WHOLE)))


# Steps that are no part of another.
_WHOLE = (*LOADS, "snapshot", "train", "score", "drift", "rings", "export", "write back", "report", "propose")


def measure_pipeline(settings: Settings, driver: Driver, world: Path) -> PipelineCost:
    """Load, detect and train on a simulated world of one night, and then a night that changes one account in 100.

    Args:
        settings: of an installation that is empty, with default model and no champion.
        driver: to its graph, empty too.
        world: that `simulate` made.
    """
    first, _, last = nights_of(world)
    rows = {signal.name: _count(world / "landing" / signal.name) for signal in SIGNALS}
    steps: list[dict[str, Any]] = []

    @contextmanager
    def phase(name: str) -> Iterator[None]:
        with listening() as lines:
            yield
        steps.extend({"phase": name, **line} for line in lines)

    with _peaks_by_program() as peaks:
        with phase(FIRST):
            backfill(settings, driver, landing=world / "landing", first=first, last=last, detect_every=None)
        with phase(TRAINING):
            train(settings, driver, date=last)
            _log.info("training a network of its own for one epoch")
            snapshot = read_snapshot(settings.snapshots_dir / f"date={last}")
            with metered("epoch") as meter:
                fit_one_epoch(snapshot)
                meter.rows = snapshot.n_accounts
        n_accounts = snapshot.n_accounts
        del snapshot
        # Two, for a server that has just started has yet to compile what it is asked; any other night it has done so.
        for name, night in ((SECOND, last + timedelta(days=1)), (NEXT, last + timedelta(days=2))):
            _log.info("simulating the %s", name)
            continue_world(world, None)
            _keep_few(world / "landing", world / "delta", night, n_accounts // _CHANGED)
            with phase(name):
                nightly(settings, driver, landing=world / "delta", date=night)
        with phase(AGAIN):
            shutil.rmtree(GraphCopy(Ledger(settings)).folder)
            snapshot = take_snapshot(settings, driver, night)
        changed = _written(settings, night, since=last + timedelta(days=1))
        ceilings = measure_ceilings(driver, snapshot, changed)
    records = _written(settings, last)
    cost = PipelineCost(snapshot.n_accounts, rows, records, steps, ceilings, {}, peaks)
    cost.shares.update(_shares(cost))
    return cost


def _count(folder: Path) -> int:
    if not folder.exists():
        return 0
    with open_connection() as connection:
        [(n,)] = connection.sql(f"SELECT count(*) FROM read_parquet('{folder}/*/*.parquet')").fetchall()
    return int(n)


def _keep_few(landing: Path, delta: Path, night: date, n_accounts: int) -> None:
    """Write a landing zone with the rows of a night that are about so many of the accounts that it has rows of."""
    with open_connection() as connection:
        files = [folder for signal in SIGNALS if (folder := landing / signal.name / f"date={night}").exists()]
        ids = " UNION ".join(f"SELECT account_id FROM read_parquet('{folder}/*.parquet')" for folder in files)
        connection.execute(
            f"CREATE TABLE few AS SELECT account_id FROM ({ids}) ORDER BY hash(account_id) LIMIT {n_accounts}"
        )
        for folder in files:
            target = delta / folder.relative_to(landing)
            target.mkdir(parents=True)
            connection.execute(
                f"COPY (SELECT * FROM read_parquet('{folder}/*.parquet', hive_partitioning = false)"
                f" WHERE account_id IN (FROM few)) TO '{target}/part-0.parquet'"
            )


@contextmanager
def _peaks_by_program() -> Iterator[dict[str, int]]:
    """The most MB that this process, and the programs of Neo4j under it, hold inside the block."""
    peaks, own = dict[str, int](), psutil.Process()

    def look() -> None:
        for process in (own, *own.children(recursive=True)):
            try:
                command, held = " ".join(process.cmdline()), process.memory_info().rss // _MB
            except psutil.NoSuchProcess:
                continue
            names = [name for main_class, name in _PROGRAMS.items() if main_class in command]
            name = "ringwatch" if process == own else names[0] if names else "others"
            peaks[name] = max(peaks.get(name, 0), held)

    with looking(look, every_s=_LOOK_EVERY_S):
        yield peaks


def _written(settings: Settings, night: date, *, since: date = date.min) -> dict[str, int]:
    """Records that loads of nights up to this one wrote, by label or type."""
    ledger, written = Ledger(settings), dict[str, int]()
    for each in ledger.nights():
        graph = (ledger.read_night(each) or {})["graph"] if since < each <= night else None
        for name, n in (graph or {"written": {}})["written"].items():
            written[name] = written.get(name, 0) + n
    return written


def _shares(cost: PipelineCost) -> dict[str, float]:
    """How near to the limits it came.

    `first load, times the bare import`: all of it, from the landing zone to the graph, where it was imported offline.
    `first load, times the MERGE loop's rate`: records written a second, where it was not.
    `1 % write, times the bare write`: of as many records of each kind by parallel lists that create.
    `1 % load, share of the first load`, and `1 % night, seconds`: the whole of it.
    `snapshot` and `write back`: shares of the ceilings of columnar reads and writes.
    """

    def rate(phase: str, step: str) -> float:
        rows = sum(line["rows"] for line in cost.steps if line["phase"] == phase and line["step"] == step)
        return float(rows / cost.seconds(phase, step))

    ceilings, shares = cost.ceilings, dict[str, float]()
    if tool := cost.seconds(FIRST, "neo4j-admin import"):
        shares["first load, times the bare import"] = cost.seconds(FIRST, *LOADS) / tool
    else:
        shares["first load, times the MERGE loop's rate"] = rate(FIRST, "write") / ceilings.merge_rows
    shares |= {
        "1 % write, times the bare write": ceilings.create_alike / rate(NEXT, "write"),
        "1 % load, share of the first load": cost.seconds(NEXT, *LOADS) / cost.seconds(FIRST, *LOADS),
        "1 % night, seconds": cost.seconds(NEXT),
        "training, seconds": cost.seconds(TRAINING),
        "snapshot, share of the read ceiling": rate(AGAIN, "read graph") / ceilings.read,
        "write back, share of the write ceiling": rate(FIRST, "write back") / ceilings.set_properties,
    }
    return {name: round(value, 3) for name, value in shares.items()}


def describe_machine(settings: Settings) -> dict[str, Any]:
    """What it runs on, and the memory that Neo4j is given."""
    names = [line.split(":", 1)[1].strip() for line in _cpu_lines() if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor(),
        "n_cpus": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "neo4j_heap_mb": settings.neo4j_heap_mb,
        "neo4j_pagecache_mb": settings.neo4j_pagecache_mb,
    }


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
