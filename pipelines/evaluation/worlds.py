"""Plays the nights of a simulated world against the detector, and judges it beside every baseline.

Nights come in order, each with the labels known by then; a model is fitted when one is due. All goes by the steps of a
night, but for the graph in Neo4j, of which a snapshot is a copy that a test compares.
"""

import json
import logging
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.models.common.errors import TooFewLabelsError
from ringwatch.models.data.snapshot import Snapshot, write_snapshot
from ringwatch.models.data.truth import Truth
from ringwatch.models.evaluation.world import DetectedNight, evaluate_detection, evaluate_ranking, rank_night
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.registry.model import TrainedModel
from ringwatch.models.registry.store import Registry
from ringwatch.models.scoring.detection import Detection
from ringwatch.models.training.promotion import promote_if_not_worse
from ringwatch.models.training.training import train
from ringwatch.pipelines.ban_list.rules.candidates import find_candidates
from ringwatch.pipelines.ban_list.rules.entries import RULES
from ringwatch.pipelines.ban_list.rules.policy import POLICY
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.evaluation.framing import framing_of
from ringwatch.pipelines.evaluation.label_curve import LabelPoint, label_curve
from ringwatch.pipelines.evaluation.measure import put_world_in_ledger, truth_about, world_elsewhere
from ringwatch.pipelines.evaluation.others import days_of_world, read_truth_of_others
from ringwatch.pipelines.nightly.detect import detect_in
from ringwatch.pipelines.nightly.nightly import is_due
from ringwatch.pipelines.nightly.offline import put_in_ledger
from ringwatch.pipelines.nightly.snapshot import compute_snapshot
from ringwatch.pipelines.review.analyst import review_as_analyst
from ringwatch.pipelines.simulate.nights import nights_of, simulate
from ringwatch.pipelines.simulate.population.world import Arguments
from ringwatch.pipelines.simulate.truth import read_truth

_log = logging.getLogger(__name__)


def evaluate_world(arguments: Arguments, *, n_reviews: int = 0, with_label_curve: bool = False) -> dict[str, Any]:
    """All metrics of one simulated world: those of the last night, and how long each campaign went unseen.

    `n_reviews` questions of the queue are answered after each night, by an analyst who is right 95 times in 100.
    `with_label_curve`, the last night is also judged by how many fakes are known.
    """
    with tempfile.TemporaryDirectory(prefix="ringwatch-evaluation-") as folder:
        settings, world = Settings(home=Path(folder) / "home"), Path(folder) / "world"  # type: ignore[call-arg]
        _log.info("simulating and checking the world of seed %s", arguments.seed)
        simulate(arguments, world)
        put_world_in_ledger(settings, world)
        _, first, last = nights_of(world)
        days = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
        nights = _play_nights(settings, days, read_truth(world), n_reviews=n_reviews)
        report = {
            "name": f"seed {arguments.seed}",
            "seed": arguments.seed,
            "scenario": arguments.scenario,
            **_judge(nights),
            "evasion_budgets": _evasion_budgets(world),
            "framing": framing_of(nights, read_truth(world)),
        }
        if nights[-1].truth.is_fake.any():
            elsewhere = world_elsewhere(arguments)
            report["ranking"] = _rank(settings, nights[-1], elsewhere, seed=arguments.seed)
            report["label_curve"] = _label_curve(settings, nights[-1]) if with_label_curve else []
        return report


def evaluate_world_of_others(
    world: Path, *, n_nights: int, n_reviews: int = 0, with_label_curve: bool = False
) -> dict[str, Any]:
    """The same of a world that others made, of its last nights; there is no other world for an oracle to learn from.

    Raises:
        RingwatchError: the folder lacks a landing zone or its truth, or the truth lacks an account.
    """
    truth, days = read_truth_of_others(world), days_of_world(world)
    with tempfile.TemporaryDirectory(prefix="ringwatch-evaluation-") as home:
        settings = Settings(home=Path(home))  # type: ignore[call-arg]
        _log.info("checking the %s days of %s", len(days), world)
        put_in_ledger(settings, world / "landing", days)
        nights = _play_nights(settings, days[-n_nights:], truth, n_reviews=n_reviews)
        report = {"name": world.resolve().name, "seed": None, "scenario": "of others", **_judge(nights)}
        if nights[-1].truth.is_fake.any():
            report["ranking"] = _rank(settings, nights[-1], None, seed=0)
            report["first_night"] = _rank_first(settings, nights)
            report["label_curve"] = _label_curve(settings, nights[-1]) if with_label_curve else []
        return report


def _play_nights(settings: Settings, days: Sequence[date], truth: pa.Table, *, n_reviews: int) -> list[DetectedNight]:
    nights = []
    for number, day in enumerate(days, 1):
        _log.info("night %s of %s, %s", number, len(days), day)
        nights.append(_play(settings, compute_snapshot(settings, day), truth))
        if n_reviews:
            review_as_analyst(settings, nights[-1].snapshot, nights[-1].truth, n_questions=n_reviews)
    return nights


def _judge(nights: Sequence[DetectedNight]) -> dict[str, Any]:
    return {
        "n_accounts": nights[-1].snapshot.n_accounts,
        **evaluate_detection(nights),
        "evasion_budgets": {},
        "framing": [],
        "ranking": {},
        "label_curve": [],
    }


def _rank(
    settings: Settings, night: DetectedNight, elsewhere: tuple[Snapshot, Truth] | None, *, seed: int
) -> dict[str, Any]:
    _log.info("baselines, on %s", night.snapshot.date)
    return evaluate_ranking(night, _model_of(settings, night.snapshot.date), elsewhere, seed=seed)


def _rank_first(settings: Settings, nights: Sequence[DetectedNight]) -> dict[str, Any]:
    """Ours and the baselines of the first night that a model was trained in; of the first, where none was."""
    registry = Registry(settings.models_dir)
    trained = (each for each in nights if registry.champion_as_of(each.snapshot.date))
    night = next(trained, nights[0])
    return {
        "date": night.snapshot.date.isoformat(),
        **rank_night(night, _model_of(settings, night.snapshot.date), seed=0),
    }


def _label_curve(settings: Settings, night: DetectedNight) -> list[LabelPoint]:
    return label_curve(night.snapshot, night.truth, default_model(settings.default_model), seed=0)


def _model_of(settings: Settings, night: date) -> TrainedModel:
    """The champion as of a night, or the default model."""
    registry = Registry(settings.models_dir)
    champion = registry.champion_as_of(night)
    return registry.load(champion) if champion else default_model(settings.default_model)


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
        found.accounts["fraud_score"].to_numpy(),
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
