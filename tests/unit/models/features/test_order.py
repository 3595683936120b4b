"""What others do to an account is no evidence against it: later acts of others reach none of its inputs."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.snapshots import NIGHT, NOON, build_snapshot, ends_of

from ringwatch.graph_schema.graph import HUB_ACCOUNTS
from ringwatch.models.features.order import SLOT_DAYS, YOUNG_DAYS, split_by_order
from ringwatch.models.features.pairs import candidate_pairs
from ringwatch.models.features.relations import heard_relations
from ringwatch.models.gnn.hetero import to_hetero_data
from ringwatch.models.gnn.input_schema import aligned, input_schema_of
from ringwatch.models.gnn.network import make_network

pytestmark = pytest.mark.unit
_SLOT_US = int(SLOT_DAYS * 86_400e6)
_START = 10_000 * _SLOT_US  # in 2024
_LATE = dt.datetime.combine(NIGHT, dt.time(12), dt.UTC)
LONG_AGO = NOON - dt.timedelta(days=100)
PEOPLE = ["victim", "spouse", *(f"p{i}" for i in range(4))]
ATTACKERS = [f"x{i}" for i in range(8)]


def _hears(identifier, first_used_at, created_at=None):
    """Who hears whom, as pairs of uses; of accounts that have long been there, if not said otherwise."""
    uses = (np.array(identifier, np.int64), np.array(first_used_at, np.int64))
    created = np.array(created_at, np.int64) if created_at else np.zeros(len(uses[0]), dtype=np.int64)
    heard = split_by_order(*uses, created)
    pairs = set()
    for use, node, receives in zip(*heard[:3], strict=True):
        if receives:
            pairs |= {(int(use), int(other)) for other in heard.use[heard.node == node] if other != use}
    return pairs


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), max_size=25))
def test_an_account_hears_all_that_came_before_or_in_its_slot_and_nobody_else(uses):
    identifier, slots = [use[0] for use in uses], [use[1] for use in uses]
    first_used_at = [_START + slot * _SLOT_US + 1 for slot in slots]
    expected = {
        (one, other)
        for one in range(len(uses))
        for other in range(len(uses))
        if one != other and identifier[one] == identifier[other] and slots[other] <= slots[one]
    }
    assert _hears(identifier, first_used_at) == expected


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 30)), max_size=20))
def test_in_its_first_days_an_account_hears_those_that_come_later_too(uses):
    """Uses are an identifier, the slot of its first use, and how many slots before that the account signed up."""
    n_young = round(YOUNG_DAYS / SLOT_DAYS)
    first_used_at = [_START + slot * _SLOT_US + 1 for _, slot, _ in uses]
    created_at = [at - ago * _SLOT_US for at, (_, _, ago) in zip(first_used_at, uses, strict=True)]
    expected = {
        (one, other)
        for one, (on, slot, ago) in enumerate(uses)
        for other, (on_other, slot_of_other, _) in enumerate(uses)
        if one != other and on == on_other and slot_of_other <= max(slot, slot - ago + n_young)
    }
    assert _hears([on for on, _, _ in uses], first_used_at, created_at) == expected


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), max_size=15), st.integers(0, 40))
def test_who_hears_whom_is_the_same_on_every_later_night(uses, night):
    """Uses are an identifier and the half slot of its first use; a night knows those before it."""
    uses = sorted(uses, key=lambda use: use[1])
    identifier, first_used_at = [use[0] for use in uses], [_START + use[1] * _SLOT_US // 2 for use in uses]
    n_known = sum(use[1] < night for use in uses)
    later = {pair for pair in _hears(identifier, first_used_at) if max(pair) < n_known}
    assert _hears(identifier[:n_known], first_used_at[:n_known]) == later


def test_on_a_hub_all_hear_all():
    n = HUB_ACCOUNTS + 1
    assert len(_hears(np.zeros(n, dtype=np.int64), _START + np.arange(n) * _SLOT_US)) == n * (n - 1)


def _world(later: list[tuple[str, str, str, bool]], transfers=(), referrals=()):
    """A victim's household, and what others do on the last day: (account, relationship, identifier, failed)."""
    own = [("victim", "USED_DEVICE", "phone"), ("spouse", "USED_DEVICE", "phone"), ("victim", "PAID_WITH", "card")]
    own += [("victim", "USED_IP", "1.1.1.1"), ("p0", "USED_IP", "1.1.1.1"), ("p1", "USED_DEVICE", "other")]
    own += [("p2", "USED_DEVICE", "other"), ("p2", "PAID_WITH", "card2"), ("p3", "PAID_WITH", "card2")]
    rows: dict[str, list[tuple[str, str, dt.datetime, bool]]] = {}
    for account, type_, identifier in own:
        rows.setdefault(type_, []).append((account, identifier, NOON, False))
    for account, type_, identifier, failed in later:
        rows.setdefault(type_, []).append((account, identifier, _LATE, failed))
    relationships = {}
    for type_, uses in rows.items():
        relationships[type_] = {
            **ends_of([use[:2] for use in uses]),
            "first_seen_at": pa.array([use[2] for use in uses], pa.timestamp("us", "UTC")),
            "n_events": 1,
        }
    relationships["PAID_WITH"] |= {"n_failed": [int(use[3]) for use in rows["PAID_WITH"]], "n_chargebacks": 0}
    relationships["SENT_MONEY_TO"] = ends_of([("p1", "p3"), *transfers])
    relationships["REFERRED_BY"] = ends_of([("p2", "p1"), *referrals])
    ids = {type_: sorted({use[1] for use in uses}) for type_, uses in rows.items()}
    nodes = {
        "Account": {
            "id": [*PEOPLE, *ATTACKERS],
            "created_at": pa.array([LONG_AGO] * len(PEOPLE) + [_LATE] * len(ATTACKERS), pa.timestamp("us", "UTC")),
        },
        "Device": {"id": ids["USED_DEVICE"]},
        "PaymentInstrument": {"id": ids["PAID_WITH"]},
        "IpAddress": {"id": ids["USED_IP"]},
    }
    return build_snapshot(NIGHT, nodes, relationships, {"account_id": [], "label": [], "source": []}, at=NOON)


_ACT = st.tuples(
    st.sampled_from(ATTACKERS),
    st.sampled_from([("USED_DEVICE", "phone"), ("PAID_WITH", "card"), ("USED_IP", "1.1.1.1")]),
    st.booleans(),
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(_ACT, unique_by=lambda act: act[:2]),
    st.lists(st.sampled_from(ATTACKERS), unique=True),
    st.lists(st.sampled_from(ATTACKERS), unique=True),
)
def test_whatever_others_do_to_it_later_a_network_makes_the_same_of_an_account(acts, payers, referred):
    later = [(account, *what, failed) for account, what, failed in acts]
    framed = _world(later, [(payer, "victim") for payer in payers], [(each, "victim") for each in referred])
    before = _world([])
    data, of_before = to_hetero_data(framed), to_hetero_data(before)
    everything = _world(
        [(each, *what, False) for each in ATTACKERS for what in (("USED_DEVICE", "phone"), ("PAID_WITH", "card"))]
    )
    schema = input_schema_of([to_hetero_data(everything), data, of_before])
    torch.manual_seed(0)
    network = make_network(schema).eval()
    victim = before.accounts["id"].to_pylist().index("victim")
    # Ranks are among all accounts of the night, so they move a little with anybody's numbers: held still here.
    data["Account"].x = of_before["Account"].x
    seen = torch.zeros(before.n_accounts, 2)
    with torch.inference_mode():
        outputs = [network(aligned(each, schema), seen).fake[victim] for each in (data, of_before)]
    torch.testing.assert_close(outputs[0], outputs[1], atol=1e-4, rtol=1e-4)


def test_a_pair_counts_for_the_one_that_came_later():
    snapshot = _world([("x0", "USED_DEVICE", "phone", False)])
    ids = snapshot.accounts["id"].to_pylist()
    pairs = candidate_pairs(snapshot, heard_relations(snapshot))
    heard = {(ids[one], ids[other]) for one, other in zip(pairs.receiver, pairs.sender, strict=True)}
    assert {("x0", "victim"), ("x0", "spouse"), ("victim", "spouse"), ("spouse", "victim")} <= heard
    assert not {("victim", "x0"), ("spouse", "x0")} & heard


def test_a_use_that_only_failed_is_no_use():
    snapshot = _world([("x0", "PAID_WITH", "card", True), ("x1", "PAID_WITH", "card", True)])
    [relation] = [each for each in heard_relations(snapshot) if each.name == "PAID_WITH"]
    ids = snapshot.accounts["id"].to_pylist()
    assert {ids[account] for account in relation.account} == {"p2", "p3"}


def test_an_account_that_begins_after_the_others_hears_them_however_long_ago_that_was():
    snapshot = _world([("x0", "USED_DEVICE", "other", False)])
    [relation] = [each for each in heard_relations(snapshot) if each.name == "USED_DEVICE"]
    ids = snapshot.accounts["id"].to_pylist()
    newest = relation.node[relation.receives & (relation.account == ids.index("x0"))]
    assert {ids[account] for account in relation.account[relation.node == newest]} == {"x0", "p1", "p2"}
