from dataclasses import replace

import numpy as np
import pytest

from models.detection import detect
from models.structural import STRUCTURAL_THRESHOLDS, structural_scores
from tests.shared_world import merged, ring_shares, shared_world
from tests.worlds import planted_world

pytestmark = pytest.mark.unit


def scores(shares: dict) -> dict[str, float]:
    snapshot = shared_world(shares, others=["alone"])
    found = structural_scores(snapshot)
    assert ((found >= 0) & (found <= 1)).all()
    return dict(zip(snapshot.accounts["id"].to_pylist(), found.tolist(), strict=True))


def people(n: int, prefix: str = "p") -> list[str]:
    return [f"{prefix}{i}" for i in range(n)]


def test_who_shares_nothing_scores_nothing() -> None:
    assert scores({"PAID_WITH": {"c": ["ann", "bob"]}})["alone"] == 0


def test_a_carriers_address_and_a_free_mail_domain_score_nothing() -> None:
    found = scores({"USED_IP": {"nat": people(5000)}, "HAS_EMAIL_DOMAIN": {"mail.example": people(5000)}})
    assert max(found.values()) == 0


def test_two_independent_kinds_score_more_than_twice_one() -> None:
    found = scores({"PAID_WITH": {"c": ["ann", "bob"], "c2": ["eve", "joe"]}, "USED_DEVICE": {"d": ["ann", "bob"]}})
    assert found["ann"] > 2 * found["eve"] > 0


def test_a_ring_scores_above_a_family_and_a_campus() -> None:
    family = {"PAID_WITH": {"joint": ["mum", "dad"]}, "USED_IP": {"home": ["mum", "dad", "kid"]}}
    campus = {"USED_IP": {"campus": people(50, "student")}}
    ring = {"USED_IP": {f"vpn{i}": people(8)[i::2] for i in range(2)}}
    found = scores(merged(ring_shares(people(8)), ring, family, campus))
    least_of_ring = min(found[member] for member in people(8))
    assert least_of_ring > 2 * found["mum"]
    assert least_of_ring > 10 * found["student7"]


def test_planted_rings_rank_first() -> None:
    world = planted_world()
    found = structural_scores(world.snapshot)
    top = np.argsort(-found)[: world.is_fake.sum()]
    assert world.is_fake[top].mean() > 0.95


def test_structural_is_never_suspicious_whatever_the_score() -> None:
    world = planted_world()
    snapshot = replace(world.snapshot, labels=world.snapshot.labels.slice(0, 0))
    for scores_ in (structural_scores(snapshot), np.ones(snapshot.n_accounts)):
        found = detect(snapshot, scores_, thresholds=STRUCTURAL_THRESHOLDS, previous=None, is_structural=True)
        assert found.rings.num_rows
        assert "suspicious" not in found.accounts["fraud_label"].to_pylist() + found.rings["fraud_label"].to_pylist()


def test_structural_says_so() -> None:
    snapshot = shared_world(ring_shares(people(8)))
    found = detect(
        snapshot,
        np.full(8, 0.9),
        thresholds=STRUCTURAL_THRESHOLDS,
        previous=None,
        is_structural=True,
    )
    for reasons in found.accounts["reasons"].to_pylist() + found.rings["reasons"].to_pylist():
        assert "too few labels" in reasons[-1]
        assert len(reasons) <= 5
