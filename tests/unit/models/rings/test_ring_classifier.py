"""Groups of linked accounts: which are rings, and which are lawful and cleared, with the reason."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.snapshots import NOON, linked, rows_of, shared_world

from ringwatch.models.common.errors import TooFewGroupsError
from ringwatch.models.data.identifiers import shared_kinds
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.features.account import Columns
from ringwatch.models.registry.default_model import default_model
from ringwatch.models.rings.classifier import FEATURES, fit_ring_classifier, ring_features
from ringwatch.models.rings.communities import Groups
from ringwatch.models.rings.sharing import kinds_shared, shared_within
from ringwatch.models.scoring.detection import detect
from ringwatch.models.scoring.scoring import Scores

pytestmark = pytest.mark.unit
FAMILY = ["mum", "dad", "kid", "gran"]
HOME = {"PAID_WITH": {"joint": FAMILY}, "USED_DEVICE": {"tablet": FAMILY}, "USED_IP": {"home": FAMILY}}


def joined(snapshot, years_ago_by_account):
    """The same accounts, who signed up when it is said."""
    days = [365 * years_ago_by_account.get(name, 0.1) for name in snapshot.accounts["id"].to_pylist()]
    created = pa.array(
        [NOON - dt.timedelta(days=each) for each in days], snapshot.accounts.schema.field("created_at").type
    )
    position = snapshot.accounts.column_names.index("created_at")
    accounts = snapshot.accounts.set_column(position, "created_at", created)
    return replace(snapshot, nodes=snapshot.nodes | {"Account": accounts})


def run(snapshot, score, **options):
    defaults = {
        "thresholds": Thresholds(suspicious=0.5, watch=0.1),
        "ring_classifier": default_model().ring_classifier,
        "previous": None,
        "is_default": False,
    }
    everybody = np.zeros(snapshot.n_accounts, dtype=np.int64)
    return detect(
        snapshot, Scores(np.full(snapshot.n_accounts, score), linked(snapshot, everybody)), **defaults | options
    )


def family_of_years(labels=()):
    return joined(shared_world(HOME, labels=labels), {"mum": 1.0, "dad": 5.0, "kid": 0.2, "gran": 3.0})


def test_a_family_whose_accounts_look_doubtful_is_cleared_and_told_why():
    found = run(family_of_years(), 0.3)
    ring = found.rings.to_pylist()[0]
    assert (ring["fraud_label"], ring["n_accounts"]) == ("clear", 4)
    assert ring["reasons"][0].startswith("looks lawful, like a household: ")
    assert "joined" in ring["reasons"][0]
    assert len(ring["reasons"]) > 1  # what it shares is told nonetheless
    for account in found.accounts.to_pylist():
        assert (account["fraud_label"], account["ring_id"]) == ("clear", ring["ring_id"])
        assert account["reasons"][0] == f"its group {ring['reasons'][0]}"


def test_the_same_group_is_a_ring_when_its_accounts_are_surely_fake():
    found = run(family_of_years(), 0.9999)
    assert found.rings["fraud_label"].to_pylist() == ["suspicious"]
    assert set(found.accounts["fraud_label"].to_pylist()) == {"suspicious"}


def test_a_group_with_a_known_fake_is_watched_however_lawful_it_looks():
    classifier = replace(default_model().ring_classifier, thresholds=Thresholds(suspicious=1.1, watch=1.0))
    [ring] = run(
        family_of_years(labels=[("kid", "fake", "chargeback")]), 0.3, ring_classifier=classifier
    ).rings.to_pylist()
    assert ring["fraud_label"] == "watch"


def test_a_legitimate_group_that_raised_no_question_is_not_reported():
    found = run(family_of_years(), 0.05)
    assert found.rings.num_rows == 0
    assert found.accounts["ring_id"].null_count == 4


@pytest.mark.parametrize("source", ["manual_review", "chargeback", "partner"])
def test_a_group_with_a_known_fake_in_it_is_never_cleared(source):
    found = run(family_of_years([("kid", "fake", source)]), 0.3)
    assert found.rings["fraud_label"].to_pylist() != ["clear"]
    assert not any("lawful" in reason for row in found.accounts.to_pylist() for reason in row["reasons"])


def test_a_person_who_was_found_legitimate_is_no_part_of_the_question():
    found = run(family_of_years([("kid", "legitimate", "appeal")]), 0.3)
    kid = next(row for row in found.accounts.to_pylist() if row["account_id"] == "kid")
    assert kid["ring_id"] is None
    assert kid["reasons"] == ["an appeal found it legitimate on 2026-03-20"]


def test_features_are_those_of_the_members_alone():
    snapshot = family_of_years()
    group = np.full(snapshot.n_accounts, -1)
    group[rows_of(snapshot, ["mum", "dad"])] = 0
    groups = Groups(group, np.where(group == 0, 0.5, 0.0))
    scores = np.full(snapshot.n_accounts, 0.99)
    scores[group == 0] = [0.5, 0.9]
    row = dict(zip(FEATURES, ring_features(snapshot, groups, scores).values[0], strict=True))
    assert row["mean_logit"] == pytest.approx(np.log(9) / 2)
    assert row["max_logit"] == pytest.approx(np.log(9))
    assert row["log_size"] == pytest.approx(np.log(2))
    assert row["cohesion"] == 0.5
    assert row["log_joined_apart_days"] == pytest.approx(np.log1p(2 * 365))  # of one and five years, from their mean
    assert row["log_age_days"] == pytest.approx(np.log1p(3 * 365 + 12.5), abs=1e-3)


def test_what_is_shared_with_outsiders_alone_does_not_count():
    snapshot = shared_world(
        {"PAID_WITH": {"c1": ["ann", "bob"], "c2": ["eve", "dan"]}, "USED_IP": {"ip": ["ann", "eve"]}}
    )
    group = np.full(snapshot.n_accounts, -1)
    group[rows_of(snapshot, ["ann", "bob", "dan"])] = 0
    kinds = shared_kinds(snapshot)
    shares = kinds_shared(kinds, Groups(group, np.ones(group.size)))
    assert shares["payment"] == pytest.approx(2 / 3)
    assert shares["network"] == 0
    paid_with = next(kind for kind in kinds if kind.type == "PAID_WITH")
    within = shared_within(paid_with, group)
    assert [paid_with.ids[int(i)].as_py() for i in within.identifier] == ["c1"]
    assert within.group.tolist() == [0]


@given(st.integers(0, 2**32 - 1))
def test_a_fitted_classifier_separates_rings_and_is_the_same_each_time(seed):
    rng = np.random.default_rng(seed)
    is_ring = np.arange(200) % 3 > 0
    features = rng.normal(size=(200, len(FEATURES))) + 5.0 * is_ring[:, None]
    classifier = fit_ring_classifier(features, is_ring)
    assert classifier == fit_ring_classifier(features, is_ring)
    probability = classifier.probability(Columns(FEATURES, features))
    assert probability[is_ring].min() > 0.5 > probability[~is_ring].max()
    assert classifier.thresholds.watch <= classifier.thresholds.suspicious


def test_groups_of_one_class_fit_no_classifier():
    with pytest.raises(TooFewGroupsError, match="7 of them rings"):
        fit_ring_classifier(np.zeros((7, len(FEATURES))), np.ones(7, dtype=bool))


def test_the_default_classifier_needs_more_evidence_the_lower_the_accounts_logits_are():
    coefficients = dict(zip(FEATURES, default_model().ring_classifier.coefficients, strict=True))
    assert coefficients["mean_logit"] > 0
    assert coefficients["max_logit"] > 0
    assert coefficients["log_joined_apart_days"] < 0
