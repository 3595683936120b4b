import numpy as np
import pytest

from models.identifiers import MAX_ACCOUNTS, shared_kinds
from models.sharing import reached_accounts, sharing_graph
from models.snapshot import Snapshot
from tests.shared_world import rows_of, shared_world

pytestmark = pytest.mark.unit


def ties(snapshot: Snapshot) -> dict[tuple[str, str], float]:
    graph = sharing_graph(snapshot, shared_kinds(snapshot)).tocoo()
    names = snapshot.accounts["id"].to_pylist()
    return {(names[i], names[j]): float(w) for i, j, w in zip(graph.row, graph.col, graph.data, strict=True) if i < j}


def names(n: int, prefix: str = "a") -> list[str]:
    return [f"{prefix}{i:04d}" for i in range(n)]


def test_a_carriers_address_used_by_5000_links_nobody() -> None:
    assert ties(shared_world({"USED_IP": {"10.0.0.1": names(5000)}})) == {}


def test_the_cap_is_where_an_identifier_becomes_a_hub() -> None:
    assert ties(shared_world({"USED_DEVICE": {"d": names(MAX_ACCOUNTS)}}))
    assert not ties(shared_world({"USED_DEVICE": {"d": names(MAX_ACCOUNTS + 1)}}))


def test_the_more_accounts_on_an_identifier_the_weaker_the_tie() -> None:
    found = ties(shared_world({"USED_DEVICE": {"few": names(8, "f"), "many": names(40, "m")}}))
    assert found["f0000", "f0001"] == pytest.approx(1 / 7)
    assert found["m0000", "m0001"] == pytest.approx(1 / 39)


def test_a_couple_is_tied_no_more_than_two_members_of_a_small_crowd() -> None:
    found = ties(shared_world({"PAID_WITH": {"couple": ["ann", "bob"], "crowd": names(7)}}))
    assert found["ann", "bob"] == found["a0000", "a0001"]


def test_two_independent_kinds_weigh_more_than_twice_one_kind() -> None:
    found = ties(
        shared_world(
            {
                "PAID_WITH": {"c1": ["ann", "bob"], "c2": ["eve", "joe"], "c3": ["eve", "joe"]},
                "USED_DEVICE": {"d1": ["ann", "bob"]},
            }
        )
    )
    assert found["ann", "bob"] == pytest.approx(2 * found["eve", "joe"])


def test_an_address_and_its_subnet_are_one_kind_of_evidence() -> None:
    alone = ties(shared_world({"USED_IP": {"10.0.0.1": ["ann", "bob"]}}))
    both = ties(shared_world({"USED_IP": {"10.0.0.1": ["ann", "bob"]}, "IN_SUBNET": {"10.0.0.0/24": ["10.0.0.1"]}}))
    assert alone["ann", "bob"] < both["ann", "bob"] < 1.5 * alone["ann", "bob"]


def test_two_addresses_of_one_subnet_tie_weakly() -> None:
    found = ties(
        shared_world(
            {
                "USED_IP": {"10.0.0.1": ["ann"], "10.0.0.2": ["bob"]},
                "IN_SUBNET": {"10.0.0.0/24": ["10.0.0.1", "10.0.0.2"]},
            }
        )
    )
    assert 0 < found["ann", "bob"] < 0.05


def test_money_strengthens_a_tie_but_makes_none() -> None:
    shares = {"PAID_WITH": {"c": ["ann", "bob"]}}
    without = ties(shared_world(shares))
    found = ties(shared_world(shares, transfers=[("ann", "bob"), ("ann", "stranger")]))
    assert set(found) == {("ann", "bob")}
    assert found["ann", "bob"] > 2 * without["ann", "bob"]


def test_ties_are_symmetric_and_an_account_has_none_with_itself() -> None:
    snapshot = shared_world({"PAID_WITH": {"c1": names(9), "c2": names(5)}, "USED_IP": {"ip": names(7)}})
    graph = sharing_graph(snapshot, shared_kinds(snapshot))
    assert (graph != graph.T).nnz == 0
    assert not graph.diagonal().any()


def test_ties_among_some_accounts_are_the_same_ties() -> None:
    snapshot = shared_world({"PAID_WITH": {"c": names(6)}, "USED_DEVICE": {"d": names(4)}})
    kinds = shared_kinds(snapshot)
    among = np.zeros(snapshot.n_accounts, dtype=bool)
    among[rows_of(snapshot, names(3))] = True
    whole, part = sharing_graph(snapshot, kinds), sharing_graph(snapshot, kinds, among)
    assert (part[among][:, among] != whole[among][:, among]).nnz == 0
    assert part.nnz == 6


def test_reached_are_those_who_share_but_not_over_a_hub() -> None:
    snapshot = shared_world({"PAID_WITH": {"c": ["ann", "bob"]}, "USED_IP": {"nat": [*names(100), "ann"]}})
    start = np.zeros(snapshot.n_accounts, dtype=bool)
    start[rows_of(snapshot, ["ann"])] = True
    reached = reached_accounts(shared_kinds(snapshot), start)
    assert set(np.flatnonzero(reached)) == set(rows_of(snapshot, ["ann", "bob"]))
