"""What partners' indicators say of the accounts that questions are about: why to ask, and how much more that is worth.

An identifier that many accounts use says nothing about any of them, whoever names it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.graph import HUB_ACCOUNTS
from ringwatch.models.explain.wording import count

_Hit = dict[str, Any]


class PartnerEvidence(NamedTuple):
    """What partners say of a ring or an account: `weight` is the sum of its accounts' confidences, each 0..1."""

    text: str
    weight: float


def partner_evidence(hits: pa.Table, accounts: pa.Table, about: str) -> dict[str, PartnerEvidence]:
    """What partners say, by ring or account.

    Args:
        hits: by `ringwatch.pipelines.indicators.matches.HITS_SCHEMA`.
        accounts: those that can be decided on, with account_id and ring_id.
        about: column of what a question is about: ring_id or account_id.
    """
    specific = {each["account_id"] for each in _specific_hits(hits)}
    named = accounts.filter(pc.is_in(accounts["account_id"], value_set=pa.array(sorted(specific), pa.string())))
    about_account = dict(zip(named["account_id"].to_pylist(), named[about].to_pylist(), strict=True))
    found: dict[str, list[_Hit]] = defaultdict(list)
    for hit in _specific_hits(hits):
        if (key := about_account.get(hit["account_id"])) is not None:
            found[key].append(hit)
    return {key: _evidence(of, is_ring=about == "ring_id") for key, of in found.items()}


def rarest(hits: pa.Table, account_ids: Sequence[str], n: int) -> list[str]:
    """Of some accounts the `n` whose rarest identifier that partners name is on fewest accounts."""
    fewest = dict.fromkeys(account_ids, HUB_ACCOUNTS + 1)
    for hit in _specific_hits(hits):
        if hit["account_id"] in fewest:
            fewest[hit["account_id"]] = min(hit["n_accounts"], fewest[hit["account_id"]])
    fewest = {account_id: n_accounts for account_id, n_accounts in fewest.items() if n_accounts <= HUB_ACCOUNTS}
    return sorted(fewest, key=lambda account_id: (fewest[account_id], account_id))[:n]


def _specific_hits(hits: pa.Table) -> Iterator[_Hit]:
    yield from hits.filter(pc.less_equal(hits["n_accounts"], HUB_ACCOUNTS)).to_pylist()


def _evidence(hits: Sequence[_Hit], *, is_ring: bool) -> PartnerEvidence:
    text, confidence = "", defaultdict[str, int](int)
    for partner in sorted({hit["partner"] for hit in hits}):
        by_partner = [hit for hit in hits if hit["partner"] == partner]
        n_identifiers = len({hit["identifier"] for hit in by_partner})
        of = f"{len({hit['account_id'] for hit in by_partner}):,} of them" if is_ring else "it"
        text += f"; {partner} names {count(n_identifiers, 'identifier')} of {of}"
    for hit in hits:
        confidence[hit["account_id"]] = max(confidence[hit["account_id"]], hit["confidence"])
    return PartnerEvidence(text, sum(confidence.values()) / 100)
