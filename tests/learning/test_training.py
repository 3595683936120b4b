import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from models.errors import TooFewLabelsError
from models.labels import known_labels
from models.metrics import calibration_error, lowest_cut
from models.scoring import score
from models.training import train
from tests.worlds import planted_world, rewired, with_labels


@pytest.fixture(scope="module")
def world():
    return planted_world(n_ordinary=400)


@pytest.fixture(scope="module")
def candidate(world):
    return train(world.snapshot, seed=0)


def _unlabelled_ap(world, scores):
    rows = ~known_labels(world.snapshot).is_known
    return average_precision_score(world.is_fake[rows], scores[rows])


def test_rings_without_a_label_are_found(world, candidate):
    scores = score(candidate.model, world.snapshot)
    assert _unlabelled_ap(world, scores) > 0.9
    assert candidate.model.metrics["average_precision"] > 0.7  # one network each, where the scores are of all


def test_scores_are_probabilities(world, candidate):
    scores = score(candidate.model, world.snapshot)
    assert scores.dtype == np.float64
    assert scores.shape == (world.snapshot.n_accounts,)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert candidate.model.metrics["calibration_error"] < 0.05


def test_thresholds_keep_their_floor_and_order(candidate):
    thresholds = candidate.model.thresholds
    assert 0.5 <= thresholds.suspicious <= 1
    assert 0.1 <= thresholds.watch <= thresholds.suspicious


def test_shuffled_edges_lose(world):
    shuffled = rewired(world.snapshot)
    assert _unlabelled_ap(world, score(train(shuffled, seed=0).model, shuffled)) < 0.6


def test_training_again_gives_the_same_bits_and_tells_how_far_it_is(world, monkeypatch):
    monkeypatch.setattr("models.training._N_EPOCHS", 6)  # bits differ from the first step on, if they do
    shares: list[float] = []
    first, again = (train(world.snapshot, seed=0, progress=shares.append) for _ in range(2))
    shares = shares[len(shares) // 2 :]
    np.testing.assert_array_equal(score(again.model, world.snapshot), score(first.model, world.snapshot))
    np.testing.assert_array_equal(again.held_out, first.held_out)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_too_few_labels_say_how_many_there_are(world):
    with pytest.raises(TooFewLabelsError, match="0 fake and 0 legitimate accounts are known"):
        train(with_labels(world.snapshot, np.array([], dtype=np.int64)), seed=0)


def test_fakes_of_one_ring_are_too_few_rings_to_hold_any_out():
    world = planted_world(n_rings=1, ring_size=40, labelled=1.0, n_ordinary=300)
    with pytest.raises(TooFewLabelsError, match="in 1 rings"):
        train(world.snapshot, seed=0)


def test_the_lowest_cut_with_a_precision():
    score_ = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])
    is_fake = np.array([1, 1, 1, 1, 1, 0, 0])
    weight = np.ones(7)
    assert lowest_cut(is_fake, score_, weight, precision=1.0) == 0.5
    assert lowest_cut(is_fake, score_, weight, precision=0.8) == 0.4
    assert lowest_cut(1 - is_fake, score_, weight, precision=0.95) is None


def test_a_cut_never_parts_equal_scores():
    score_ = np.array([0.9, 0.9, 0.9, 0.9, 0.9, 0.9])
    assert lowest_cut(np.array([1, 1, 1, 1, 1, 0]), score_, np.ones(6), precision=0.95) is None


def test_calibration_error_of_known_probabilities():
    probability = np.full(100, 0.25)
    is_fake = np.arange(100) % 4 == 0
    assert calibration_error(is_fake, probability, np.ones(100), n_bins=1) == pytest.approx(0)
    assert calibration_error(is_fake, probability + 0.5, np.ones(100), n_bins=1) == pytest.approx(0.5)
