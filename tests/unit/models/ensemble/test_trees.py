import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tests.builders.worlds import planted_world

from ringwatch.models.ensemble.trees import fit_trees, predict_tree_logits, tree_inputs
from ringwatch.models.features.account import Columns
from ringwatch.models.gnn.hetero import to_hetero_data

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def world():
    return planted_world()


@pytest.fixture(scope="module")
def inputs(world):
    return tree_inputs(to_hetero_data(world.snapshot))


@pytest.fixture(scope="module")
def fitted(world, inputs):
    return fit_trees(inputs, world.is_fake, np.ones(world.is_fake.size), seed=0)


def test_trees_learn_from_accounts_with_a_weight_alone(world, inputs, fitted):
    is_training = np.random.default_rng(0).random(world.is_fake.size) < 0.5
    lies = np.where(is_training, world.is_fake, ~world.is_fake)
    of_half = fit_trees(inputs, lies, is_training.astype(float), seed=0)
    assert roc_auc_score(world.is_fake[~is_training], predict_tree_logits((of_half,), inputs)[~is_training]) > 0.8


def test_the_same_labels_and_seed_grow_the_same_text(world, inputs, fitted):
    assert fit_trees(inputs, world.is_fake, np.ones(world.is_fake.size), seed=0) == fitted


def test_inputs_are_found_by_name_and_one_that_is_gone_is_unknown(inputs, fitted):
    order = np.random.default_rng(0).permutation(len(inputs.names))
    shuffled = Columns(tuple(inputs.names[i] for i in order), inputs.values[:, order])
    np.testing.assert_array_equal(predict_tree_logits((fitted,), shuffled), predict_tree_logits((fitted,), inputs))
    less = Columns(inputs.names[1:], inputs.values[:, 1:])
    assert np.isfinite(predict_tree_logits((fitted,), less)).all()


def test_who_shares_with_whom_reaches_the_trees(world, inputs):
    """Means over others do not contain the account itself, and an account that came first on all has none."""
    name = inputs.names[0]
    own, of_others = (inputs.values[:, inputs.names.index(each)] for each in (name, f"{name}~shares1"))
    in_ring = world.is_fake
    assert (of_others[in_ring] > 0).mean() > 0.8
    assert not np.allclose(own[in_ring], of_others[in_ring])
