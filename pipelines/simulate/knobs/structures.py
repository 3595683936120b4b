"""Worlds of random structure: which tight groups and campaigns there are, what they share, and what is recorded.

A family is a kind (`tight_groups.py`, `rings.py`). Drawing turns its numbers, drops some of what it shares, and gives
it a share of the accounts; families that are not drawn stay at a share of 0, so that a knob can name each.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from ringwatch.pipelines.simulate.knobs.declaration import SOURCES, Kind, Visible, Work
from ringwatch.pipelines.simulate.knobs.rings import RING_FAMILIES
from ringwatch.pipelines.simulate.knobs.scenarios import Desk, Logging, Scenario
from ringwatch.pipelines.simulate.knobs.tight_groups import INNOCENT_FAMILIES, SOCIETY
from ringwatch.pipelines.simulate.knobs.variation import varied

_ALWAYS = "one_person"
_FOLLOWER = "proxy_customers"
_STOCKS = ("cards", "devices", "phones", "templates")
_SHARE, _SHARE_OF_PEOPLE = (0.004, 0.04), (0.015, 0.12)  # of all accounts: a family, people with several
_LOWEST_PREVALENCE, _HIGHEST_PREVALENCE = 0.002, 0.1
_FEWEST_FAKES = 24  # of a world too small for the lowest prevalence
_ABSENT = ("usage_events", "payments", "device_events", "contacts")
_CHANCE_OF_ABSENCE = 0.18  # of each of them


def random_structure(scenario: Scenario, n_accounts: int, rng: np.random.Generator) -> Scenario:
    """The scenario with kinds, desk and logging drawn for one world."""
    rings = _rings(n_accounts, rng)
    present = [kind.name for kind in rings if kind.share]
    kinds = _with_habits(SOCIETY + _innocent(rings, rng) + rings, rng)
    unlabelled = frozenset(name for name in present if rng.random() < 0.4)
    return replace(scenario, kinds=kinds, unlabelled=unlabelled, desk=_desk(rng), logging=_logging(rng))


def _with_habits(kinds: tuple[Kind, ...], rng: np.random.Generator) -> tuple[Kind, ...]:
    """Kinds as on a platform on which everybody invites and pays others, or as they were."""
    invites, transfers = (
        _between(low, high, rng) if rng.random() < 0.35 else 0.0 for low, high in ((0.1, 0.7), (0.2, 5.0))
    )
    return tuple(
        replace(
            kind,
            joining=replace(kind.joining, referred=max(kind.joining.referred, invites)),
            paying=replace(kind.paying, transfers_per_month=max(kind.paying.transfers_per_month, transfers)),
        )
        for kind in kinds
    )


def _innocent(rings: tuple[Kind, ...], rng: np.random.Generator) -> tuple[Kind, ...]:
    """Three to six families of tight ordinary groups, and always people with several accounts."""
    others = [kind.name for kind in INNOCENT_FAMILIES if kind.name != _ALWAYS]
    with_network = [kind.name for kind in rings if kind.share and kind.place.sources[SOURCES.index("group")]]
    follows = str(rng.choice(with_network)) if with_network else None
    chosen = {_ALWAYS, *rng.choice(others, size=rng.integers(3, 7), replace=False).tolist()}
    return tuple(
        _innocent_kind(kind, follows, rng) if kind.name in chosen else replace(kind, share=0.0)
        for kind in INNOCENT_FAMILIES
    )


def _innocent_kind(family: Kind, follows: str | None, rng: np.random.Generator) -> Kind:
    low, high = _SHARE_OF_PEOPLE if family.name == _ALWAYS else _SHARE
    kind = replace(family, share=_between(low, high, rng))
    if kind.name == _FOLLOWER:
        kind = replace(kind, follows=follows)
    if rng.random() < 0.25:
        kind = replace(kind, work=_automated(kind.work, rng))
    turned = varied((_with_some_shared(kind, 1, rng),), 0.7, rng)[0]
    return replace(turned, group_size=family.group_size)


def _rings(n_accounts: int, rng: np.random.Generator) -> tuple[Kind, ...]:
    """Four to seven families of campaigns, which together are the world's prevalence."""
    n_chosen = int(rng.integers(4, 8))
    chosen = rng.choice(len(RING_FAMILIES), size=n_chosen, replace=False)
    prevalence = max(_between(_LOWEST_PREVALENCE, _HIGHEST_PREVALENCE, rng), _FEWEST_FAKES / n_accounts)
    shares = np.zeros(len(RING_FAMILIES))
    shares[chosen] = prevalence * rng.dirichlet(np.full(n_chosen, 1.5))
    largest = np.sort(shares)[-2]
    return tuple(
        _ring(family, float(share), share >= largest, rng) if share else replace(family, share=0.0)
        for family, share in zip(RING_FAMILIES, shares, strict=True)
    )


def _ring(family: Kind, share: float, is_largest: bool, rng: np.random.Generator) -> Kind:
    has_cells = is_largest or rng.random() < 0.5  # of which each has infrastructure of its own
    size, spread = _between(3.0 if has_cells else 6.0, 30.0 if has_cells else 80.0, rng), _between(1.0, 1.8, rng)
    within = _between(0.05, 150.0, rng)
    is_quiet = rng.random() < 0.4  # never charged back nor reported
    is_framing = rng.random() < 0.3  # uses what belongs to ordinary people
    stolen = _between(0.02, 0.2, rng) if is_framing else 0.0
    kind = _with_more_shared(_with_some_shared(family, 2, rng), rng)
    kind = replace(
        kind,
        share=share,
        group_size=(size / spread, size * spread),
        # A campaign that is cut to its share is there in the smallest world, too: without one, there is the other.
        n_campaigns=int(rng.integers(1, 4)) if has_cells else 0,
        joining=replace(
            kind.joining,
            since_days=(max(3.0, within), max(3.0, within) + _between(5.0, 200.0, rng)),
            within_days=(0.7 * within, 1.4 * within),
            dormant_days=(0.01, _between(0.5, 60.0, rng)),
            bought=kind.joining.bought or (_between(0.05, 0.5, rng) if rng.random() < 0.25 else 0.0),
            referred=max(kind.joining.referred, float(rng.choice([0.0, 0.03, 0.3]))),
            by_strangers=stolen / 2,
        ),
        cards=replace(kind.cards, stolen=stolen),
        devices=replace(kind.devices, stolen=stolen / 2),
        work=_automated(kind.work, rng) if rng.random() < 0.65 else kind.work,
        paying=replace(
            kind.paying,
            failed=0.05 + stolen,
            disputed=0.0 if is_quiet else _between(0.002, 0.1, rng),
            to_strangers=2 * stolen,
        ),
        visible=Visible() if is_quiet else Visible(review=_between(1.0, 12.0, rng), reported=_between(0.005, 0.1, rng)),
        pivot_days=(days := _between(4.0, 30.0, rng), 2 * days) if rng.random() < 0.35 else (0.0, 0.0),
    )
    return varied((kind,), 0.5, rng)[0]


def _with_some_shared(kind: Kind, n_at_least: int, rng: np.random.Generator) -> Kind:
    """The kind with some of what its groups share left out, so that so many sorts at least are left."""
    shared = [name for name in _STOCKS if getattr(kind, name).shared]
    dropped = [name for name in shared if rng.random() < 0.25]
    has_network = kind.place.sources[SOURCES.index("group")] > 0 or kind.place.one_home > 0
    n_left = len(shared) - len(dropped) + has_network + (kind.same_email > 0)
    if n_left < n_at_least:
        return kind
    return replace(kind, **{name: replace(getattr(kind, name), shared=0.0) for name in dropped})


def _with_more_shared(kind: Kind, rng: np.random.Generator) -> Kind:
    """The kind with a little of what its family does not share: habits of an operator, or carelessness."""
    added = {
        name: replace(stock, shared=_between(0.05, 0.5, rng), accounts_each=(2.0, _between(2.0, 8.0, rng)))
        for name in _STOCKS
        if not (stock := getattr(kind, name)).shared and rng.random() < 0.35
    }
    return replace(kind, **added)


def _automated(work: Work, rng: np.random.Generator) -> Work:
    """The work of scripts in place of people: hours, tasks and amounts at random."""
    weights = 0.4 * np.array(work.tasks) + 0.6 * rng.dirichlet(np.full(len(work.tasks), 0.5))
    return replace(
        work,
        active=(0.06, _between(0.3, 0.9, rng)),
        hours=_between(1.5, 4.0, rng),
        clock=_between(0.05, 0.8, rng),
        together=_between(0.02, 0.6, rng),
        requests=_between(3.0, 20.0, rng),
        tasks=tuple(weights.tolist()),
        templated=_between(0.1, 0.7, rng),
    )


def _desk(rng: np.random.Generator) -> Desk:
    """Few labels or many, and more or fewer wrong ones."""
    drawn: dict[str, Any] = {
        "reviews_per_day": _between(2.0, 200.0, rng),
        "audits_per_day": _between(1.0, 60.0, rng),
        "overlooked": _between(0.02, 0.25, rng),
        "wronged": _between(0.003, 0.06, rng),
        "dispute_labelled": float(rng.choice([0.0, 0.3, 0.7, 1.0])),
        "partner_wrong": _between(0.02, 0.5, rng),
    }
    return Desk(**drawn)


def _logging(rng: np.random.Generator) -> Logging:
    has_few_addresses, has_gateway = rng.random(2) < (0.2, 0.25)
    return Logging(
        absent=frozenset(name for name in _ABSENT if rng.random() < _CHANCE_OF_ABSENCE),
        addresses=_between(0.05, 0.4, rng) if has_few_addresses else 1.0,
        gateway_days=_between(0.05, 0.5, rng) if has_gateway else 0.0,
        gateway_sessions=_between(0.1, 0.8, rng) if has_gateway else 0.0,
    )


def _between(low: float, high: float, rng: np.random.Generator) -> float:
    """A number between two, evenly on the logarithm."""
    return float(low * (high / low) ** rng.random())
