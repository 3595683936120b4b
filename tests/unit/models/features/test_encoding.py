from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from tests.builders.worlds import planted_world

from ringwatch.graph_schema.graph import RELATIONSHIPS_BY_TYPE
from ringwatch.models.features.account import Columns
from ringwatch.models.features.encoding import encode_accounts, encode_columns, encode_identifiers
from ringwatch.models.features.piecewise_linear import PiecewiseLinearEncoding

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def snapshot():
    return planted_world().snapshot


def _with_accounts(snapshot, name, values):
    table = snapshot.accounts
    changed = table.set_column(table.column_names.index(name), table.schema.field(name), values)
    return replace(snapshot, nodes=snapshot.nodes | {"Account": changed})


def _input(snapshot, name):
    ranks = encode_accounts(snapshot)
    unfolding = PiecewiseLinearEncoding([name])
    [rank] = unfolding.names
    return unfolding(torch.from_numpy(ranks.values[:, [ranks.names.index(rank)]])).numpy()[:, 0]


def test_a_platform_where_everybody_does_ten_times_as_much_looks_the_same(snapshot):
    busier = _with_accounts(snapshot, "n_requests", pc.multiply(snapshot.accounts["n_requests"], 10))
    np.testing.assert_array_equal(encode_accounts(busier).values, encode_accounts(snapshot).values)


def test_how_a_platform_names_its_plans_does_not_matter(snapshot):
    renamed = _with_accounts(snapshot, "plan", pc.binary_join_element_wise("acme", snapshot.accounts["plan"], "-"))
    np.testing.assert_array_equal(encode_accounts(renamed).values, encode_accounts(snapshot).values)


def test_who_does_most_ranks_highest_and_has_come_through_every_step(snapshot):
    n_requests = snapshot.accounts["n_requests"].to_numpy()
    place, last_step = _input(snapshot, "n_requests"), _input(snapshot, "n_requests>7/8")
    assert place.argmax() == n_requests.argmax()
    assert np.corrcoef(place, n_requests)[0, 1] > 0.7
    assert last_step[n_requests.argmax()] > 0.9
    assert last_step[n_requests.argmin()] == 0


def test_unknown_is_flagged_and_neutral(snapshot):
    mask = pa.array(np.arange(snapshot.n_accounts) == 5)
    without = _with_accounts(snapshot, "n_requests", pc.if_else(mask, None, snapshot.accounts["n_requests"]))
    names = ["n_requests", "n_requests=unknown", "n_requests>0/8"]
    assert [float(_input(without, name)[5]) for name in names] == [0.0, 1.0, 0.0]
    assert _input(without, "n_requests=unknown").sum() == 1


def test_a_number_on_an_edge_keeps_its_size_within_bounds():
    values = np.array([[np.log1p(3)], [np.nan], [1e9]], dtype=np.float32)
    encoded = encode_columns(Columns(("n_days",), values))
    assert encoded.names == ("n_days", "n_days=unknown")
    np.testing.assert_allclose(encoded.values, [[np.log1p(3) / 4, 0], [0, 1], [3, 0]], rtol=1e-6)


def test_of_identifiers_only_the_words_that_the_contract_declares_count(snapshot):
    node = RELATIONSHIPS_BY_TYPE["USED_IP"].end
    table = snapshot.nodes["IpAddress"]
    columns = encode_identifiers(snapshot, node, np.arange(table.num_rows))
    education = columns.values[:, columns.names.index("network_type=education")] == 1
    np.testing.assert_array_equal(education, table["network_type"].to_numpy(zero_copy_only=False) == "education")
    assert all(name.startswith("network_type=") for name in columns.names)
