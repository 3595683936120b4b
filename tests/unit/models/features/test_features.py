from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.builders.worlds import DATE, planted_world, with_labels

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.models.data.labels import known_labels
from ringwatch.models.features.account import Columns, account_columns, category_columns, fit_vocabulary
from ringwatch.models.training.splits import component_folds

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def world():
    return planted_world()


def _column(columns: Columns, name: str) -> np.ndarray:
    return columns.values[:, columns.names.index(name)]


def _with_column(snapshot, type_, name, values):
    table = snapshot.relationships[type_]
    changed = table.set_column(table.column_names.index(name), table.schema.field(name), values)
    return replace(snapshot, relationships=snapshot.relationships | {type_: changed})


def test_counts_are_of_an_accounts_own_relationships(world):
    counts = np.expm1(_column(account_columns(world.snapshot), "USED_DEVICE.count"))
    devices = world.snapshot.relationships["USED_DEVICE"].group_by("start_id").aggregate([("end_id", "count")])
    by_account = dict(zip(devices["start_id"].to_pylist(), devices["end_id_count"].to_pylist(), strict=True))
    expected = [by_account.get(account, 0) for account in world.snapshot.accounts["id"].to_pylist()]
    assert np.rint(counts).astype(int).tolist() == expected


def test_what_chargebacks_leave_behind_is_no_feature(world):
    paid = world.snapshot.relationships["PAID_WITH"]
    chargebacks = pa.array(np.arange(paid.num_rows) % 4)
    after = _with_column(world.snapshot, "PAID_WITH", "n_chargebacks", chargebacks)
    after = _with_column(after, "PAID_WITH", "n_events", pc.add(paid["n_events"], chargebacks))
    after = _with_column(after, "PAID_WITH", "total_amount", pc.multiply(paid["total_amount"], 0.0))
    np.testing.assert_array_equal(account_columns(after).values, account_columns(world.snapshot).values)


def test_labels_are_no_feature(world):
    unlabelled = with_labels(world.snapshot, np.array([], dtype=np.int64))
    np.testing.assert_array_equal(account_columns(unlabelled).values, account_columns(world.snapshot).values)


def test_times_count_only_relative_to_the_night(world):
    # The same graph a year later, looked at a year later.
    year_us = 365 * 86_400 * 1_000_000
    later = replace(
        world.snapshot,
        date=DATE.replace(year=DATE.year + 1),
        nodes={label: _shifted(table, year_us) for label, table in world.snapshot.nodes.items()},
        relationships={type_: _shifted(table, year_us) for type_, table in world.snapshot.relationships.items()},
    )
    np.testing.assert_allclose(account_columns(later).values, account_columns(world.snapshot).values, rtol=1e-5)


def _shifted(table: pa.Table, by_us: int) -> pa.Table:
    for position, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            moved = pc.add(table[field.name].cast(pa.int64()), by_us).cast(field.type)
            table = table.set_column(position, field, moved)
    return table


def test_a_label_that_became_known_after_the_night_does_not_count(world):
    known_at = world.snapshot.labels["known_at"]
    late = pc.add(known_at.cast(pa.int64()), 2 * 86_400 * 1_000_000).cast(known_at.type)
    labels = world.snapshot.labels.set_column(4, "known_at", late)
    assert known_labels(world.snapshot).is_known.any()
    assert not known_labels(replace(world.snapshot, labels=labels)).is_known.any()


def test_a_word_unseen_in_training_is_other(world):
    country = world.snapshot.accounts["country"].to_numpy(zero_copy_only=False)
    vocabulary = fit_vocabulary(world.snapshot, ACCOUNT, np.flatnonzero(country != "BR"))
    columns = category_columns(world.snapshot, ACCOUNT, vocabulary)
    assert "BR" not in vocabulary["Account.country"]
    np.testing.assert_array_equal(_column(columns, "country=other") == 1, country == "BR")


def test_folds_keep_rings_whole_and_share_out_the_fakes(world):
    fold = component_folds(world.snapshot, world.is_fake, n_folds=4, seed=0)
    for ring in range(world.ring.max() + 1):
        assert np.unique(fold[world.ring == ring]).size == 1
    assert np.bincount(fold[world.is_fake], minlength=4).min() > 0
    assert np.bincount(fold, minlength=4).min() > world.snapshot.n_accounts // 8
