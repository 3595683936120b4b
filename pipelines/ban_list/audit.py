"""Whether the rules are right, by whom they would have listed and the policy held out: what people found of those."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.signals import PEOPLE_SOURCES
from ringwatch.models.common.intervals import wilson
from ringwatch.models.data.snapshot import read_snapshot
from ringwatch.pipelines.ban_list.proposal import proposed_nights, read_waiting
from ringwatch.pipelines.ban_list.rules.pacing import HELD_OUT
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.runs.store import detected_nights


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
    """

    n_held_out: int
    n_fake: int
    n_legitimate: int
    n_undecided: int
    precision: float | None
    at_least: float | None
    at_most: float | None
    wrong: list[str]


def audit(settings: Settings) -> Audit:
    """What people found by the newest night of the accounts that were held out.

    Raises:
        RingwatchError: no night has been detected.
    """
    night = detected_nights(settings)[-1]
    proposed = [each for each in proposed_nights(settings) if each <= night]
    waited = (each for day in proposed for each in read_waiting(settings, day))
    held_out = {each.account_id for each in waited if each.why == HELD_OUT}
    labels = read_snapshot(settings.snapshots_dir / f"date={night}").labels
    by_people = labels.filter(pc.is_in(labels["source"], value_set=pa.array(PEOPLE_SOURCES)))
    said = dict(zip(by_people["account_id"].to_pylist(), by_people["label"].to_pylist(), strict=True))
    n_fake = sum(said.get(account_id) == "fake" for account_id in held_out)
    wrong = sorted(account_id for account_id in held_out if said.get(account_id) == "legitimate")
    n = n_fake + len(wrong)
    low, high = wilson(n_fake, n) if n else (None, None)
    precision = n_fake / n if n else None
    return Audit(len(held_out), n_fake, len(wrong), len(held_out) - n, precision, low, high, wrong)
