import numpy as np
import pytest

from ringwatch.models.common.metrics import paired_bootstrap
from ringwatch.models.training.stacking import stack_weights

pytestmark = pytest.mark.unit


def _parts(n: int, n_fakes: int) -> tuple[np.ndarray, np.ndarray]:
    """A part that tells fakes, and one that is noise; on unlike scales."""
    rng = np.random.default_rng(0)
    is_fake = np.arange(n) < n_fakes
    good, noise = rng.normal(size=n) + 2.5 * is_fake, 10 * rng.normal(size=n)
    return np.stack([good, noise]), is_fake


def _shares(logits: np.ndarray, weights: np.ndarray) -> np.ndarray:
    on_one_scale = weights * logits.std(axis=1)
    return np.asarray(on_one_scale / on_one_scale.sum())


def test_few_labels_leave_the_weights_nearly_equal():
    logits, is_fake = _parts(60, 8)
    shares = _shares(logits, stack_weights(logits, is_fake, np.ones(60)))
    np.testing.assert_allclose(shares, 0.5, atol=0.1)


def test_thousands_of_labels_silence_a_part_that_is_noise():
    logits, is_fake = _parts(20_000, 2000)
    shares = _shares(logits, stack_weights(logits, is_fake, np.ones(20_000)))
    assert shares[0] > 0.9


def test_no_part_counts_against_itself():
    """One that ranks the wrong way round is left out, not turned round."""
    logits, is_fake = _parts(20_000, 2000)
    turned = -logits[0] + np.random.default_rng(1).normal(size=20_000)
    weights = stack_weights(np.stack([logits[0], logits[1], turned]), is_fake, np.ones(20_000))
    assert (weights >= 0).all()
    assert weights[2] < 0.3 * weights[0]


def test_fakes_of_one_ring_are_one_observation():
    """Two rings, each ranked by one model only: by accounts the difference looks certain, by rings it is open."""
    is_fake = np.repeat([True, False], [40, 400])
    ring = np.concatenate([np.repeat([0, 1], [30, 10]), np.arange(2, 402)])
    ours, theirs = np.zeros(440), np.zeros(440)
    ours[:30], theirs[30:40] = 1.0, 1.0
    by_accounts = paired_bootstrap(is_fake, ours, theirs, seed=0)
    by_rings = paired_bootstrap(is_fake, ours, theirs, seed=0, group=ring)
    assert by_rings["standard_error"] > 3 * by_accounts["standard_error"]
    assert by_rings["average_precision"] == by_accounts["average_precision"]
