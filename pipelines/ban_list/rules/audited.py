"""How often the rules are right, by what people found of accounts that they would have listed and that were held out.

Who is held out is drawn by a hash from all that the rules list, so what people find of them is an unbiased sample of
the lists so far, and an exact upper limit of the share of wrong listings holds for those. Accounts of one ring are
right or wrong together, so for rings yet to come it is rings that were counted: one with a wrong member is a wrong
ring.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.signals import PEOPLE_SOURCES
from ringwatch.models.common.intervals import n_to_certify, upper_limit, wilson
from ringwatch.pipelines.ban_list.rules.pacing import HELD_OUT, Waiting

WRONG_AIMED_AT = 1 / 500  # share of ordinary accounts among those that the rules list


@dataclass(frozen=True)
class Audit:
    """What became of the accounts held out.

    Attributes:
        n_held_out: so far.
        n_fake: of those, found fake by people.
        n_legitimate: found legitimate.
        n_undecided: not looked at yet.
        precision: share of fakes among those decided; None before the first.
        at_least: lower end of its 95 % interval (Wilson).
        at_most: upper end.
        wrong: accounts found legitimate, sorted.
        wrong_at_most: upper limit (95 %) of the share of wrong listings so far; 1 before the first is decided.
        wrong_rings_at_most: the same of rings with a wrong member, and of accounts outside every ring.
        n_to_certify: decided accounts, none of them wrong, that would certify 1 wrong in 500.
    """

    n_held_out: int
    n_fake: int
    n_legitimate: int
    n_undecided: int
    precision: float | None
    at_least: float | None
    at_most: float | None
    wrong: list[str]
    wrong_at_most: float
    wrong_rings_at_most: float
    n_to_certify: int


def audit_of(waited: Iterable[Waiting], labels: pa.Table) -> Audit:
    """What people found, by a night's labels, of those held out among all who waited."""
    ring_of = {each.account_id: each.ring_id or each.account_id for each in waited if each.why == HELD_OUT}
    by_people = labels.filter(pc.is_in(labels["source"], value_set=pa.array(PEOPLE_SOURCES)))
    said = dict(zip(by_people["account_id"].to_pylist(), by_people["label"].to_pylist(), strict=True))
    fake = {account_id for account_id in ring_of if said.get(account_id) == "fake"}
    wrong = {account_id for account_id in ring_of if said.get(account_id) == "legitimate"}
    n = len(fake) + len(wrong)
    rings, wrong_rings = ({ring_of[each] for each in some} for some in (fake | wrong, wrong))
    low, high = wilson(len(fake), n) if n else (None, None)
    return Audit(
        n_held_out=len(ring_of),
        n_fake=len(fake),
        n_legitimate=len(wrong),
        n_undecided=len(ring_of) - n,
        precision=len(fake) / n if n else None,
        at_least=low,
        at_most=high,
        wrong=sorted(wrong),
        wrong_at_most=upper_limit(len(wrong), n),
        wrong_rings_at_most=upper_limit(len(wrong_rings), len(rings)),
        n_to_certify=n_to_certify(WRONG_AIMED_AT),
    )
