"""Whom no rule lists, whatever the score: who is allowed, on a plan that needs a person, too young or hardly active."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.pipelines.ban_list.rules.policy import Policy

_DAY = np.timedelta64(1, "D")


class Exemptions:
    """Those of a night under a policy."""

    def __init__(self, snapshot: Snapshot, policy: Policy) -> None:
        """Nothing is computed before it is asked for."""
        self._snapshot, self._policy = snapshot, policy

    def of(self, account_ids: Sequence[str]) -> dict[str, str]:
        """Why accounts are exempt, of those that are."""
        codes = self._snapshot.account_codes(pa.array(account_ids, pa.string()))
        found: dict[str, str] = {}
        for why, is_exempt in self._exempt.items():
            for at in np.flatnonzero((codes >= 0) & is_exempt[codes]):
                found.setdefault(account_ids[int(at)], why)
        return found

    @cached_property
    def _exempt(self) -> dict[str, np.ndarray]:
        """By reason, `[n_accounts] bool`, the strongest first; reasons that exempt nobody are left out."""
        policy, accounts = self._policy, self._snapshot.accounts
        young = np.datetime64(self._snapshot.end_of_day) - policy.min_account_age_days * _DAY
        found = {
            "allowlist: the account": _is_in(accounts["id"], policy.allowed_accounts),
            "allowlist: its organization": self._uses("MEMBER_OF_ORG", policy.allowed_organizations),
            "allowlist: its email domain": self._uses("HAS_EMAIL_DOMAIN", policy.allowed_email_domains),
            "allowlist: its subnet": self._uses_subnet(policy.allowed_subnets),
            "its plan needs a person": _is_in(accounts["plan"], policy.plans_that_need_a_person),
            "too young": accounts["created_at"].cast(pa.timestamp("us")).to_numpy() > young,
            "hardly active": accounts["n_requests"].fill_null(0).to_numpy() < policy.min_requests,
        }
        return {why: is_exempt for why, is_exempt in found.items() if is_exempt.any()}

    def _uses(self, type_: str, ids: tuple[str, ...]) -> np.ndarray:
        """Accounts with a relationship of a type to one of the identifiers."""
        found = np.zeros(self._snapshot.n_accounts, dtype=bool)
        found[self._snapshot.ends[type_].start[_is_in(self._snapshot.relationships[type_]["end_id"], ids)]] = True
        return found

    def _uses_subnet(self, cidrs: tuple[str, ...]) -> np.ndarray:
        in_subnet = self._snapshot.relationships["IN_SUBNET"]
        addresses = in_subnet.filter(pa.array(_is_in(in_subnet["end_id"], cidrs)))["start_id"].to_pylist()
        return self._uses("USED_IP", tuple(addresses))


def _is_in(column: pa.ChunkedArray, values: tuple[str, ...]) -> np.ndarray:
    found = pc.is_in(column, value_set=pa.array(values, pa.string()))
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)
