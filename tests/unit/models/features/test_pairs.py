import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.snapshots import merged, shared_world

from ringwatch.models.data.identifiers import each_once
from ringwatch.models.features.pairs import candidate_pairs
from ringwatch.models.features.relations import heard_relations

pytestmark = pytest.mark.unit


def pairs_of(snapshot):
    ids = snapshot.accounts["id"].to_pylist()
    pairs = candidate_pairs(snapshot, heard_relations(snapshot))
    rows = (dict(zip(pairs.columns.names, row, strict=True)) for row in pairs.columns.values.tolist())
    return {(ids[a], ids[b]): row for a, b, row in zip(pairs.receiver, pairs.sender, rows, strict=True)}


def both_ways(*pairs):
    return {*pairs, *((other, one) for one, other in pairs)}


def test_accounts_that_began_together_are_pairs_in_both_directions_and_a_payer_hears_whom_it_paid():
    shares = {"PAID_WITH": {"c": ["ann", "bob", "eve"]}}
    found = pairs_of(shared_world(shares, transfers=[("bob", "ann"), ("ann", "dan"), ("dan", "dan")]))
    assert set(found) == both_ways(("ann", "bob"), ("ann", "eve"), ("bob", "eve")) | {("ann", "dan")}
    assert found["bob", "ann"]["SENT_MONEY_TO"] == found["ann", "dan"]["SENT_MONEY_TO"] == 1
    assert found["ann", "bob"]["SENT_MONEY_TO"] == found["ann", "eve"]["SENT_MONEY_TO"] == 0


def test_an_account_hears_its_referrer_and_not_those_that_it_referred():
    assert set(pairs_of(shared_world({}, referrals=[("new", "old")]))) == {("new", "old")}


def test_one_that_pays_very_many_hears_none_of_them():
    """As a platform does that pays rewards: its payees would all be pairs."""
    paid = [("hub", f"z{i:02d}") for i in range(61)]
    assert pairs_of(shared_world({}, transfers=paid)) == {}
    assert len(pairs_of(shared_world({}, transfers=paid[1:]))) == 60


def test_a_hub_makes_no_pairs():
    nat = {"USED_IP": {"nat": [f"z{i:02d}" for i in range(61)]}}
    assert pairs_of(shared_world(nat)) == {}
    cafe = {"USED_IP": {"cafe": [f"z{i:02d}" for i in range(60)]}}
    assert len(pairs_of(shared_world(cafe))) == 60 * 59


def test_what_is_shared_is_counted_by_kind_and_weighed_by_how_rare_it_is():
    shares = {"PAID_WITH": {"c1": ["ann", "bob"], "c2": ["ann", "bob", "eve", "dan", "kim"]}}
    row = pairs_of(shared_world(merged(shares, {"USED_DEVICE": {"d": ["ann", "bob"]}})))["ann", "bob"]
    assert row["PAID_WITH.n"] == pytest.approx(np.log1p(2))
    assert row["PAID_WITH.rarity"] == pytest.approx(1 + 1 / 2)
    assert row["USED_DEVICE.n"] == pytest.approx(np.log1p(1))
    assert row["USED_IP.n"] == 0
    assert row["n_families"] == 2


def test_an_address_and_its_subnet_are_one_family_and_a_subnet_alone_makes_no_pair():
    ips = {"USED_IP": {"1.1.1.1": ["ann", "bob"], "1.1.1.2": ["eve"]}, "IN_SUBNET": {}}
    shares = merged(ips, {"IN_SUBNET": {"1.1.1.0/24": ["1.1.1.1", "1.1.1.2"]}})
    found = pairs_of(shared_world(shares))
    assert set(found) == both_ways(("ann", "bob"))
    assert found["ann", "bob"]["n_families"] == 1
    assert found["ann", "bob"]["IN_SUBNET.n"] > 0


def test_a_graph_without_any_sharing_has_no_pairs():
    for snapshot in (shared_world({}), shared_world({}, others=["ann", "bob"])):
        assert pairs_of(snapshot) == {}


@given(st.lists(st.integers(0, 20)))
def test_keys_come_in_order_and_each_once(keys):
    assert each_once(np.array(keys, dtype=np.int64)).tolist() == sorted(set(keys))
