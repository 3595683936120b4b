import numpy as np
import pytest

from ringwatch.models.evaluation.faithfulness import faithfulness
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.scoring.scoring import score
from ringwatch.pipelines.evaluation.measure import world_of
from ringwatch.pipelines.simulate import Arguments


@pytest.fixture(scope="module")
def snapshot():
    return world_of(Arguments(10_000, 2, 30, 11, "disclosure"))[0]


def test_scores_rest_on_the_evidence_that_is_named(snapshot):
    suspicious = score(default_model(), snapshot).fake >= default_model().thresholds.suspicious
    found = faithfulness(default_model(), snapshot, suspicious, seed=0)
    assert found["n_accounts"] >= 20
    assert found["fall_named"] > 3 * max(found["fall_random"], 0.1)
    assert found["share_named_falls_more"] > 0.5


def test_without_suspicious_accounts_there_is_nothing_to_measure(snapshot):
    nobody = np.zeros(snapshot.n_accounts, dtype=bool)
    assert faithfulness(default_model(), snapshot, nobody, seed=0)["n_accounts"] == 0
