"""The policy's caps on what rules may newly list in one night: above one of them nothing goes out.

They stop what no person could have looked through: a broken feed, a model gone wrong, one carrier, campus or country
taken for a campaign.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.models.data.identifiers import each_once, subnets_of_accounts
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.pipelines.ban_list.rules.entries import RULES, Entry
from ringwatch.pipelines.ban_list.rules.policy import Policy


class _Groups(NamedTuple):
    """Accounts by what they belong to: one row a membership."""

    kind: str
    account: np.ndarray  # [n_memberships] codes of accounts
    group: np.ndarray  # [n_memberships] codes of groups
    names: pa.ChunkedArray
    max_share: float


def over_caps(before: Iterable[Entry], current: Iterable[Entry], snapshot: Snapshot, policy: Policy) -> list[str]:
    """A sentence for each cap that a list is above, the list before it being known."""
    known = {entry.account_id for entry in before}
    new = [entry.account_id for entry in current if entry.decided_by in RULES and entry.account_id not in known]
    return [*_over_all(len(new), snapshot.n_accounts, policy), *_over_groups(new, snapshot, policy)]


def _over_all(n_new: int, n_accounts: int, policy: Policy) -> Iterator[str]:
    by_share = max(int(policy.max_new_share * n_accounts), policy.max_new_floor)
    caps = {f"{policy.max_new_share:.1%} of {n_accounts:,} accounts": by_share, f"{policy.max_new:,}": policy.max_new}
    for cap, most in caps.items():
        if n_new > most:
            yield f"rules newly list {n_new:,} accounts, more than {cap}"


def _over_groups(new: list[str], snapshot: Snapshot, policy: Policy) -> Iterator[str]:
    is_new = np.zeros(snapshot.n_accounts, dtype=bool)
    is_new[snapshot.account_codes(pa.array(new, pa.string()))] = True
    for groups in _groups(snapshot, policy) if len(new) > policy.max_new_floor else ():
        n_all = np.bincount(groups.group, minlength=len(groups.names))
        n_new = np.bincount(groups.group[is_new[groups.account]], minlength=len(groups.names))
        is_over = (n_new > policy.max_new_floor) & (n_new > groups.max_share * n_all)
        for at in np.flatnonzero(is_over).tolist():
            yield (
                f"rules newly list {n_new[at]:,} of the {n_all[at]:,} accounts of {groups.kind} {groups.names[at]},"
                f" more than {groups.max_share:.0%}"
            )


def _groups(snapshot: Snapshot, policy: Policy) -> Iterator[_Groups]:
    account, subnet = subnets_of_accounts(snapshot)[:2]
    n_subnets = max(snapshot.nodes["Subnet"].num_rows, 1)
    pairs = each_once(account * n_subnets + subnet)  # an account reaches a subnet through each of its addresses
    names = snapshot.nodes["Subnet"]["id"]
    yield _Groups("subnet", pairs // n_subnets, pairs % n_subnets, names, policy.max_new_share_of_subnet)
    member, names = snapshot.ends["MEMBER_OF_ORG"], snapshot.nodes["Organization"]["id"]
    yield _Groups("organization", member.start, member.end, names, policy.max_new_share_of_organization)
    countries = pc.dictionary_encode(snapshot.accounts["country"].combine_chunks())
    known = np.flatnonzero(pc.is_valid(countries).to_numpy(zero_copy_only=False))
    code = countries.indices.drop_null().to_numpy()
    yield _Groups("country", known, code, countries.dictionary, policy.max_new_share_of_country)
