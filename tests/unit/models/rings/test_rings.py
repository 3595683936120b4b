import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse
from tests.builders.snapshots import linked, merged, ring_shares, rows_of, shared_world

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.rings.communities import MIN_ACCOUNTS, Groups, among, find_groups, keep_groups, link_graph
from ringwatch.models.rings.identity import MEMBERS_SCHEMA, RINGS_SCHEMA, Rings, match_rings

pytestmark = pytest.mark.unit
NIGHT = dt.date(2026, 4, 1)


def all_linked(snapshot: Snapshot, probability: float = 0.9) -> sparse.csr_matrix:
    return link_graph(linked(snapshot, np.zeros(snapshot.n_accounts), probability))


def groups_of(snapshot: Snapshot) -> list[set[str]]:
    groups = find_groups(all_linked(snapshot))
    ids = np.array(snapshot.accounts["id"].to_pylist())
    return [set(ids[groups.group == number]) for number in range(groups.n_groups)]


def members(n: int, prefix: str = "r") -> list[str]:
    return [f"{prefix}{i:03d}" for i in range(n)]


def test_a_ring_that_shares_cards_and_devices_is_one_group() -> None:
    assert groups_of(shared_world(ring_shares(members(12)))) == [set(members(12))]


def test_a_large_ring_of_sparse_sharing_is_one_group() -> None:
    n, rng = 150, np.random.default_rng(0)
    people = np.array(members(n))
    shares = {
        type_: {f"{type_}{i}": set(rng.choice(people, 7, replace=False)) for i in range(n // 3)}
        for type_ in ("PAID_WITH", "USED_DEVICE")
    }
    found = groups_of(shared_world(shares))
    assert max(len(group) for group in found) > 0.9 * n


def test_a_chain_of_pairwise_shared_cards_is_not_one_ring() -> None:
    people = members(60)
    chain = {"PAID_WITH": {f"c{i}": people[i : i + 2] for i in range(59)}}
    assert all(len(group) < 25 for group in groups_of(shared_world(chain)))


def test_a_weak_identifier_between_two_rings_does_not_merge_them() -> None:
    first, second = members(12, "a"), members(12, "b")
    bridge = {"USED_IP": {"cafe": [first[0], second[0]]}}
    snapshot = shared_world(merged(ring_shares(first, "a"), ring_shares(second, "b"), bridge))
    assert groups_of(snapshot) == [set(first), set(second)]


def test_two_rings_stay_apart_however_large_the_rest_of_the_graph_is() -> None:
    first, second = members(12, "a"), members(12, "b")
    bridge = {"PAID_WITH": {"sold": [first[0], second[0]]}}
    crowd = {"USED_DEVICE": {f"home{i}": members(4, f"z{i}-") for i in range(2000)}}
    snapshot = shared_world(merged(ring_shares(first, "a"), ring_shares(second, "b"), bridge, crowd))
    assert groups_of(snapshot)[:2] == [set(first), set(second)]


def test_two_accounts_are_no_ring() -> None:
    assert MIN_ACCOUNTS == 3
    assert groups_of(shared_world({"PAID_WITH": {"c": ["ann", "bob"]}, "USED_DEVICE": {"d": ["ann", "bob"]}})) == []


def test_a_graph_without_any_sharing_has_no_groups() -> None:
    assert groups_of(shared_world({}, others=["ann", "bob"])) == []
    assert groups_of(shared_world({})) == []


def test_membership_is_low_for_who_hangs_by_one_thin_link() -> None:
    ring = members(8)
    snapshot = shared_world(merged(ring_shares(ring), {"USED_IP": {"cafe": [ring[0], "guest"]}}))
    guest, core = rows_of(snapshot, ["guest"])[0], rows_of(snapshot, ring)
    graph = all_linked(snapshot).tolil()
    graph[guest, core[0]] = graph[core[0], guest] = 0.35
    groups = find_groups(graph.tocsr())
    assert 0 < groups.membership[guest] < 0.4
    assert (groups.membership[core] > 0.9).all()
    assert (groups.membership <= 1).all()


def test_unlikely_links_and_those_of_accounts_left_out_do_not_count() -> None:
    snapshot = shared_world({"PAID_WITH": {"c": ["ann", "bob", "eve"]}})
    assert all_linked(snapshot, 0.09).nnz == 0
    graph = link_graph(linked(snapshot, np.zeros(3)))
    assert among(graph, np.array([True, True, False])).toarray().tolist() == [[0, 0.9, 0], [0.9, 0, 0], [0, 0, 0]]


def test_kept_groups_are_numbered_anew() -> None:
    groups = keep_groups(Groups(np.array([0, 1, 0, 2, 1]), np.full(5, 0.5)), np.array([False, True, True]))
    assert groups.group.tolist() == [-1, 0, -1, 1, 0]
    assert groups.membership.tolist() == [0, 0.5, 0, 0.5, 0.5]


# ids from night to night


def previous(**members_by_ring: str) -> Rings:
    rows = [(ring_id, member, 1.0) for ring_id, letters in members_by_ring.items() for member in letters]
    table = pa.table(list(zip(*rows, strict=True)), schema=MEMBERS_SCHEMA)
    return Rings(RINGS_SCHEMA.empty_table(), table)


def matched(before: Rings | None, *groups: str, night: dt.date = NIGHT) -> dict[str, tuple[str, int]]:
    """Ring id and number of new members, by the letters of each group's members."""
    letters = sorted("".join(groups))
    number = {letter: i for i, group in enumerate(groups) for letter in group}
    group = np.array([number[letter] for letter in letters], dtype=np.int64)
    found = match_rings(before, Groups(group, np.ones(group.size)), pa.chunked_array([pa.array(letters)]), night)
    return {name: (found.ids[i], int(found.n_new_accounts[i])) for i, name in enumerate(groups)}


def test_a_ring_keeps_its_id_when_a_member_leaves_and_two_join() -> None:
    assert matched(previous(old="abcdef"), "abcdexy") == {"abcdexy": ("old", 2)}


def test_on_a_split_the_larger_part_keeps_the_id() -> None:
    found = matched(previous(old="abcdefghij"), "abc", "defg", "hij")
    assert found["defg"] == ("old", 0)
    assert found["abc"][0] != "old" != found["hij"][0]
    assert found["abc"][1] == 3


def test_on_a_merge_the_larger_part_keeps_the_id() -> None:
    assert matched(previous(small="abc", large="defgh"), "abcdefgh") == {"abcdefgh": ("large", 3)}


def test_a_ring_that_lost_most_members_to_strangers_is_a_new_one() -> None:
    found = matched(previous(old="abcdefghij"), "abcdvwxyz")
    assert found["abcdvwxyz"][0].startswith("ring-")
    assert found["abcdvwxyz"][1] == 9


def test_of_equal_halves_the_first_keeps_the_id() -> None:
    assert matched(previous(old="abcdef"), "def", "abc")["def"][0] == "old"
    assert matched(previous(old="abcdef"), "abc", "def")["abc"][0] == "old"


def test_a_new_id_is_a_function_of_night_and_members() -> None:
    first = matched(None, "abc")["abc"][0]
    assert first == matched(previous(other="xyz"), "abc", "xyz")["abc"][0]
    assert first != matched(None, "abc", night=NIGHT + dt.timedelta(days=1))["abc"][0]
    assert first != matched(None, "abd")["abd"][0]
    assert len(first) == len("ring-") + 12


def test_without_any_group_there_are_no_ids() -> None:
    assert matched(previous(old="abc")) == {}
