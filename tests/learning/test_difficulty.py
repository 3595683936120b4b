"""A simulated world is as hard as its README says: not given away by single accounts, and yet to be solved."""

from ringwatch.pipelines.evaluation.measure import measure
from ringwatch.pipelines.simulate import Arguments


def test_single_accounts_fail_neighbours_help_components_accuse_and_an_oracle_finds():
    [report] = measure(Arguments(50_000, 8, 30, 3, "disclosure"), n_seeds=1)
    precision = report["average_precision"]
    assert precision["account_features"] <= 0.35
    assert 0.5 <= precision["neighbour_aggregates"] <= 0.75
    assert precision["oracle"] >= 0.9
    assert report["components"]["ordinary_accused"] > 2_000
    assert report["n_fakes_known"] < 0.2 * report["n_fakes_judged"]
