"""When an account is listed, and for how long: data, in a file of the platform's own if it has one (policy.toml).

Versioned: every list says which policy made it, and holds all of it.
"""

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from ringwatch.pipelines.common.errors import RingwatchError

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Policy:
    """Rules of the ban list.

    A score alone never lists an account: it must hang together with others that are suspicious, by likely links that
    share more than a network (`min_core_accounts`), and be in a ring or share independent kinds of identifiers. An
    address and its subnet are one kind. The score asked for is the lowest at which simulated worlds, other than those
    that judge it, had under one ordinary account to 500 fakes. What a person decided comes before all of this, but
    where the model sees nothing at all it takes two: in simulated worlds nine in ten of the reviewers' wrong findings
    are such, and one in twenty of their right ones.

    The same evidence with a lower score, from `restrict_from` on, restricts an account where a higher one bans it.

    What is allowed, too young, hardly active or on a plan that needs a person is listed by no rule. What rules newly
    list may wait, so that a campaign does not learn on which night it was seen: a ring goes out as one, `delay_days`
    and up to `jitter_days` after it was first found. A share of accounts, drawn at random, is held out longer: what
    becomes of those tells whether the rules are right.

    The caps are on accounts that rules newly list in a night; above them nothing goes out. A small list may go out
    without a person: at most `auto_approve_up_to` changes, all by rules and at the score asked for, by a trained
    model, and not held.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    version: str = "6"
    min_fraud_score: Share = 0.98
    restrict_from: Share = 0.98  # as high as min_fraud_score: nobody is restricted
    contested_below: Share = 0.05  # a score with which a person's finding waits for a second person's
    min_core_accounts: Count = 6  # in its connected core, itself included; smaller ones are for people to decide
    min_evidence_kinds: Count = 2  # for an account outside every ring
    expires_after_days: Count = 90
    renew_within_days: Count = 30  # fresh evidence renews an entry this long before it expires, and not every night
    appeal_within_days: Count = 30
    min_account_age_days: Count = 0
    min_requests: Count = 0
    plans_that_need_a_person: tuple[str, ...] = ()
    allowed_accounts: tuple[str, ...] = ()
    allowed_organizations: tuple[str, ...] = ()
    allowed_email_domains: tuple[str, ...] = ()
    allowed_subnets: tuple[str, ...] = ()  # as the graph has them: /24 of IPv4, /48 of IPv6
    max_new_share: Share = 0.05  # of all accounts
    max_new_floor: Count = 100  # so many may always be listed, however small the platform
    max_new: Count = 20_000
    # Of all accounts on one, where it is more than max_new_floor; a campaign may well own a subnet.
    max_new_share_of_subnet: Share = 1.0
    max_new_share_of_organization: Share = 0.5
    max_new_share_of_country: Share = 0.1
    delay_days: Count = 0
    jitter_days: Count = 0
    holdout_share: Share = 0.0
    holdout_days: Count = 14
    approval_holds_days: Count = 7  # what is not out by then has to be approved again
    auto_approve_up_to: Count = 0
    auto_approve_from_score: Share = 0.99

    @property
    def expires_after(self) -> timedelta:
        """How long an entry stays in force on the same evidence."""
        return timedelta(days=self.expires_after_days)

    @property
    def renew_within(self) -> timedelta:
        """How long before its end an entry may be renewed."""
        return timedelta(days=self.renew_within_days)

    @property
    def appeal_within(self) -> timedelta:
        """How long the account's owner may appeal."""
        return timedelta(days=self.appeal_within_days)


POLICY = Policy()
STARTING_POLICY = Path(__file__).with_name("starting_policy.toml")  # the same, as a file to change


def read_policy(file: Path | None) -> Policy:
    """The policy of a TOML file, in which a field left out is as in the one that ships; without a file, that one.

    Raises:
        RingwatchError: it cannot be read, names a field that there is not, or has no version of its own.
    """
    if file is None:
        return POLICY
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
        policy = TypeAdapter(Policy).validate_python(given)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise RingwatchError(f"the policy in {file} is malformed: {faults}.") from None
    except (OSError, ValueError) as error:
        raise RingwatchError(f"the policy in {file} cannot be read: {error}.") from None
    if given.get("version", POLICY.version) == POLICY.version:
        raise RingwatchError(
            f'the policy in {file} needs a version of its own, such as version = "2026-04-01": lists name it.'
        )
    return policy
