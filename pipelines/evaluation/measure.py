"""How hard simulated worlds are: each is checked and put in a ledger as any night is, and its snapshot judged."""

import logging
import os
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.data.truth import Truth
from ringwatch.models.evaluation.difficulty import difficulty
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.nightly.offline import put_in_ledger
from ringwatch.pipelines.nightly.snapshot import compute_snapshot
from ringwatch.pipelines.simulate.nights import nights_of, simulate
from ringwatch.pipelines.simulate.population.world import Arguments
from ringwatch.pipelines.simulate.truth import read_truth

_log = logging.getLogger(__name__)

_OTHER_WORLD = 1000  # added to a seed, for the world that the oracle learns from


def measure(arguments: Arguments, *, n_seeds: int) -> list[dict[str, Any]]:
    """Simulate worlds of consecutive seeds, and for each another one for the oracle; judge their last nights.

    Returns:
        For each seed what `ringwatch.models.evaluation.difficulty.difficulty` reports, with the seed.
    """
    # Threads that spin make boosting many times slower on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    reports = []
    for seed in range(arguments.seed, arguments.seed + n_seeds):
        snapshot, truth = world_of(replace(arguments, seed=seed))
        elsewhere, truth_elsewhere = world_elsewhere(replace(arguments, seed=seed))
        _log.info("judging seed %s", seed)
        reports.append({"seed": seed, **difficulty(snapshot, truth, elsewhere, truth_elsewhere, seed=seed)})
    return reports


def world_of(arguments: Arguments) -> tuple[Snapshot, Truth]:
    """Simulate a world; its last night, and the truth about it."""
    _log.info("simulating and checking the world of seed %s", arguments.seed)
    with tempfile.TemporaryDirectory(prefix="ringwatch-world-") as folder:
        simulate(arguments, Path(folder))
        snapshot = snapshot_of_world(Path(folder))
        truth = truth_about(snapshot, read_truth(Path(folder)))
    if not truth.is_fake.any():
        raise RingwatchError(f"the world of seed {arguments.seed} has no fakes, so there is nothing to find.")
    return snapshot, truth


def world_elsewhere(arguments: Arguments) -> tuple[Snapshot, Truth]:
    """As `world_of`, of another world with the same numbers: the one that an oracle learns from."""
    return world_of(replace(arguments, seed=arguments.seed + _OTHER_WORLD))


def snapshot_of_world(folder: Path) -> Snapshot:
    """The snapshot of a world's last night, by way of the checks and the ledger, without a server."""
    with tempfile.TemporaryDirectory(prefix="ringwatch-ledger-") as home:
        settings = Settings(home=Path(home))  # type: ignore[call-arg]
        put_world_in_ledger(settings, folder)
        return compute_snapshot(settings, nights_of(folder)[2])


def put_world_in_ledger(settings: Settings, folder: Path) -> None:
    """Check all that a world delivers, and put it in the ledger, without a server."""
    first, _, last = nights_of(folder)
    days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    put_in_ledger(settings, folder / "landing", days)


def truth_about(snapshot: Snapshot, truth: pa.Table) -> Truth:
    """The truth in the order of a snapshot's accounts.

    Raises:
        RingwatchError: the snapshot has accounts that the truth does not know.
    """
    rows = pc.index_in(snapshot.accounts["id"], value_set=truth["account_id"].combine_chunks())
    if rows.null_count:
        raise RingwatchError(f"{rows.null_count} accounts of the snapshot are not in the world's truth.")
    ordered = truth.take(rows)
    is_fake = ordered["is_fake"].to_numpy()
    active_at = ordered["first_active_at"].to_numpy().astype("datetime64[us]")
    is_active = active_at < snapshot.end_of_day  # NaT is not
    names = pc.coalesce(ordered["group"], ordered["account_id"])
    group = names.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    kind = ordered["kind"].to_numpy()
    campaign = ordered["campaign"].fill_null("").to_numpy().astype(str)
    return Truth(is_fake & is_active, ~is_fake | is_active, group, campaign, kind.astype(str))
