"""What the nights of a platform of some size take, step by step: first load, training, a night that changes 1 %.

All runs as it runs every night, against a real server, which is thrown away afterwards; figures are the steps' own
lines (`pipelines.metering`), and the server's ceilings are measured in the same run.
"""

import platform
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psutil
from neo4j import Driver

from graph_schema.signals import SIGNALS
from models.snapshot import read_snapshot
from pipelines.backfill import backfill
from pipelines.ceilings import Ceilings, measure_ceilings
from pipelines.graph_load import Say
from pipelines.ledger import Ledger
from pipelines.metering import listening, peak_memory
from pipelines.nightly import nightly
from pipelines.settings import Settings
from pipelines.simulate.nights import continue_world, nights_of
from pipelines.train import train

FIRST, TRAINING, NEXT = "first load", "training", "next night, 1 %"
_CHANGED = 100  # one account in so many has rows in the next night


@dataclass(frozen=True)
class PipelineCost:
    """What it took.

    Attributes:
        n_accounts: that the world has.
        machine: that it ran on.
        steps: lines of the steps, each with the `phase` that it was in.
        ceilings: of the server.
        shares: of the ceiling that the load, the snapshot and the write-back reached, 0..1, in the first load.
        server_peak_mb: the most memory that Neo4j held.
    """

    n_accounts: int
    machine: dict[str, Any]
    steps: list[dict[str, Any]]
    ceilings: Ceilings
    shares: dict[str, float]
    server_peak_mb: int


def measure_pipeline(settings: Settings, driver: Driver, world: Path, *, server_pid: int, say: Say) -> PipelineCost:
    """Load, detect and train on a simulated world of one night, and then a night that changes one account in 100.

    Args:
        settings: of an installation that is empty, with default model and no champion.
        driver: to its graph, empty too.
        world: that `simulate` made.
        server_pid: of Neo4j, whose memory is watched.
        say: told what is being done.
    """
    first, _, last = nights_of(world)
    steps: list[dict[str, Any]] = []
    with peak_memory(server_pid) as server_peak:
        with listening() as lines:
            backfill(settings, driver, landing=world / "landing", first=first, last=last, detect_every=None, say=say)
        steps += [{"phase": FIRST, **line} for line in lines]
        with listening() as lines:
            train(settings, driver, date=last, say=say)
        steps += [{"phase": TRAINING, **line} for line in lines]
        say("simulating the next night")
        continue_world(world, None)
        delta = world / "delta"
        _keep_few(world / "landing", delta, last + timedelta(days=1))
        with listening() as lines:
            nightly(settings, driver, landing=delta, date=last + timedelta(days=1), say=say)
        steps += [{"phase": NEXT, **line} for line in lines]
        snapshot = read_snapshot(settings.snapshots_dir / f"date={last + timedelta(days=1)}")
        ceilings = measure_ceilings(driver, snapshot, say)
    shares = _shares(steps, ceilings, _written(settings, last))
    return PipelineCost(snapshot.n_accounts, _machine(settings), steps, ceilings, shares, round(server_peak[0] / 1e6))


def _keep_few(landing: Path, delta: Path, night: date) -> None:
    """Write a landing zone with the rows of a night that are about one account in `_CHANGED`."""
    with duckdb.connect() as connection:
        for signal in SIGNALS:
            source, target = (each / signal.name / f"date={night}" for each in (landing, delta))
            if not source.exists():
                continue
            target.mkdir(parents=True)
            connection.execute(
                f"COPY (SELECT * FROM read_parquet('{source}/*.parquet', hive_partitioning = false)"
                f" WHERE hash(account_id) % {_CHANGED} = 0) TO '{target}/part-0.parquet'"
            )


def _written(settings: Settings, last: date) -> dict[str, int]:
    """Records that the first load wrote, by label or type, over all of its batches."""
    ledger, written = Ledger(settings), dict[str, int]()
    for night in ledger.nights():
        graph = (ledger.read_night(night) or {})["graph"] if night <= last else None
        for name, n in (graph or {"written": {}})["written"].items():
            written[name] = written.get(name, 0) + n
    return written


def _shares(steps: list[dict[str, Any]], ceilings: Ceilings, written: dict[str, int]) -> dict[str, float]:
    def total(step: str, key: str) -> float:
        return float(sum(line[key] for line in steps if line["phase"] == FIRST and line["step"] == step))

    n_relationships = sum(n for name, n in written.items() if name.isupper())
    n_nodes = sum(written.values()) - n_relationships
    at_best = n_nodes / ceilings.create_nodes + n_relationships / ceilings.create_relationships
    return {
        "load": round(at_best / total("load", "seconds"), 3),
        "snapshot": round(total("snapshot", "rows") / total("snapshot", "seconds") / ceilings.read, 3),
        "write back": round(total("write back", "rows") / total("write back", "seconds") / ceilings.set_properties, 3),
    }


def _machine(settings: Settings) -> dict[str, Any]:
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
