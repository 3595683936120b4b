"""A rehearsal adds up, and the world answers to its lists."""

import pytest

from ringwatch.pipelines.ban_list.rules.policy import Policy
from ringwatch.pipelines.evaluation.rehearsal import rehearse
from ringwatch.pipelines.simulate import Arguments

pytestmark = pytest.mark.simulation
WORLD = Arguments(3000, 1, 20, 5, "disclosure")
# Lists all that is suspicious at all, for a small world with the default model has few sure ones.
EAGER = Policy(version="eager", min_fraud_score=0.5, restrict_from=0.5, max_new_share=1.0, max_new_share_of_country=1.0)


def test_what_is_in_force_is_what_was_banned_and_not_lifted():
    nights = rehearse(WORLD, EAGER, n_nights=3, n_reviews=20)
    assert len(nights) == 3
    in_force = 0
    for night in nights:
        in_force += night.n_banned - night.n_lifted
        assert night.n_in_force == in_force
        assert night.n_banned_wrongly <= night.n_banned
        assert not night.is_over_caps
    assert nights[-1].n_in_force > nights[-1].n_in_force_wrongly
    assert all(night.n_leaked_requests > 0 for night in nights)


def test_above_the_caps_nothing_goes_out_and_the_world_goes_on():
    policy = Policy(version="capped", min_fraud_score=0.5, max_new=0, max_new_share=1.0)
    nights = rehearse(WORLD, policy, n_nights=2, n_reviews=20)
    assert nights[-1].is_over_caps or nights[-1].n_banned
    assert sum(night.n_banned for night in nights if night.is_over_caps) == 0
