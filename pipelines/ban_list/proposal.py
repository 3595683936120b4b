"""Propose the list of a night: the very files that would be published, for a person to look at.

BAN_LISTS/proposals/date=D/ban_list.csv, ban_list.parquet, delta.csv, contested.csv, waiting.parquet, proposal.json

`contested.csv` is to be looked at and is never published: accounts that one person found fake, and the model clear.
Neither is `waiting.parquet`: whom a rule would list but for the policy's pace.
`content_sha256` is over the facts and the files' hashes: it is what an approval is bound to. The same night with the
same inputs gives the same bytes, and keeps its approval.
"""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from ringwatch.graph_schema.migrations import MIGRATIONS
from ringwatch.pipelines.ban_list.cells import to_csv
from ringwatch.pipelines.ban_list.published import PublishedList, last_published_before, read_published
from ringwatch.pipelines.ban_list.rules import entries
from ringwatch.pipelines.ban_list.rules.audited import audit_of
from ringwatch.pipelines.ban_list.rules.entries import LIFT, RULES, Entry
from ringwatch.pipelines.ban_list.rules.listing import difference, ended_by, next_list
from ringwatch.pipelines.ban_list.rules.pacing import DELAYED, HELD_OUT, Waiting, from_table, pace, to_table
from ringwatch.pipelines.ban_list.rules.policy import Policy, read_policy
from ringwatch.pipelines.common.atomic_folder import write_folder
from ringwatch.pipelines.common.clock import end_of
from ringwatch.pipelines.common.date_folders import nights_in
from ringwatch.pipelines.common.errors import ApprovalError, LockedError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.signing import content_sha256, is_content_sha256, sha256

if TYPE_CHECKING:
    from ringwatch.pipelines.ban_list.rules.candidates import Candidates

FILES = ("ban_list.csv", "ban_list.parquet", "delta.csv")
FORMAT_VERSION = "1"
_PROPOSAL, _CONTESTED, _WAITING = "proposal.json", "contested.csv", "waiting.parquet"


@dataclass(frozen=True)
class Proposal:
    """A night's list as proposed.

    Attributes:
        date: the night.
        content_sha256: hash of what would be published.
        folder: where the files are.
        facts: run, model, thresholds, policy, the list it follows on, counts, and what audits found of the rules: what
            the manifest will repeat.
    """

    date: date
    content_sha256: str
    folder: Path
    facts: dict[str, Any]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Rows by action, of `ban_list` and of `delta`, and of those `contested`; and those `waiting`, by why."""
        counts: dict[str, dict[str, int]] = self.facts["counts"]
        return counts

    @property
    def held(self) -> list[str]:
        """Why a person who approves it has to release it as well; empty where nothing speaks against it."""
        held: list[str] = self.facts["held"]
        return held

    @property
    def over_caps(self) -> list[str]:
        """Which caps of the policy it is above: then it cannot go out at all."""
        over: list[str] = self.facts["over_caps"]
        return over

    @property
    def is_small(self) -> bool:
        """Whether it is as small and as sure as the policy wants it to go out without a person."""
        return bool(self.facts["is_small"])

    @property
    def approval_holds_days(self) -> int:
        """How long an approval of it holds."""
        return int(self.facts["policy"]["approval_holds_days"])

    @property
    def changes_nothing(self) -> bool:
        """Whether it would change nothing for any account, so that nobody needs to decide."""
        return not any(self.counts["delta"].values())


def propose(settings: Settings, *, date: date, policy: Policy | None = None) -> Proposal:
    """Make the list of a night that has been detected; one made before is replaced. By default by the settings' policy.

    Raises:
        RingwatchError: the night has not been detected.
        ApprovalError: the list that this one follows on was altered.
    """
    # Here, for it loads all of detection: who approves or publishes should not wait for that.
    from ringwatch.pipelines.ban_list.rules.candidates import find_candidates
    from ringwatch.pipelines.ban_list.rules.caps import over_caps
    from ringwatch.pipelines.runs.drift_gate import held_by_drift

    policy = policy or read_policy(settings.policy)
    tonight = find_candidates(settings, night=date, policy=policy)
    with ban_list_lock(settings):
        former = last_published_before(settings, date)
        earlier_version = read_published(settings, date)
        before = former.entries() if former else []
        due, waiting = pace(tonight.listed, before, _waited_before(settings, date), night=date, policy=policy)
        tonight = replace(tonight, listed=due)
        ended = ended_by(before, tonight)
        current = next_list(before, tonight, ended=ended, at=end_of(date), policy=policy)
        corrected = earlier_version.delta() if earlier_version else []
        delta = difference(before, current, ended=ended, corrected=corrected)
        contested = entries.sort(tonight.contested.values())
        files = _files(current, delta)
        stops = {
            "held": held_by_drift(settings, tonight.run),
            "over_caps": over_caps(before, current, tonight.snapshot, policy),
        }
        facts = {**_facts(tonight, former, current, delta, policy), **stops}
        facts["audit"] = _audited(settings, tonight, waiting)
        facts["counts"]["waiting"] = {why: sum(each.why == why for each in waiting) for why in (DELAYED, HELD_OUT)}
        facts["is_small"] = not any(stops.values()) and not tonight.run.is_default and _is_small(delta, policy)
        proposal = Proposal(date, content_sha256(facts, _sha256s(files)), proposal_folder(settings, date), facts)
        head = {"content_sha256": proposal.content_sha256, "facts": facts}
        about = {
            _PROPOSAL: json.dumps(head, indent=2, sort_keys=True).encode(),
            _CONTESTED: to_csv(contested),
            _WAITING: _parquet(to_table(waiting)),
        }
        write_folder(proposal.folder, {**files, **about})
    return proposal


def proposal_folder(settings: Settings, night: date) -> Path:
    """Where the proposal of a night is, or would be."""
    return settings.ban_lists_dir / "proposals" / f"date={night}"


def proposed_sha256(settings: Settings, night: date) -> str | None:
    """Hash of what is proposed for a night, by its own word; None if nothing is."""
    try:
        head = json.loads((proposal_folder(settings, night) / _PROPOSAL).read_bytes())
    except OSError:
        return None
    return str(head["content_sha256"])


def read_proposal(settings: Settings, night: date) -> tuple[Proposal, dict[str, bytes]]:
    """A proposal and its files, checked against its hash.

    Raises:
        ApprovalError: nothing is proposed, or the files were changed.
    """
    folder = proposal_folder(settings, night)
    try:
        head = json.loads((folder / _PROPOSAL).read_bytes())
        files = {name: (folder / name).read_bytes() for name in FILES}
    except OSError:
        raise ApprovalError(
            f"nothing is proposed for {night}: run `ringwatch ban-list propose --date {night}` first."
        ) from None
    if not is_content_sha256(head["content_sha256"], head["facts"], _sha256s(files)):
        raise ApprovalError(
            f"the proposal in {folder} was changed after it was made. Find out who did, and propose {night} again."
        )
    return Proposal(night, head["content_sha256"], folder, head["facts"]), files


@contextmanager
def ban_list_lock(settings: Settings) -> Iterator[None]:
    """One proposer or publisher at a time.

    Raises:
        LockedError: another one takes longer than `lock_timeout_s`.
    """
    settings.ban_lists_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.ban_lists_dir / "ban_lists.lock", timeout=settings.lock_timeout_s):
            yield
    except Timeout:
        raise LockedError("another command proposes or publishes a ban list: wait for it to end.") from None


def _files(current: list[Entry], delta: list[Entry]) -> dict[str, bytes]:
    parquet = _parquet(entries.to_table(current))
    return {"ban_list.csv": to_csv(current), "ban_list.parquet": parquet, "delta.csv": to_csv(delta)}


def _parquet(table: pa.Table) -> bytes:
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    return content.getvalue()


def _facts(
    tonight: "Candidates", former: PublishedList | None, current: list[Entry], delta: list[Entry], policy: Policy
) -> dict[str, Any]:
    run = tonight.run
    return {
        "date": str(run.date),
        "run_id": run.run_id,
        "model_version": run.model_version,
        "is_default": run.is_default,
        "thresholds": asdict(run.thresholds),
        "policy": asdict(policy),
        "format_version": FORMAT_VERSION,
        "schema_version": MIGRATIONS[-1].number,
        "follows": {"date": str(former.date), "content_sha256": former.content_sha256} if former else None,
        "counts": {
            "ban_list": entries.count_actions(current),
            "delta": entries.count_actions(delta),
            "contested": entries.count_actions(tonight.contested.values()),
        },
    }


def _audited(settings: Settings, tonight: "Candidates", waiting: list[Waiting]) -> dict[str, Any]:
    """What is known tonight about how many of the rules' listings are wrong."""
    before = waited_until(settings, tonight.run.date - timedelta(days=1))
    found = audit_of([*before, *waiting], tonight.snapshot.labels)
    return {
        "n_fake": found.n_fake,
        "n_legitimate": found.n_legitimate,
        "wrong_at_most": round(found.wrong_at_most, 6),
        "wrong_rings_at_most": round(found.wrong_rings_at_most, 6),
    }


def _is_small(delta: list[Entry], policy: Policy) -> bool:
    listed = [entry for entry in delta if entry.action != LIFT]
    is_sure = all(
        entry.decided_by in RULES and (entry.fraud_score or 0) >= policy.auto_approve_from_score for entry in listed
    )
    return is_sure and len(delta) <= policy.auto_approve_up_to


def read_waiting(settings: Settings, night: date) -> list[Waiting]:
    """Who waits by what is proposed for a night; nobody where nothing is."""
    path = proposal_folder(settings, night) / _WAITING
    return from_table(pq.read_table(path, partitioning=None)) if path.exists() else []


def proposed_nights(settings: Settings) -> list[date]:
    """Nights for which a list was proposed, in order."""
    return nights_in(settings.ban_lists_dir / "proposals")


def _waited_before(settings: Settings, night: date) -> list[Waiting]:
    before = max((other for other in proposed_nights(settings) if other < night), default=None)
    return read_waiting(settings, before) if before else []


def _sha256s(files: dict[str, bytes]) -> dict[str, str]:
    return {name: sha256(content) for name, content in files.items()}


def waited_until(settings: Settings, night: date) -> list[Waiting]:
    """Who waited by the proposals of a night and all before, as often as they did."""
    return [each for day in proposed_nights(settings) if day <= night for each in read_waiting(settings, day)]
