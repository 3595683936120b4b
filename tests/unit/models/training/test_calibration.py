import numpy as np
import pytest
from scipy.special import expit

from ringwatch.models.common.metrics import calibration_error
from ringwatch.models.registry.model import Calibration
from ringwatch.models.training.calibration import LABEL_NOISE, calibrate, thresholds_of

pytestmark = pytest.mark.unit
START = Calibration(slope=2.0, intercept=-1.0)


def _platform(n, slope, intercept, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, n)
    is_fake = rng.random(n) < expit(slope * logits + intercept)
    return logits, is_fake ^ (rng.random(n) < 0.05)  # people err


def test_without_labels_the_calibration_stays_what_it_was():
    logits, is_fake = _platform(50, 1.0, 0.0)
    found = calibrate(logits, is_fake, np.zeros(50), start=START, label_noise=LABEL_NOISE)
    assert (found.slope, found.intercept) == pytest.approx((2.0, -1.0), abs=1e-3)


def test_few_labels_move_it_little_and_many_all_the_way():
    few, many = (
        calibrate(*_platform(n, 0.5, 1.0), np.ones(n), start=START, label_noise=LABEL_NOISE) for n in (10, 20_000)
    )
    assert abs(few.slope - START.slope) < 0.7 * abs(many.slope - START.slope)
    assert many.slope == pytest.approx(0.5, abs=0.05)
    assert many.intercept == pytest.approx(1.0, abs=0.1)


def test_without_a_start_the_labels_alone_settle_it():
    logits, is_fake = _platform(20_000, 1.5, -2.0)
    found = calibrate(logits, is_fake, np.ones(20_000), label_noise=LABEL_NOISE)
    assert (found.slope, found.intercept) == pytest.approx((1.5, -2.0), abs=0.15)


def test_a_ranking_that_is_wrong_way_round_is_never_turned():
    logits, is_fake = _platform(2000, -1.0, 0.0)
    assert calibrate(logits, is_fake, np.ones(2000), label_noise=LABEL_NOISE).slope > 0


def test_above_a_threshold_the_probabilities_promise_its_precision():
    probability = np.random.default_rng(0).beta(0.1, 2, 20_000)
    thresholds = thresholds_of(probability)
    assert probability[probability >= thresholds.suspicious].mean() == pytest.approx(0.95, abs=0.01)
    assert probability[probability >= thresholds.watch].mean() == pytest.approx(0.5, abs=0.02)
    assert thresholds.watch < thresholds.suspicious


def test_thresholds_keep_their_floor_and_order():
    for probability in (np.full(100, 0.99), np.full(100, 0.01), np.linspace(0, 1, 100)):
        thresholds = thresholds_of(probability)
        assert 0.5 <= thresholds.suspicious <= 1
        assert 0.1 <= thresholds.watch <= thresholds.suspicious


def test_calibration_error_of_known_probabilities():
    probability = np.full(100, 0.25)
    is_fake = np.arange(100) % 4 == 0
    assert calibration_error(is_fake, probability, np.ones(100), n_bins=1) == pytest.approx(0)
    assert calibration_error(is_fake, probability + 0.5, np.ones(100), n_bins=1) == pytest.approx(0.5)
