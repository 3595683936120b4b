import numpy as np
import pyarrow as pa
import pytest
from tests.builders.snapshots import rows_of, shared_world
from tests.builders.worlds import planted_world

from ringwatch.models.evaluation.baselines import fit_features
from ringwatch.models.evaluation.component_baseline import accused_by_component
from ringwatch.models.features.relations import shared_relations

pytestmark = pytest.mark.unit


def test_neighbours_mean_is_that_of_the_others_on_each_identifier():
    world = planted_world(n_rings=3, ring_size=5, n_ordinary=60)
    snapshot = world.snapshot
    everyone = np.ones(snapshot.n_accounts, dtype=bool)

    features = fit_features(snapshot, everyone, has_neighbours=True)
    own = np.nan_to_num(fit_features(snapshot, everyone, has_neighbours=False).of(snapshot))

    total, n_shared = np.zeros(own.shape), np.zeros(snapshot.n_accounts)
    for relation in shared_relations(snapshot):
        for account, identifier in zip(relation.account, relation.other, strict=True):
            on_it = relation.account[(relation.other == identifier) & (relation.account != account)]
            total[account] += own[on_it].mean(axis=0)
            n_shared[account] += 1
    expected = total / np.maximum(n_shared, 1)[:, None]
    found = features.of(snapshot)[:, own.shape[1] :]
    for column in expected.T:
        if column.min() < column.max():
            assert np.isclose(found.T, column.astype(np.float32), atol=1e-4).all(axis=1).any()


def test_features_settled_on_one_night_describe_another_in_the_same_columns():
    here, elsewhere = planted_world(seed=1).snapshot, planted_world(seed=2, n_ordinary=500).snapshot
    features = fit_features(elsewhere, np.ones(elsewhere.n_accounts, dtype=bool), has_neighbours=True)
    assert features.of(here).shape == (here.n_accounts, features.of(elsewhere).shape[1])


def test_a_hub_of_thousands_costs_no_matrix_of_accounts():
    everybody = [f"a{number:05d}" for number in range(20_000)]
    snapshot = shared_world({"HAS_EMAIL_DOMAIN": {"freemail.example": everybody}})
    features = fit_features(snapshot, np.ones(len(everybody), dtype=bool), has_neighbours=True)
    assert features.of(snapshot).shape[0] == len(everybody)


def test_components_accuse_all_that_a_chain_of_small_identifiers_reaches_and_stop_at_a_hub():
    chain = {f"d{number}": [f"a{number}", f"a{number + 1}"] for number in range(5)}
    hub = {"gate": [f"a{number}" for number in range(5, 30)]}
    snapshot = shared_world({"USED_DEVICE": chain, "USED_IP": hub})
    known = np.isin(snapshot.accounts["id"], pa.array(["a0"]))
    capped = accused_by_component(snapshot, known, max_sharing=10)
    assert set(np.flatnonzero(capped)) == set(rows_of(snapshot, [f"a{number}" for number in range(6)]))
    assert accused_by_component(snapshot, known, max_sharing=100).all()
