from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.metrics import average_precision_score
from tests.builders.worlds import planted_world, with_labels

from ringwatch.models.common.errors import TooFewLabelsError
from ringwatch.models.data.labels import known_labels
from ringwatch.models.evaluation.rewiring import shuffled
from ringwatch.models.gnn.hetero import to_hetero_data
from ringwatch.models.scoring.networks import predict_logits
from ringwatch.models.scoring.scoring import score
from ringwatch.models.training.own_networks import _SCHEDULE, own_networks
from ringwatch.models.training.splits import component_folds
from ringwatch.models.training.training import train


@pytest.fixture(scope="module")
def world():
    return planted_world(n_ordinary=400)


def _own(snapshot, is_fake, **options):
    fold = component_folds(snapshot, is_fake, n_folds=3, seed=0)
    return own_networks(to_hetero_data(snapshot), known_labels(snapshot), fold, seed=0, **options)


def _said(networks, snapshot):
    labels = known_labels(snapshot)
    return predict_logits(networks.members, networks.trees, to_hetero_data(snapshot), labels, labels.is_known)[0]


def _unlabelled_ap(world, scores):
    rows = ~known_labels(world.snapshot).is_known
    return average_precision_score(world.is_fake[rows], scores[rows])


def test_a_platforms_own_networks_find_rings_without_a_label(world):
    networks = _own(world.snapshot, world.is_fake)
    assert _unlabelled_ap(world, _said(networks, world.snapshot)) > 0.9
    known = known_labels(world.snapshot).is_known
    assert average_precision_score(world.is_fake[known], networks.held_out[known]) > 0.6


def test_shuffled_edges_lose(world):
    snapshot = shuffled(world.snapshot, seed=0)
    networks = _own(snapshot, world.is_fake)
    assert _unlabelled_ap(world, _said(networks, snapshot)) < 0.6


def test_training_again_gives_the_same_bits_and_tells_how_far_it_is(world, monkeypatch):
    monkeypatch.setattr(
        "ringwatch.models.training.own_networks._SCHEDULE", replace(_SCHEDULE, n_epochs=6)
    )  # bits differ at once, if they do
    shares: list[float] = []
    first, again = (_own(world.snapshot, world.is_fake, progress=shares.append) for _ in range(2))
    shares = shares[len(shares) // 2 :]
    np.testing.assert_array_equal(_said(again, world.snapshot), _said(first, world.snapshot))
    np.testing.assert_array_equal(again.held_out, first.held_out)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_whom_a_person_found_fake_by_mistake_the_model_still_finds_ordinary(world):
    labels = known_labels(world.snapshot)
    mistaken = np.flatnonzero(labels.target == 0)[:5]
    table, ids = world.snapshot.labels, world.snapshot.accounts["id"].take(pa.array(mistaken))
    is_mistaken = pc.is_in(table["account_id"], value_set=ids.combine_chunks())
    said = pc.if_else(is_mistaken, "fake", table["label"])
    position = table.column_names.index("label")
    snapshot = replace(world.snapshot, labels=table.set_column(position, "label", said))
    candidate = train(snapshot, seed=0)
    assert known_labels(snapshot).is_fake[mistaken].all()
    assert candidate.scores[mistaken].max() < 0.01
    confirmed = score(replace(candidate.model, stack=replace(candidate.model.stack, cross_fit=None)), snapshot).fake
    assert (confirmed[mistaken] > 10 * candidate.scores[mistaken]).all()  # by parts that learnt the mistakes


def test_a_model_scores_its_own_night_as_in_training(world):
    candidate = train(world.snapshot, seed=0)
    np.testing.assert_array_equal(score(candidate.model, world.snapshot).fake, candidate.scores)


def test_too_few_labels_say_how_many_there_are(world):
    with pytest.raises(TooFewLabelsError, match="0 fake and 0 legitimate accounts are known"):
        train(with_labels(world.snapshot, np.array([], dtype=np.int64)), seed=0)


def test_fakes_of_one_ring_are_too_few_rings_to_hold_any_out():
    world = planted_world(n_rings=1, ring_size=40, labelled=1.0, n_ordinary=300)
    with pytest.raises(TooFewLabelsError, match="in 1 rings"):
        train(world.snapshot, seed=0)
