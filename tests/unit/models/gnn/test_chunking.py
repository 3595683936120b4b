"""A graph worked on in parts gives what it gives as a whole."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.worlds import planted_world

from ringwatch.models.data.labels import known_labels
from ringwatch.models.gnn import chunking
from ringwatch.models.gnn.hetero import PAIR, to_hetero_data
from ringwatch.models.gnn.input_schema import aligned, input_schema_of, seen_labels
from ringwatch.models.gnn.network import make_network
from ringwatch.models.training.fitting import TrainingGraph, _loss

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def snapshot():
    return planted_world().snapshot


def _with_chunks_of(n_rows, monkeypatch, snapshot):
    """The output of an untrained network, and the gradients of its loss, when a chunk has so many rows."""
    monkeypatch.setattr(chunking, "CHUNK_ROWS", n_rows)
    labels, data = known_labels(snapshot), to_hetero_data(snapshot)
    inputs = input_schema_of([data])
    torch.manual_seed(0)
    network = make_network(inputs).eval()  # no dropout, whose draws would differ
    with torch.inference_mode():
        output = network(aligned(data, inputs), seen_labels(labels, labels.is_known))
    ones = np.ones(data[PAIR].num_edges, dtype=np.float32)
    known = labels.is_known.astype(np.float32)
    graph = TrainingGraph(aligned(data, inputs), labels, labels.is_fake.astype(np.float32), known, ones, ones)
    _loss(network, graph, 0.5, np.random.default_rng(0)).backward()
    return output, {name: weights.grad for name, weights in network.named_parameters() if weights.grad is not None}


@pytest.mark.parametrize("n_rows", [7, 100])
def test_scores_links_and_gradients_are_those_of_the_whole(monkeypatch, snapshot, n_rows):
    whole, of_whole = _with_chunks_of(10**9, monkeypatch, snapshot)
    output, gradients = _with_chunks_of(n_rows, monkeypatch, snapshot)
    for ours, theirs in zip(output, whole, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    assert gradients.keys() == of_whole.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, of_whole[name], atol=1e-5, rtol=1e-3)


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 20))
def test_every_row_is_in_one_part_and_no_group_in_two(groups, n_rows):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunking, "CHUNK_ROWS", n_rows)
        group = torch.tensor(groups, dtype=torch.int64)
        seen, of_parts = [], []
        for rows, first, after in chunking.group_chunks(group, 10):
            assert ((group[rows] >= first) & (group[rows] < after)).all()
            seen += torch.arange(len(groups))[rows].tolist()
            of_parts.append((len(group[rows]), set(group[rows].tolist())))
        assert sorted(seen) == list(range(len(groups)))
        assert all(size <= n_rows or len(in_part) == 1 for size, in_part in of_parts)
        assert sum(len(in_part) for _, in_part in of_parts) == len(set(groups))


def test_rows_that_are_added_have_their_gradient_and_are_not_kept_for_it():
    index, weight = torch.tensor([2, 0, 2]), torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    rows, kept = torch.ones(3, 2, requires_grad=True), []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda tensor: tensor):
        total = chunking.add_rows(torch.zeros(3, 2), index, rows * 1.0)
    assert total.tolist() == [[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]]
    assert not [tensor for tensor in kept if tensor.shape == rows.shape]
    (total * weight).sum().backward()
    assert rows.grad.tolist() == weight[index].tolist()
