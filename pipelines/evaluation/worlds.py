"""Plays the nights of a simulated world against the detector, and judges it beside every baseline.

Nights come in order, each with the labels known by then; a model is fitted when one is due. All goes by the steps of a
night, but for the graph in Neo4j, of which a snapshot is a copy that a test compares.
"""

import json
import logging
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.models.common.errors import TooFewLabelsError
from ringwatch.models.data.snapshot import Snapshot, write_snapshot
from ringwatch.models.evaluation.world import DetectedNight, evaluate_detection, evaluate_ranking
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.registry.store import Registry
from ringwatch.models.scoring.detection import Detection
from ringwatch.models.training.promotion import promote_if_not_worse
from ringwatch.models.training.training import train
from ringwatch.pipelines.ban_list.rules.candidates import find_candidates
from ringwatch.pipelines.ban_list.rules.entries import RULES
from ringwatch.pipelines.ban_list.rules.policy import POLICY
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.evaluation.measure import put_world_in_ledger, truth_about, world_elsewhere
from ringwatch.pipelines.nightly.detect import detect_in
from ringwatch.pipelines.nightly.nightly import is_due
from ringwatch.pipelines.nightly.snapshot import compute_snapshot
from ringwatch.pipelines.review.analyst import review_as_analyst
from ringwatch.pipelines.simulate.nights import nights_of, simulate
from ringwatch.pipelines.simulate.population.world import Arguments
from ringwatch.pipelines.simulate.truth import read_truth

_log = logging.getLogger(__name__)


def evaluate_world(arguments: Arguments, *, n_reviews: int = 0) -> dict[str, Any]:
    """All metrics of one world: those of the last night, and how long each campaign went unseen.

    `n_reviews` questions of the queue are answered after each night, by an analyst who is right 95 times in 100.
    """
    with tempfile.TemporaryDirectory(prefix="ringwatch-evaluation-") as folder:
        settings, world = Settings(home=Path(folder) / "home"), Path(folder) / "world"  # type: ignore[call-arg]
        _log.info("simulating and checking the world of seed %s", arguments.seed)
        simulate(arguments, world)
        put_world_in_ledger(settings, world)
        truth, nights = read_truth(world), []
        _, first, last = nights_of(world)
        for offset in range((last - first).days + 1):
            _log.info("seed %s, night %s of %s", arguments.seed, offset + 1, (last - first).days + 1)
            nights.append(_play(settings, compute_snapshot(settings, first + timedelta(days=offset)), truth))
            if n_reviews:
                review_as_analyst(settings, nights[-1].snapshot, nights[-1].truth, n_questions=n_reviews)
        report = {
            "name": f"seed {arguments.seed}",
            "seed": arguments.seed,
            "scenario": arguments.scenario,
            "n_accounts": nights[-1].snapshot.n_accounts,
            **evaluate_detection(nights),
            "evasion_budgets": _evasion_budgets(world),
            "ranking": {},
        }
        if nights[-1].truth.is_fake.any():
            registry = Registry(settings.models_dir)
            champion = registry.champion()
            model = registry.load(champion) if champion else default_model(settings.default_model)
            elsewhere = world_elsewhere(arguments)
            _log.info("seed %s: baselines", arguments.seed)
            report["ranking"] = evaluate_ranking(nights[-1], model, *elsewhere, seed=arguments.seed)
        return report


def _evasion_budgets(world: Path) -> dict[str, float]:
    """Of each campaign the share of what it would share that it buys afresh; all 0 but in the scenario `evasion`."""
    campaigns = json.loads((world / "world.json").read_text())["campaigns"]
    return {name: about["budget"] for name, about in campaigns.items()}


def detect_as_nightly(settings: Settings, snapshot: Snapshot) -> Detection:
    """What `nightly` does with a night that is in the ledger, without a server: train when it is time, and detect."""
    write_snapshot(snapshot, settings.snapshots_dir / f"date={snapshot.date}")
    if is_due(settings, snapshot.date):
        with suppress(TooFewLabelsError):  # as a night goes on without: the default model ranks
            candidate = train(snapshot, seed=0, default=default_model(settings.default_model))
            promote_if_not_worse(Registry(settings.models_dir), candidate, snapshot)
    return detect_in(settings, snapshot)[1]


def _play(settings: Settings, snapshot: Snapshot, truth: pa.Table) -> DetectedNight:
    found = detect_as_nightly(settings, snapshot)
    candidates = find_candidates(settings, night=snapshot.date, policy=POLICY)
    listed = candidates.listed.values()
    return DetectedNight(
        snapshot,
        truth_about(snapshot, truth),
        pc.equal(found.accounts["fraud_label"], "suspicious").to_numpy(zero_copy_only=False),
        _is_among(snapshot, [each.account_id for each in listed if each.decided_by in RULES]),
        _is_among(snapshot, [each.account_id for each in listed if each.decided_by not in RULES]),
        _is_among(snapshot, list(candidates.contested)),
        _group(snapshot, found, "suspicious"),
        _group(snapshot, found, "clear"),
    )


def _is_among(snapshot: Snapshot, account_ids: list[str]) -> np.ndarray:
    is_in = pc.is_in(snapshot.accounts["id"], pa.array(account_ids, pa.string()))
    return np.asarray(is_in.to_numpy(zero_copy_only=False))


def _group(snapshot: Snapshot, found: Detection, fraud_label: str) -> np.ndarray:
    """Number of the group of this label, `[n_accounts] int64`, -1 outside."""
    labelled = found.rings.filter(pc.equal(found.rings["fraud_label"], fraud_label))["ring_id"]
    group = np.full(snapshot.n_accounts, -1, dtype=np.int64)
    codes = pc.index_in(found.members["ring_id"], value_set=labelled.combine_chunks()).fill_null(-1).to_numpy()
    group[snapshot.account_codes(found.members["account_id"])] = codes
    return group
