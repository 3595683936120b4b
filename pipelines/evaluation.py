"""Plays the nights of a simulated world against the detector, and judges it beside every baseline.

Nights come in order, each with the labels known by then; a model is fitted when one is due. All goes by the steps of a
night, but for the graph in Neo4j, of which a snapshot is a copy that a test compares.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.baselines import boosted_scores, propagated_labels
from models.components import accused_by_component
from models.default_model import default_model
from models.detection import Detection
from models.difficulty import Truth, oracle_scores
from models.evaluation import (
    account_metrics,
    campaigns_found,
    large_campaigns,
    paired_bootstrap,
    precision_recall,
    reliability,
    ring_metrics,
)
from models.faithfulness import faithfulness
from models.fraudar import fraudar_scores
from models.labels import known_labels
from models.promotion import promote_if_not_worse
from models.registry import Registry
from models.rewiring import shuffled, without_edges
from models.scoring import score
from models.snapshot import Snapshot, write_snapshot
from models.training import train
from pipelines.ban_list.candidates import find_candidates
from pipelines.ban_list.policy import POLICY
from pipelines.detect import detect_in
from pipelines.settings import Settings
from pipelines.simulate.measure import put_world_in_ledger, truth_about, world_of
from pipelines.simulate.nights import nights_of, simulate
from pipelines.simulate.truth import read_truth
from pipelines.simulate.world import Arguments
from pipelines.snapshot import compute_snapshot

Say = Callable[[str], None]
_OTHER_WORLD = 1000  # added to a seed, for the world that the oracle learns from


@dataclass(frozen=True)
class _Night:
    snapshot: Snapshot
    truth: Truth
    is_suspicious: np.ndarray  # [n_accounts] bool
    is_banned: np.ndarray  # by the detector's word
    is_decided: np.ndarray  # banned by a person's
    ring: np.ndarray  # [n_accounts] int64 of suspicious rings, -1 outside


def evaluate_world(arguments: Arguments, say: Say = lambda _: None) -> dict[str, Any]:
    """All metrics of one world: those of the last night, and how long each campaign went unseen."""
    with tempfile.TemporaryDirectory(prefix="ringwatch-evaluation-") as folder:
        settings, world = Settings(home=Path(folder) / "home"), Path(folder) / "world"  # type: ignore[call-arg]
        say(f"simulating and checking the world of seed {arguments.seed}")
        simulate(arguments, world)
        put_world_in_ledger(settings, world)
        truth, nights = read_truth(world), []
        _, first, last = nights_of(world)
        for offset in range((last - first).days + 1):
            say(f"seed {arguments.seed}, night {offset + 1} of {(last - first).days + 1}")
            nights.append(_play(settings, compute_snapshot(settings, first + timedelta(days=offset)), truth))
        return {
            "seed": arguments.seed,
            "scenario": arguments.scenario,
            "n_accounts": nights[-1].snapshot.n_accounts,
            **_judge_detection(nights),
            "evasion_budgets": _evasion_budgets(world),
            "ranking": _judge_ranking(settings, nights[-1], arguments, say) if nights[-1].truth.is_fake.any() else {},
        }


def _evasion_budgets(world: Path) -> dict[str, float]:
    """Of each campaign the share of what it would share that it buys afresh; all 0 but in the scenario `evasion`."""
    campaigns = json.loads((world / "world.json").read_text())["campaigns"]
    return {name: about["budget"] for name, about in campaigns.items()}


def _play(settings: Settings, snapshot: Snapshot, truth: pa.Table) -> _Night:
    registry = Registry(settings.models_dir)
    write_snapshot(snapshot, settings.snapshots_dir / f"date={snapshot.date}")
    if _is_due(registry, snapshot, settings.train_every_days):
        promote_if_not_worse(registry, train(snapshot, seed=0), snapshot)
    _, found = detect_in(settings, snapshot, lambda _: None)
    listed = find_candidates(settings, night=snapshot.date, policy=POLICY).listed.values()
    return _Night(
        snapshot,
        truth_about(snapshot, truth),
        pc.equal(found.accounts["fraud_label"], "suspicious").to_numpy(zero_copy_only=False),
        _is_among(snapshot, [each.account_id for each in listed if each.decided_by.startswith("rule")]),
        _is_among(snapshot, [each.account_id for each in listed if not each.decided_by.startswith("rule")]),
        _suspicious_ring(snapshot, found),
    )


def _is_among(snapshot: Snapshot, account_ids: list[str]) -> np.ndarray:
    is_in = pc.is_in(snapshot.accounts["id"], pa.array(account_ids, pa.string()))
    return np.asarray(is_in.to_numpy(zero_copy_only=False))


def _is_due(registry: Registry, snapshot: Snapshot, every_days: int) -> bool:
    labels = known_labels(snapshot)
    enough = labels.is_fake.sum() >= 20 and (labels.target == 0).sum() >= 20
    days = [stored.snapshot_date for stored in registry.list_models()]
    return bool(enough) and (not days or str(snapshot.date - timedelta(days=every_days)) >= max(days))


def _suspicious_ring(snapshot: Snapshot, found: Detection) -> np.ndarray:
    suspicious = found.rings.filter(pc.equal(found.rings["fraud_label"], "suspicious"))["ring_id"]
    ring = np.full(snapshot.n_accounts, -1, dtype=np.int64)
    codes = pc.index_in(found.members["ring_id"], value_set=suspicious.combine_chunks()).fill_null(-1).to_numpy()
    ring[snapshot.account_codes(found.members["account_id"])] = codes
    return ring


def _codes(names: np.ndarray) -> np.ndarray:
    return np.asarray(np.unique(names, return_inverse=True)[1])


def _judge_detection(nights: list[_Night]) -> dict[str, Any]:
    """Rings, campaigns, harm and time, as of the last night."""
    last, truth = nights[-1], nights[-1].truth
    is_ordinary = truth.is_judged & ~truth.is_fake
    return {
        "labels_known": {
            "fake": int(known_labels(last.snapshot).is_fake.sum()),
            "legitimate": int((known_labels(last.snapshot).target == 0).sum()),
        },
        "suspicious": {
            "fakes": int((last.is_suspicious & truth.is_fake).sum()),
            "ordinary": int((last.is_suspicious & is_ordinary).sum()),
        },
        "banned": {
            "fakes": int((last.is_banned & truth.is_fake).sum()),
            "ordinary": int((last.is_banned & is_ordinary).sum()),
        },
        "banned_by_a_person": {
            "fakes": int((last.is_decided & truth.is_fake).sum()),
            "ordinary": int((last.is_decided & is_ordinary).sum()),
        },
        "harm_by_kind": _by_kind(truth, is_ordinary, last),
        "rings": {
            "against_campaigns": ring_metrics(last.ring, truth.is_fake, _codes(truth.campaign), truth.campaign),
            "against_groups": ring_metrics(last.ring, truth.is_fake, truth.group, truth.campaign),
        },
        "campaigns": _campaigns(nights),
    }


def _by_kind(truth: Truth, is_ordinary: np.ndarray, night: _Night) -> dict[str, dict[str, int]]:
    return {
        str(kind): {
            "accounts": int((is_ordinary & (truth.kind == kind)).sum()),
            "suspicious": int((is_ordinary & (truth.kind == kind) & night.is_suspicious).sum()),
            "banned": int((is_ordinary & (truth.kind == kind) & night.is_banned).sum()),
        }
        for kind in np.unique(truth.kind[is_ordinary])
    }


def _campaigns(nights: list[_Night]) -> dict[str, dict[str, Any]]:
    """For each campaign its active members, the share found by the last night, and nights from first sight to found.

    A campaign that was active before the first night could not be found earlier than in it.
    """
    found = [campaigns_found(each.is_suspicious, each.truth.is_fake, each.truth.campaign) for each in nights]
    large = large_campaigns(nights[-1].truth.is_fake, nights[-1].truth.campaign)
    labelled = _labelled_kinds(nights[-1])
    campaigns = {}
    for name in found[-1]:
        of_it = nights[-1].truth.campaign == name
        seen = [night for night, each in enumerate(found) if name in each]
        caught = [night for night in seen if found[night][name] >= 0.5]
        kind = str(nights[-1].truth.kind[of_it][0])
        campaigns[name] = {
            "kind": kind,
            "n_active": int((nights[-1].truth.is_fake & of_it).sum()),
            "is_large": name in large,
            "type_was_labelled": kind in labelled,
            "share_suspicious_by_night": [night.get(name) for night in found],
            "nights_to_found": caught[0] - seen[0] + 1 if caught else None,
        }
    return campaigns


def _labelled_kinds(night: _Night) -> set[str]:
    is_known_fake = known_labels(night.snapshot).is_fake & night.truth.is_fake
    return set(night.truth.kind[is_known_fake].tolist())


def _judge_ranking(settings: Settings, night: _Night, arguments: Arguments, say: Say) -> dict[str, Any]:
    """Ours, every baseline and both honesty checks, on the accounts of the last night that are not yet labelled."""
    snapshot, truth, labels = night.snapshot, night.truth, known_labels(night.snapshot)
    registry = Registry(settings.models_dir)
    champion = registry.champion()
    model, seed = registry.load(champion) if champion else default_model(), arguments.seed
    say(f"seed {seed}: baselines")
    elsewhere, truth_elsewhere = world_of(replace(arguments, seed=seed + _OTHER_WORLD), say)
    scores = {
        "ours": score(model, snapshot).fake,
        "ours, edges shuffled": score(model, shuffled(snapshot, seed=seed)).fake,
        "ours, no edges": score(model, without_edges(snapshot)).fake,
        "trees, neighbour aggregates": boosted_scores(snapshot, labels.is_known, has_neighbours=True, seed=seed),
        "trees, account features": boosted_scores(snapshot, labels.is_known, has_neighbours=False, seed=seed),
        "label propagation": propagated_labels(snapshot, labels),
        "Fraudar": fraudar_scores(snapshot),
        "components": accused_by_component(snapshot, labels.is_fake, max_sharing=100).astype(np.float64),
        "oracle": oracle_scores(snapshot, truth, elsewhere, truth_elsewhere, seed=seed),
    }
    rows = truth.is_judged & ~labels.is_known
    is_fake = truth.is_fake[rows]
    return {
        "metrics": {name: account_metrics(is_fake, values[rows]) for name, values in scores.items()},
        "precision_recall": {name: precision_recall(is_fake, values[rows]) for name, values in scores.items()},
        "reliability": reliability(is_fake, scores["ours"][rows]),
        "evidence": faithfulness(model, snapshot, night.is_suspicious & ~labels.is_known, seed=seed),
        "ours_less_trees": paired_bootstrap(
            is_fake, scores["ours"][rows], scores["trees, neighbour aggregates"][rows], seed=seed
        ),
    }
