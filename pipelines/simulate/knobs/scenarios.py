"""Scenarios: which kinds there are, who of them is ever labelled, and what happens while the nights go by."""

from dataclasses import dataclass, replace
from typing import Annotated

from ringwatch.pipelines.simulate.knobs.campaigns import CAMPAIGNS
from ringwatch.pipelines.simulate.knobs.declaration import Kind
from ringwatch.pipelines.simulate.knobs.ordinary import ORDINARY
from ringwatch.pipelines.simulate.knobs.rings import RING_FAMILIES
from ringwatch.pipelines.simulate.knobs.tight_groups import INNOCENT_FAMILIES, SOCIETY


@dataclass(frozen=True)
class Desk:
    """What the platform's people come to know: few labels, late, biased to what was visible, sometimes wrong."""

    reviews_per_day: Annotated[float, "accounts reviewed by hand a day, in 100,000"] = 20.0
    visibility: Annotated[float, "power of an account's requests of the day in the choice of what is reviewed"] = 0.7
    overlooked: Annotated[float, "share of fakes that a review takes for legitimate"] = 0.06
    wronged: Annotated[float, "share of ordinary accounts that a review takes for fake"] = 0.02
    review_days: Annotated[float, "days from the choice to the decision, on average"] = 3.0
    audits_per_day: Annotated[float, "accounts drawn evenly from all active ones and looked at closely, in 100,000"] = (
        10.0
    )
    dispute_labelled: Annotated[float, "share of chargebacks after which the account is labelled fake"] = 0.7
    partner_confidence: Annotated[float, "confidence that a partner's report is given"] = 0.7
    partner_wrong: Annotated[float, "reports of ordinary accounts on a campaign's network, to one of a fake"] = 0.1
    appeal_days: Annotated[float, "days until a wrongly banned person is heard, on average"] = 4.0
    fakes_appeal: Annotated[float, "share of banned fakes that appeal, and fail"] = 0.1


@dataclass(frozen=True)
class Logging:
    """What the platform records of what happens, and what it lacks."""

    absent: frozenset[str] = frozenset()  # signals that it does not have, and "contacts"
    addresses: float = 1.0  # share of the accounts' days whose addresses it has
    gateway_days: float = 0.0  # share of days on which its own gateway is logged in place of clients
    gateway_sessions: float = 0.0  # share of the accounts on such a day of which that is so


@dataclass(frozen=True)
class Scenario:
    """A world's plan. Nights count from 1, history from 0 downwards."""

    name: str
    about: str
    kinds: tuple[Kind, ...] = ORDINARY + CAMPAIGNS
    unlabelled: frozenset[str] = frozenset()  # kinds of campaigns of which nobody ever learns
    desk: Desk = Desk()
    logging: Logging = Logging()
    is_drawn: bool = False  # `random_structure` draws its kinds, desk and logging from the seed
    launch_night: int = -3  # a new model is released, and usage moves to it
    launch_surge: float = 1.0  # by how much the launch multiplies usage and sign-ups
    country_night: int | None = None  # sign-ups from a new country begin
    is_budget_swept: bool = False  # campaigns spend from nothing to everything on fresh identifiers
    is_framed: bool = False  # in the last nights attackers frame ordinary people


def _camouflaged(kind: Kind) -> Kind:
    """More of everything that ordinary people have too, added to what the campaign shares."""
    popular, stolen = 0.15, 0.08
    stocks = {
        name: replace(stock, held=stock.held + 0.4, popular=stock.popular + popular, stolen=stock.stolen + stolen)
        for name in ("devices", "cards", "templates")
        if (stock := getattr(kind, name))
    }
    bought = replace(kind.joining, bought=max(kind.joining.bought, 0.25))
    return replace(kind, joining=bought, **stocks)


# Many campaigns of a middling size, the same but for what they spend: one world shows the whole curve.
_SWEPT = tuple(
    replace(kind, n_campaigns=0, group_size=(30.0, 60.0), groups_scale=False, share=kind.share * 1.5)
    if kind.name in ("bulk_pivoting", "multi_route", "graders", "hydra")
    else kind
    for kind in CAMPAIGNS
)

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("disclosure", "all campaigns of the February 2026 disclosures, each kind labelled now and then"),
        Scenario(
            "novel",
            "the same campaigns, of which the two largest kinds and the camouflaged ring never get a label",
            unlabelled=frozenset({"bulk_pivoting", "multi_route", "sleepers"}),
        ),
        Scenario(
            "camouflage",
            "every campaign buys aged accounts and adds edges to what ordinary people use",
            kinds=ORDINARY + tuple(_camouflaged(kind) for kind in CAMPAIGNS),
        ),
        Scenario("quiet", "no fakes at all: whoever is accused is accused wrongly", kinds=ORDINARY),
        Scenario(
            "drift",
            "a launch doubles usage and sign-ups, and a new country joins, while the campaigns go on",
            launch_night=2,
            launch_surge=2.0,
            country_night=3,
        ),
        Scenario(
            "evasion",
            "campaigns of one make spend on fresh addresses, cards, devices and templates: from nothing to everything",
            kinds=ORDINARY + _SWEPT,
            is_budget_swept=True,
        ),
        Scenario(
            "random-structure",
            "tight innocent groups, campaigns, labels and missing signals, all drawn at random from families of them",
            kinds=SOCIETY + INNOCENT_FAMILIES + RING_FAMILIES,
            is_drawn=True,
        ),
        Scenario(
            "framing",
            "the same as disclosure; in the last nights attackers' accounts frame ordinary people, in many ways",
            is_framed=True,
        ),
    )
}
