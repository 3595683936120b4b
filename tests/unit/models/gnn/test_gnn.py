from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.builders.worlds import planted_world, renamed

from ringwatch.models.data.labels import known_labels
from ringwatch.models.data.snapshot import make_snapshot
from ringwatch.models.gnn.hetero import to_hetero_data
from ringwatch.models.gnn.input_schema import input_schema_of
from ringwatch.models.gnn.network import SharedIdentifierConv, make_network
from ringwatch.models.registry.model import Member
from ringwatch.models.scoring.networks import predict_logits

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def world():
    return planted_world()


@pytest.fixture(scope="module")
def member(world):
    return _untrained(world.snapshot)


def _untrained(snapshot):
    """An untrained network: what it may depend on does not hinge on training."""
    inputs = input_schema_of([to_hetero_data(snapshot)])
    torch.manual_seed(0)
    return Member(inputs, make_network(inputs).state_dict())


def _logits(member, snapshot, is_seen=None):
    labels = known_labels(snapshot)
    return predict_logits(
        [member], None, to_hetero_data(snapshot), labels, labels.is_known if is_seen is None else is_seen
    )[0]


def _conv_of_hub(n_accounts, seed=0):
    """What account 0 receives over one identifier of n accounts, by their states, and those states."""
    torch.manual_seed(seed)
    conv = SharedIdentifierConv(width=8, n_context=0)
    accounts = torch.randn(n_accounts, 8)
    edge_index = torch.stack([torch.zeros(n_accounts, dtype=torch.int64), torch.arange(n_accounts)])
    return lambda x: conv((torch.zeros(1, 0), x), edge_index, torch.zeros(n_accounts, 0))[0], accounts


def test_an_account_receives_messages_of_the_others_and_none_of_itself():
    received, accounts = _conv_of_hub(3)
    itself, another = accounts.clone(), accounts.clone()
    itself[0] += 5
    another[1] += 5
    assert torch.allclose(received(itself), received(accounts), atol=1e-6)
    assert not torch.allclose(received(another), received(accounts), atol=1e-3)


def test_messages_over_a_hub_are_small():
    few, few_accounts = _conv_of_hub(2)
    many, many_accounts = _conv_of_hub(400)
    assert many(many_accounts).norm() < 0.2 * few(few_accounts).norm()


def test_the_names_of_identifiers_do_not_matter(world, member):
    for label in ("Account", "IpAddress", "Device", "PaymentInstrument"):
        other = renamed(world.snapshot, label, "other-")
        np.testing.assert_array_equal(_logits(member, other), _logits(member, world.snapshot))


def test_the_order_of_rows_does_not_matter(world, member):
    rng = np.random.default_rng(0)
    dealt = {
        type_: table.take(rng.permutation(table.num_rows)) for type_, table in world.snapshot.relationships.items()
    }
    shuffled = make_snapshot(world.snapshot.date, world.snapshot.nodes, dealt, world.snapshot.labels)
    np.testing.assert_array_equal(_logits(member, shuffled), _logits(member, world.snapshot))


def test_labels_that_are_hidden_do_not_reach_the_network(world, member):
    unlabelled = replace(world.snapshot, labels=world.snapshot.labels.slice(0, 0))
    nobody = np.zeros(world.snapshot.n_accounts, dtype=bool)
    np.testing.assert_array_equal(_logits(member, unlabelled), _logits(member, world.snapshot, nobody))
    assert (_logits(member, unlabelled) != _logits(member, world.snapshot)).any()


def test_an_account_that_shares_with_nobody_does_not_receive_its_own_label(world, member):
    alone = replace(
        world.snapshot,
        relationships={type_: table.slice(0, 0) for type_, table in world.snapshot.relationships.items()},
    )
    nobody = np.zeros(alone.n_accounts, dtype=bool)
    np.testing.assert_array_equal(_logits(member, alone), _logits(member, alone, nobody))


def test_the_number_of_threads_does_not_change_a_bit(world, member):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = _logits(member, world.snapshot)
        torch.set_num_threads(4)
        np.testing.assert_array_equal(_logits(member, world.snapshot), one)
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_a_kind_of_relationship_that_training_lacked_adds_no_noise(world):
    without = replace(
        world.snapshot,
        relationships=world.snapshot.relationships
        | {"SENT_MONEY_TO": world.snapshot.relationships["SENT_MONEY_TO"].slice(0, 0)},
    )
    member = _untrained(without)
    assert not [name for name in member.inputs.accounts if name.startswith("SENT_MONEY_TO")]
    assert not [type_ for type_ in member.inputs.edges if "SENT_MONEY_TO" in type_[1]]
    assert np.isfinite(_logits(member, world.snapshot)).all()


def test_accounts_that_share_nothing_are_scored_too(world):
    alone = replace(
        world.snapshot,
        relationships={type_: table.slice(0, 0) for type_, table in world.snapshot.relationships.items()},
    )
    logits = _logits(_untrained(alone), alone)
    assert logits.shape == (alone.n_accounts,)
    assert np.isfinite(logits).all()
