"""What can be set about a kind of account: every number by which people and campaigns differ.

People and campaigns are made by the same code from these declarations (`ordinary.py`, `campaigns.py`). A `Range` is
drawn from once a group, evenly on the logarithm; a `Weights` gives shares in proportion. Each knob is annotated with
what it means: the docs page is made from it, and a file of knobs may set it by its path, as in `graders.cards.shared`.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

Range: TypeAlias = tuple[float, float]
Weights: TypeAlias = tuple[float, ...]

TASKS = ("chat", "coding", "vision", "reasoning", "grading", "agentic", "other")
PLANS = ("free", "developer", "team", "enterprise")
SOURCES = ("home", "mobile", "group", "vpn", "proxy", "cloud")
NETWORK_TYPES = ("residential", "mobile", "business", "education", "hosting", "vpn", "proxy", "tor")


def networks(**weights: float) -> Weights:
    """Weights of network types, by name."""
    return tuple(weights.get(type_, 0.0) for type_ in NETWORK_TYPES)


ALONE: Range = (1.0, 1.0)  # the group size of those without a group
_BUSINESS = networks(business=1.0)


@dataclass(frozen=True)
class Joining:
    """When the accounts of a group sign up, and begin."""

    since_days: Annotated[Range, "days between the first sign-up of a group and the end of the plan"] = (1.0, 400.0)
    within_days: Annotated[Range, "days over which a group's sign-ups are spread; 0.04 is an hour"] = (30.0, 400.0)
    dormant_days: Annotated[Range, "days from sign-up to first activity, by account"] = (0.002, 20.0)
    leave_per_day: Annotated[float, "chance a day that an account is never used again"] = 0.002
    bought: Annotated[float, "share bought from ordinary people, whose life the account had before"] = 0.0
    referred: Annotated[float, "share referred by an account of its group that came before"] = 0.03
    by_strangers: Annotated[float, "share that use the referral code of some ordinary person"] = 0.0


@dataclass(frozen=True)
class Stock:
    """How accounts come by identifiers of one sort: their own, the group's, many strangers', or somebody's."""

    held: Annotated[float, "identifiers an account has, on average; at most three"] = 1.0
    shared: Annotated[float, "share of them that come from the group's stock"] = 0.0
    of_groups: Annotated[float, "share of the groups that have such a stock; in the others each has its own"] = 1.0
    accounts_each: Annotated[Range, "accounts of the group on one identifier of its stock"] = (2.0, 4.0)
    popular: Annotated[
        float, "share that many strangers have alike: common fingerprints, frameworks, rented numbers"
    ] = 0.0
    stolen: Annotated[float, "share that belong to some ordinary person"] = 0.0
    renewed_per_day: Annotated[float, "chance a day that an account replaces one by a new one"] = 0.0005


@dataclass(frozen=True)
class Place:
    """Where an account's traffic comes from."""

    sources: Annotated[Weights, f"weights of {', '.join(SOURCES)}"] = (0.59, 0.3, 0.0, 0.04, 0.0, 0.07)
    extra: Annotated[float, "addresses a day beyond the first, on average"] = 0.6
    networks: Annotated[Weights, f"weights of the group's own network's type: {', '.join(NETWORK_TYPES)}"] = _BUSINESS
    accounts_per_address: Annotated[Range, "accounts of the group on one address of its network"] = (4.0, 12.0)
    n_subnets: Annotated[Range, "subnets over which the group's own addresses lie"] = (1.0, 1.5)
    one_home: Annotated[float, "share at the home line of their group's first account"] = 0.0
    abroad: Annotated[float, "share that give another country than their group's at sign-up, or travel"] = 0.02


@dataclass(frozen=True)
class Work:
    """What an account does, and when."""

    active: Annotated[Range, "share of days on which an account is active, by account"] = (0.02, 0.5)
    weekend: Annotated[float, "activity on a Saturday or Sunday, as a share of that on a working day"] = 0.75
    hours: Annotated[float, "hours with usage on an active day, on average"] = 2.2
    clock: Annotated[float, "share of hours at any time of day, as a machine keeps them"] = 0.05
    together: Annotated[float, "share of hours that fall into the few hours of the day on which the group works"] = 0.0
    requests: Annotated[float, "median of requests in such an hour"] = 5.0
    spread: Annotated[float, "spread between accounts, as standard deviation of the requests' logarithm"] = 1.2
    tasks: Annotated[Weights, f"weights of {', '.join(TASKS)}"] = (0.5, 0.22, 0.05, 0.08, 0.01, 0.08, 0.06)
    templated: Annotated[float, "share of usage with a prompt's fixed part that is recognised"] = 0.18
    surges: Annotated[float, "share of a scenario's surge after a launch that the kind takes part in"] = 1.0
    new_model_first_day: Annotated[
        float, "share of usage moved to a released model within a day; others come slowly"
    ] = 0.04


@dataclass(frozen=True)
class Paying:
    """Plans and payments."""

    plans: Annotated[Weights, f"weights of {', '.join(PLANS)}"] = (0.66, 0.26, 0.07, 0.01)
    from_days: Annotated[Range, "days from first activity to the first instrument, by account that pays"] = (0.02, 60.0)
    topups_per_month: Annotated[float, "payments beside the monthly one, of those who pay"] = 0.6
    failed: Annotated[float, "share of payments that fail"] = 0.05
    disputed: Annotated[float, "share of successful payments that are charged back 10 to 50 days later"] = 0.002
    prepaid: Annotated[float, "share of instruments that are prepaid cards, crypto or vouchers"] = 0.04
    transfers_per_month: Annotated[float, "transfers to an account of the group, or a stranger without one"] = 0.02
    to_strangers: Annotated[float, "share of a group's transfers that go to anybody"] = 0.0


@dataclass(frozen=True)
class Visible:
    """How the platform's own people come to see a kind."""

    review: Annotated[float, "weight of an account of this kind in the choice of what is reviewed by hand"] = 1.0
    mistaken: Annotated[float, "weight in the choice of whom partners report wrongly, beside a campaign's accounts"] = (
        0.0
    )
    reported: Annotated[float, "share of a group that a partner company reports, over its life"] = 0.0


@dataclass(frozen=True)
class Kind:
    """A kind of account: the same numbers for people and campaigns."""

    name: str
    modelled_on: str  # what it stands for, and the source
    share: Annotated[float, "share of all accounts"] = 0.0
    is_fake: bool = False
    group_size: Annotated[Range, "accounts in a group; 1: no group at all"] = ALONE
    groups_scale: Annotated[bool, "groups grow with the world, in shares of its accounts, in place of their number"] = (
        False
    )
    n_campaigns: Annotated[int, "campaigns among which the groups are dealt; 0: each group is one of its own"] = 0
    follows: str | None = None  # a kind whose groups' networks these groups use, too
    variety: Annotated[float, "how far groups differ, as standard deviation of the logarithm of their numbers"] = 0.25
    emails: Annotated[Weights, "weights of free mail, the group's domain, a domain of one's own, null"] = (
        0.86,
        0.0,
        0.1,
        0.04,
    )
    same_email: Annotated[float, "share that give their group's e-mail address, or an alias of it"] = 0.0
    organization: Annotated[float, "share that belong to the group's organisation"] = 0.0
    joining: Joining = Joining()
    devices: Stock = Stock(held=1.4, popular=0.1)
    cards: Stock = Stock(held=1.1)
    templates: Stock = Stock(held=1.5, popular=0.5, renewed_per_day=0.01)
    phones: Stock = Stock(held=0.4)
    place: Place = Place()
    work: Work = Work()
    paying: Paying = Paying()
    visible: Visible = Visible()
    # How a campaign answers.
    pivot_days: Annotated[Range, "days between changes of infrastructure and templates; 0: none"] = (0.0, 0.0)
    replaced: Annotated[float, "share of its banned accounts that a campaign replaces within a day"] = 0.0
    flees_at: Annotated[float, "share of its accounts banned in one night at which a campaign pivots at once"] = 1.1
