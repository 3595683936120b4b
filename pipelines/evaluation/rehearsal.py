"""Plays a ban list's policy against a simulated world that answers: night after night, what enforcing it comes to.

Each night is loaded, detected, proposed, approved and published as nights are, without a server; the world then lives
on under the list. Who is banned falls silent, campaigns replace accounts and move, people banned wrongly appeal, and
what the appeals find comes back as labels, which lift them.
"""

import logging
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import SecretStr

from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.data.truth import Truth
from ringwatch.pipelines.ban_list import approve, propose, publish
from ringwatch.pipelines.ban_list.published import last_published_before, read_published
from ringwatch.pipelines.ban_list.rules.entries import BAN, LIFT, RESTRICT, Entry
from ringwatch.pipelines.ban_list.rules.policy import Policy
from ringwatch.pipelines.ban_list.verification import actions_of
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.evaluation.measure import put_world_in_ledger, truth_about
from ringwatch.pipelines.evaluation.worlds import detect_as_nightly
from ringwatch.pipelines.nightly.offline import put_in_ledger
from ringwatch.pipelines.nightly.snapshot import compute_snapshot
from ringwatch.pipelines.review.analyst import review_as_analyst
from ringwatch.pipelines.simulate.nights import continue_world, nights_of, simulate
from ringwatch.pipelines.simulate.population.world import Arguments
from ringwatch.pipelines.simulate.truth import read_truth

_log = logging.getLogger(__name__)

_APPROVER = "rehearsal"


@dataclass(frozen=True)
class RehearsedNight:
    """What a night's list changed, and what had leaked before it could.

    Attributes:
        date: the night.
        n_fakes: accounts active as fakes so far.
        n_banned: newly banned, of which `n_banned_wrongly` are ordinary.
        n_banned_wrongly: see there.
        n_restricted: newly restricted, of which `n_restricted_wrongly` are ordinary.
        n_restricted_wrongly: see there.
        n_lifted: taken off, of which `n_lifted_wrongly` are fake.
        n_lifted_wrongly: see there.
        n_waiting: whom a rule would list but for the policy's pace.
        n_in_force: banned after the night, of which `n_in_force_wrongly` are ordinary.
        n_in_force_wrongly: see there.
        n_leaked_requests: what fakes asked for on the day of the night.
        is_over_caps: whether the list was above a cap, and did not go out.
    """

    date: str
    n_fakes: int
    n_banned: int
    n_banned_wrongly: int
    n_restricted: int
    n_restricted_wrongly: int
    n_lifted: int
    n_lifted_wrongly: int
    n_waiting: int
    n_in_force: int
    n_in_force_wrongly: int
    n_leaked_requests: int
    is_over_caps: bool


def rehearse(arguments: Arguments, policy: Policy, *, n_nights: int, n_reviews: int) -> list[RehearsedNight]:
    """Play nights of a world under a policy.

    Args:
        arguments: of the world; it is continued night by night, whatever its number of nights.
        policy: of the list.
        n_nights: how many.
        n_reviews: questions that an analyst answers after each night, 95 in 100 of them rightly.
    """
    with tempfile.TemporaryDirectory(prefix="ringwatch-rehearsal-") as folder:
        key = SecretStr(_APPROVER)
        settings = Settings(home=Path(folder) / "home", signing_key=key, policy=None)  # type: ignore[call-arg]
        world, played = Path(folder) / "world", []
        _log.info("simulating the world of seed %s", arguments.seed)
        simulate(arguments, world)
        put_world_in_ledger(settings, world)
        night = nights_of(world)[2]
        for number in range(n_nights):
            _log.info("night %s of %s", number + 1, n_nights)
            rehearsed, ban_list = _night(settings, world, night, policy, n_reviews)
            played.append(rehearsed)
            continue_world(world, ban_list)
            night += timedelta(days=1)
            put_in_ledger(settings, world / "landing", [night])
        return played


def _night(
    settings: Settings, world: Path, night: date, policy: Policy, n_reviews: int
) -> tuple[RehearsedNight, Path | None]:
    """Play one night; returns the list that the world lives on under, None where the one before stays in force."""
    snapshot = compute_snapshot(settings, night)
    truth = truth_about(snapshot, read_truth(world))
    detect_as_nightly(settings, snapshot)
    proposal = propose(settings, date=night, policy=policy)
    if not proposal.over_caps:
        approve(settings, date=night, by=_APPROVER, release=True)
        publish(settings, date=night)
    if n_reviews:
        review_as_analyst(settings, snapshot, truth, n_questions=n_reviews)
    before, out = last_published_before(settings, night), read_published(settings, night)
    former = actions_of(before.entries() if before else [])
    changed = [entry for entry in (out.delta() if out else []) if entry.action != former.get(entry.account_id)]
    last = out or before

    def count(entries: list[Entry], action: str) -> tuple[int, int]:
        """Of those with an action how many there are, and how many of them are fake."""
        ids = pa.array([entry.account_id for entry in entries if entry.action == action], pa.string())
        return len(ids), int(truth.is_fake[snapshot.account_codes(ids)].sum())

    (banned, banned_fakes), (restricted, restricted_fakes) = count(changed, BAN), count(changed, RESTRICT)
    lifted, lifted_fakes = count(changed, LIFT)
    in_force, in_force_fakes = count(last.entries() if last else [], BAN)
    rehearsed = RehearsedNight(
        date=str(night),
        n_fakes=int(truth.is_fake.sum()),
        n_banned=banned,
        n_banned_wrongly=banned - banned_fakes,
        n_restricted=restricted,
        n_restricted_wrongly=restricted - restricted_fakes,
        n_lifted=lifted,
        n_lifted_wrongly=lifted_fakes,
        n_waiting=sum(proposal.counts["waiting"].values()),
        n_in_force=in_force,
        n_in_force_wrongly=in_force - in_force_fakes,
        n_leaked_requests=_requests_of_fakes(world, night, snapshot, truth),
        is_over_caps=bool(proposal.over_caps),
    )
    return rehearsed, out.folder / "ban_list.csv" if out else None


def _requests_of_fakes(world: Path, night: date, snapshot: Snapshot, truth: Truth) -> int:
    """What accounts active as fakes by the end of a day asked for on it."""
    usage = pq.read_table(world / "landing" / "usage_events" / f"date={night}", partitioning=None)
    codes = snapshot.account_codes(usage["account_id"])
    is_leak = (codes >= 0) & truth.is_fake[codes]
    return int(usage["n_requests"].to_numpy()[is_leak].sum())
