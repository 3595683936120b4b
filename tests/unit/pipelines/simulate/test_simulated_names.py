"""How a world's codes become names: opaque, unique, and addresses as the contract writes them."""

import ast
import ipaddress
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ringwatch.pipelines import simulate
from ringwatch.pipelines.simulate.knobs.page import knobs_page
from ringwatch.pipelines.simulate.knobs.scenarios import SCENARIOS
from ringwatch.pipelines.simulate.knobs.variation import turned, varied
from ringwatch.pipelines.simulate.population.names import opaque_ids, uniform
from ringwatch.pipelines.simulate.population.networks import home_v6_code, ip_texts
from ringwatch.pipelines.simulate.population.world import COUNTRIES, Arguments, World

WORLD = World(Arguments(100, 1, 1, 3, "disclosure"))
codes = st.lists(st.integers(0, 2**62), min_size=1, max_size=50, unique=True).map(lambda c: np.array(c, dtype=np.int64))


@given(codes, st.integers(0, 2**32))
def test_ids_are_unique_and_look_alike(found: np.ndarray, key: int):
    names = opaque_ids("a_", found, key).to_pylist()
    assert len(set(names)) == len(names)
    assert {len(name) for name in names} == {18}


def test_a_negative_code_is_nobody():
    assert opaque_ids("a_", np.array([-1, 5]), 0).to_pylist()[0] is None


@given(codes, st.integers(0, 2**32))
def test_what_is_settled_by_hash_lies_between_0_and_1(found: np.ndarray, key: int):
    assert ((uniform(found, key) >= 0) & (uniform(found, key) < 1)).all()


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=50, unique=True))
def test_addresses_are_canonical_public_and_unique(found: list[int]):
    texts = ip_texts(np.array(found), WORLD).to_pylist()
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert str(ipaddress.ip_address(text)) == text
        assert not ipaddress.ip_address(text).is_private


@given(st.integers(0, len(COUNTRIES) - 1), st.integers(0, 2**30), st.integers(0, 249))
def test_ipv6_addresses_of_a_household_are_canonical_and_share_its_48(country: int, home: int, suffix: int):
    both = home_v6_code(np.array([country] * 2), np.array([home] * 2), np.array([suffix, (suffix + 1) % 250]))
    one, other = (ipaddress.ip_address(text) for text in ip_texts(both, WORLD).to_pylist())
    assert str(one) == ip_texts(both[:1], WORLD)[0].as_py()
    assert ipaddress.ip_network(f"{one}/48", strict=False) == ipaddress.ip_network(f"{other}/48", strict=False)


def test_the_page_of_knobs_is_current():
    page = Path(__file__).parents[4] / "pipelines" / "simulate" / "KNOBS.md"
    assert page.read_text() == knobs_page(), (
        "run: python -m ringwatch.pipelines.simulate.knobs.page > pipelines/simulate/KNOBS.md"
    )


def test_every_kind_says_what_it_is_modelled_on():
    assert all(kind.modelled_on for scenario in SCENARIOS.values() for kind in scenario.kinds)


def test_people_and_campaigns_differ_in_declared_numbers_and_in_nothing_else():
    """Behaviour never asks who is fake: that is for truth, labels, bans, victims of theft and campaigns' names."""
    kinds = {kind.name for scenario in SCENARIOS.values() for kind in scenario.kinds} - {"person"}
    may_ask = {"truth", "labelling", "reaction", "holdings", "groups", "measure", "nights", "framing"}
    for module in Path(simulate.__file__).parent.rglob("*.py"):
        if module.parent.name == "knobs":
            continue
        code = ast.parse(module.read_text())
        words = {
            node.value for node in ast.walk(code) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert not words & kinds, module
        assert "is_fake" not in words or module.stem in may_ask, module


@given(st.integers(0, 2**32), st.floats(0, 1))
def test_turned_at_random_shares_stay_shares_and_ranges_stay_in_order(seed: int, vary: float):
    for kind in varied(SCENARIOS["disclosure"].kinds, vary, np.random.default_rng(seed)):
        assert 0 < kind.share < 1
        assert 0 <= kind.devices.shared <= 1
        assert kind.cards.accounts_each[0] <= kind.cards.accounts_each[1]
        assert (kind.group_size == (1.0, 1.0)) == (kind.name in ("person", "framework_user", "vpn_user", "traveller"))


def test_knobs_not_turned_stay_as_declared():
    scenario = SCENARIOS["disclosure"]
    assert varied(scenario.kinds, 0.0, np.random.default_rng(0)) == scenario.kinds
    kinds, desk = turned(scenario.kinds, scenario.desk, {"graders.cards.shared": 0, "desk.overlooked": 0.5})
    graders = next(kind for kind in kinds if kind.name == "graders")
    assert graders.cards.shared == 0
    assert desk.overlooked == 0.5
    assert [kind for kind in kinds if kind.name != "graders"] == [k for k in scenario.kinds if k.name != "graders"]
