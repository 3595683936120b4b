import numpy as np
import pytest
from tests.builders.snapshots import merged, ring_shares, rows_of, shared_world
from tests.builders.worlds import planted_world

from ringwatch.models.common.metrics import paired_bootstrap
from ringwatch.models.evaluation.fraudar import fraudar_scores
from ringwatch.models.evaluation.metrics import (
    account_metrics,
    campaigns_found,
    large_campaigns,
    ring_metrics,
)
from ringwatch.models.evaluation.rewiring import shuffled, without_edges

pytestmark = pytest.mark.unit
FAKE = np.array([True, True, True, True, False, False])
GROUP = np.array([0, 0, 1, 1, 2, 3])
CAMPAIGN = np.array(["a", "a", "b", "b", "", ""])


def test_rings_that_are_the_groups_are_perfect():
    found = ring_metrics(np.array([7, 7, 3, 3, -1, -1]), FAKE, GROUP, CAMPAIGN)
    assert (found["b_cubed_f1"], found["purity"], found["n_rings"]) == (1.0, 1.0, 2)


def test_one_ring_of_everybody_has_recall_and_no_precision():
    found = ring_metrics(np.zeros(6, dtype=int), FAKE, GROUP, CAMPAIGN)
    assert found["b_cubed_recall"] == 1.0
    assert found["b_cubed_precision"] == pytest.approx((4 * 2 / 6 + 2 / 6) / 6)
    assert found["purity"] == pytest.approx(2 / 6)


def test_no_ring_at_all_has_precision_and_half_the_recall_of_pairs():
    found = ring_metrics(np.full(6, -1), FAKE, GROUP, CAMPAIGN)
    assert (found["b_cubed_precision"], found["b_cubed_recall"], found["n_rings"]) == (1.0, 0.5, 0)


def test_a_world_without_fakes_or_rings_has_nothing_wrong():
    nobody = np.zeros(6, dtype=bool)
    assert ring_metrics(np.full(6, -1), nobody, GROUP, np.full(6, ""))["b_cubed_f1"] == 1.0


def test_recall_at_a_precision_is_the_most_that_any_cut_reaches():
    is_fake = np.array([True, True, False, True, False])
    found = account_metrics(is_fake, np.array([0.9, 0.8, 0.7, 0.6, 0.1]))
    assert found["recall_at_precision_99"] == pytest.approx(2 / 3)
    assert found["recall_at_k"] == pytest.approx(2 / 3)
    assert account_metrics(is_fake, np.array([0.1, 0.2, 0.9, 0.3, 0.4]))["recall_at_precision_99"] == 0


def test_a_campaign_is_found_by_the_share_of_its_fakes():
    suspicious = np.array([True, False, True, True, True, False])
    assert campaigns_found(suspicious, FAKE, CAMPAIGN) == {"a": 0.5, "b": 1.0}
    assert large_campaigns(np.ones(30, dtype=bool), np.repeat(["big", "small"], [20, 10])) == {"big"}


def test_the_better_of_two_rankings_leads_in_every_draw():
    rng = np.random.default_rng(0)
    is_fake = np.arange(400) % 10 == 0
    good, bad = is_fake + rng.normal(0, 0.3, 400), is_fake + rng.normal(0, 3, 400)
    lead = paired_bootstrap(is_fake, good, bad, seed=0)
    assert lead["average_precision"] > 3 * lead["standard_error"]
    assert lead["share_above_0"] == 1
    assert paired_bootstrap(is_fake, good, good, seed=0)["average_precision"] == 0


def test_fraudar_ranks_a_dense_block_above_people_who_share_a_hub():
    ring = [f"r{i}" for i in range(10)]
    crowd = {"USED_IP": {"nat": [*ring, *(f"z{i}" for i in range(300))]}}
    homes = {"USED_DEVICE": {f"home{i}": [f"z{i}", f"z{i + 1}"] for i in range(0, 300, 2)}}
    snapshot = shared_world(merged(ring_shares(ring), crowd, homes))
    scores = fraudar_scores(snapshot)
    others = np.setdiff1d(np.arange(snapshot.n_accounts), rows_of(snapshot, ring))
    assert scores[rows_of(snapshot, ring)].min() > scores[others].max()


def test_shuffling_keeps_what_each_account_has_and_loses_with_whom():
    snapshot = planted_world().snapshot
    dealt = shuffled(snapshot, seed=0)
    before, after = (np.bincount(each.ends["USED_DEVICE"].start) for each in (snapshot, dealt))
    assert np.abs(before - after).max() <= 1
    pairs = [set(zip(*each.ends["USED_DEVICE"], strict=True)) for each in (snapshot, dealt)]
    assert len(pairs[0] & pairs[1]) < 0.1 * len(pairs[0])


def test_without_edges_nobody_shares_anything_and_everybody_has_as_much():
    snapshot = planted_world().snapshot
    alone = without_edges(snapshot)
    for type_ in ("USED_DEVICE", "PAID_WITH", "USED_IP"):
        assert np.bincount(alone.ends[type_].end).max() == 1
        np.testing.assert_array_equal(np.bincount(alone.ends[type_].start), np.bincount(snapshot.ends[type_].start))
    assert alone.relationships["SENT_MONEY_TO"].num_rows == 0
