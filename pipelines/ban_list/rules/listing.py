"""From the list in force to the next one, and what changes between them.

An entry stays as it was decided, with its evidence, until it expires, a person clears the account, or fresh evidence
renews it shortly before its end: a list that changes only where something happened can be checked by people.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from ringwatch.pipelines.ban_list.rules.entries import LIFT, RESTRICT, RULES, Entry, sort
from ringwatch.pipelines.ban_list.rules.policy import Policy

if TYPE_CHECKING:
    from ringwatch.pipelines.ban_list.rules.candidates import Candidates  # loads detection: seconds

EXPIRED = "rule: expired without fresh evidence"
WITHDRAWN = "rule: listed by a list that was corrected since"
_PERSON = "person: "


def next_list(
    former: Iterable[Entry], tonight: "Candidates", *, ended: Mapping[str, str], at: datetime, policy: Policy
) -> list[Entry]:
    """The whole list in force from `at` on, sorted.

    Args:
        former: the last list published before.
        tonight: what the night says.
        ended: accounts whose entries the night ends, as `ended_by` says.
        at: the end of the night.
        policy: says when an entry is renewed.
    """
    by_account = dict(tonight.listed)
    for old in former:
        fresh = by_account.get(old.account_id)
        if fresh is None:
            if old.expires_at > at and old.account_id not in ended:
                by_account[old.account_id] = old
        elif _stands(old, fresh, at, policy):
            by_account[old.account_id] = old
        else:
            by_account[old.account_id] = replace(fresh, first_listed_at=old.first_listed_at)
    return sort(by_account.values())


def ended_by(former: Iterable[Entry], tonight: "Candidates") -> dict[str, str]:
    """Of the entries of a list those that the night ends, and what ends each: a person, or the policy's exemptions."""
    by_rule = [entry.account_id for entry in former if entry.decided_by in RULES]
    exempt = {account_id: f"rule: {why}" for account_id, why in tonight.exemptions.of(by_rule).items()}
    return exempt | tonight.cleared


def _stands(old: Entry, fresh: Entry, at: datetime, policy: Policy) -> bool:
    """Whether an entry stays as it is although there is fresh evidence."""
    is_due = old.expires_at - at <= policy.renew_within
    newly_by_a_person = fresh.decided_by.startswith(_PERSON) and fresh.decided_by != old.decided_by
    is_worse = old.action == RESTRICT != fresh.action  # a ban on less sure evidence stays one until it is due
    return not (is_due or newly_by_a_person or is_worse)


def difference(
    former: Iterable[Entry], current: Iterable[Entry], *, ended: Mapping[str, str], corrected: Iterable[Entry] = ()
) -> list[Entry]:
    """What a consumer has to do to get from the former list to the current one, sorted.

    Args:
        former: the last list published before.
        current: the list now.
        ended: accounts whose entries the night ends, and what ends each, as `ended_by` says.
        corrected: the difference of an earlier version of the current list. Each of its accounts is told anew, so that
            the result is right for consumers who applied that version and for those who did not.
    """
    before = {entry.account_id: entry for entry in former}
    now = {entry.account_id: entry for entry in current}
    told = {entry.account_id: entry for entry in corrected}
    changed = [e for account_id, e in now.items() if before.get(account_id) != e or account_id in told]
    lifts = [
        replace(
            entry,
            action=LIFT,
            decided_by=ended.get(account_id, EXPIRED if account_id in before else WITHDRAWN),
        )
        for account_id, entry in {**told, **before}.items()
        if account_id not in now
    ]
    return sort([*changed, *lifts])
