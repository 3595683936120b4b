from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tests.builders.worlds import planted_world

from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.links import Links
from ringwatch.models.ensemble.evidence import SharedEvidence
from ringwatch.models.ensemble.parts import fit_part, part_logits
from ringwatch.models.ensemble.smoothing import smoothed
from ringwatch.models.ensemble.stack import CrossFit, Stack
from ringwatch.models.ensemble.surprise import pair_surprise
from ringwatch.models.ensemble.trees import Trees
from ringwatch.models.gnn.hetero import PAIR, to_hetero_data
from ringwatch.models.registry.artifact import read_model, version_of, write_model
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.registry.model import OwnNetworks
from ringwatch.models.scoring.scoring import score
from ringwatch.models.scoring.stacked import stack_inputs, stacked_logits

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def world():
    return planted_world()


@pytest.fixture(scope="module")
def data(world):
    return to_hetero_data(world.snapshot)


@pytest.fixture(scope="module")
def inputs(world, data):
    return stack_inputs(default_model().members, default_model().stack.pretrained, data, known_labels(world.snapshot))


@pytest.fixture(scope="module")
def stack(world, inputs):
    ones = np.ones(world.is_fake.size)
    parts = tuple(fit_part(name, each, world.is_fake, ones, seed=0) for name, each in inputs.of_parts.items())
    return Stack(default_model().stack.pretrained, parts, (0.1, 0.1, 0.3, 0.3, 0.2), smoothing=0.5)


def test_sharing_what_few_share_is_more_surprising_than_what_many_share(data):
    """Of one kind, by the rarity of what a pair shares; and nothing shared is no surprise."""
    column = dict(zip(data[PAIR].inputs, data[PAIR].edge_attr.numpy().T, strict=True))
    surprise = pair_surprise(data)["device"]
    one_shared = np.isclose(np.expm1(column["USED_DEVICE.n"]), 1, atol=1e-3)
    rarity = column["USED_DEVICE.rarity"]
    rare, common = one_shared & (rarity == rarity[one_shared].max()), one_shared & (rarity == rarity[one_shared].min())
    assert rarity[rare][0] > rarity[common][0]
    assert surprise[rare].min() > surprise[common].max()
    assert (surprise[column["USED_DEVICE.n"] == 0] == 0).all()


def test_the_same_parts_grow_from_the_same_labels_and_seed(world, inputs, stack):
    ones = np.ones(world.is_fake.size)
    assert fit_part("network", inputs.of_parts["network"], world.is_fake, ones, seed=0) == stack.fitted[0]


def test_every_part_ranks_accounts_it_has_not_learnt_from(world, inputs):
    is_training = np.random.default_rng(0).random(world.is_fake.size) < 0.5
    for name, columns in inputs.of_parts.items():
        part = fit_part(name, columns, world.is_fake, is_training.astype(float), seed=0)
        [logits] = part_logits([part], inputs.of_parts, np.flatnonzero(~is_training))
        assert roc_auc_score(world.is_fake[~is_training], logits) > 0.8


def test_a_labels_change_moves_no_input_of_a_stack(world, data, inputs):
    """Inputs are made with every label hidden."""
    labels = known_labels(world.snapshot)
    flipped = labels._replace(target=np.where(labels.is_known, 1 - labels.target, -1).astype(np.int8))
    again = stack_inputs(default_model().members, default_model().stack.pretrained, data, flipped)
    for name, columns in inputs.of_parts.items():
        np.testing.assert_array_equal(again.of_parts[name].values, columns.values)


def test_a_stack_comes_back_from_its_files_as_it_was(world, stack, tmp_path):
    default = default_model()
    copies = tuple(
        replace(member, weights={name: each.clone() for name, each in member.weights.items()})
        for member in default.members
    )
    own = OwnNetworks(copies, Trees(stack.fitted[0].model_strings, 0.25))
    cross_fit = CrossFit((stack.fitted[::-1], stack.fitted), salt=7)
    model = replace(default, stack=replace(stack, weights=(*stack.weights, 0.1), cross_fit=cross_fit), own=own)
    write_model(model, tmp_path)
    read = read_model(tmp_path)
    assert read.stack == model.stack
    assert version_of(read) == version_of(model) != version_of(default_model())
    np.testing.assert_array_equal(score(read, world.snapshot).fake, score(model, world.snapshot).fake)


def test_parts_count_by_their_weights(inputs, stack):
    alone = replace(stack, weights=(0.0, 0.0, 0.0, 1.0, 0.0), smoothing=0.0)
    _, second, _ = part_logits(stack.fitted, inputs.of_parts)
    np.testing.assert_allclose(stacked_logits(alone, inputs), second)


def test_smoothing_spreads_over_links_that_share_more_than_a_network():
    """And only to the account that hears."""
    links = Links(np.array([1, 3]), np.array([0, 2]), np.array([1.0, 1.0]), 5)
    shared = SharedEvidence({}, np.array([1, 1]), n_beyond_network=np.array([1, 0]))
    logits = np.array([4.0, 0.0, 4.0, 0.0, 1.0])
    of_all = smoothed(logits, links, shared, strength=1.0)
    assert of_all[1] > 2.0
    np.testing.assert_array_equal(np.delete(of_all, 1), np.delete(logits, 1))
    np.testing.assert_array_equal(smoothed(logits, links, shared, strength=0.0), logits)
