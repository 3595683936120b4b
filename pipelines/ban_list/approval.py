"""The one record that decides about a proposal, wherever the person answered: by command or in Airflow.

BAN_LISTS/decisions/date=D/<content_sha256>.json, and <content_sha256>.2.json after an approval that had lapsed

A record is made in one step and never changed: who decides first decides. It is bound to the content by its name, so
a proposal that changes in a single byte is undecided again. An approval that was not used lapses after as many days as
the policy says, for what it was given on grows old; then the same content is to be decided anew.
"""

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import count, takewhile
from pathlib import Path

from ringwatch.pipelines.ban_list.proposal import Proposal, proposed_sha256, read_proposal
from ringwatch.pipelines.ban_list.published import published_nights
from ringwatch.pipelines.common.errors import ApprovalError
from ringwatch.pipelines.common.settings import Settings

APPROVED, REJECTED = "approved", "rejected"
NOBODY = "nobody: it changes nothing"


class Standing(StrEnum):
    """Where a proposal stands."""

    WAITING = "waiting"
    APPROVED = APPROVED
    REJECTED = REJECTED
    OUTDATED = "outdated"  # another content is proposed for the night, or the list of a later night is out


@dataclass(frozen=True)
class Decision:
    """What was decided about a content, and by whom."""

    date: str  # ISO 8601
    content_sha256: str
    decision: str  # approved, rejected
    by: str
    via: str  # command, airflow, policy
    at: str  # ISO 8601, UTC
    until: str | None = None  # when an approval lapses; None for a rejection, which holds


def approve(
    settings: Settings,
    *,
    date: date,
    by: str,
    via: str = "command",
    content_sha256: str | None = None,
    release: bool = False,
) -> Decision:
    """Approve what is proposed for a night; again is safe.

    Args:
        settings: where proposals and decisions are.
        date: the night.
        by: the person.
        via: where the person answered.
        content_sha256: what the person saw; None: what is proposed now.
        release: let it out although it is held, for instance by drift.

    Returns:
        The decision that holds: an earlier approval stays as it is.

    Raises:
        ApprovalError: nothing is proposed, the content is another than the person saw or was tampered with, it was
            rejected before, it is held, the list of a later night is out, or `by` names nobody.
    """
    refuse = partial(_refuse_unfit, settings, release)
    return _decide_as(APPROVED, settings, date, by, via, content_sha256, refuse)


def _refuse_unfit(settings: Settings, release: bool, proposal: Proposal) -> None:
    """Raises ApprovalError where something stands against a list that no approval alone can overcome."""
    if proposal.over_caps:
        raise ApprovalError(
            f"the list of {proposal.date} is above the policy's caps: {'; '.join(proposal.over_caps)}."
            " Nothing goes out. Find out why it is so many; if that is right, raise the cap in a new policy, and"
            " propose again."
        )
    if proposal.held and not proposal.changes_nothing and not release:
        raise ApprovalError(
            f"the list of {proposal.date} is held: {'; '.join(proposal.held)}. Look at"
            f" {settings.report_file(proposal.date)}, and then reject it, or let it out all the same with --release."
        )


def reject(
    settings: Settings, *, date: date, by: str, via: str = "command", content_sha256: str | None = None
) -> Decision:
    """Reject what is proposed for a night. Arguments and errors as for `approve`."""
    return _decide_as(REJECTED, settings, date, by, via, content_sha256)


def approve_by_policy(settings: Settings, proposal: Proposal) -> Decision | None:
    """Let out without asking a person what changes nothing, or as little as the policy allows; None where it does not.

    What is above a cap, held, or decided already is never let out so.
    """
    by = NOBODY if proposal.changes_nothing else f"policy {proposal.facts['policy']['version']}: small and sure"
    is_waiting = standing(settings, proposal.date, proposal.content_sha256) == Standing.WAITING
    if not (proposal.changes_nothing or proposal.is_small) or not is_waiting:
        return None
    return approve(settings, date=proposal.date, by=by, via="policy", content_sha256=proposal.content_sha256)


def read_decision(settings: Settings, night: date, content_sha256: str) -> Decision | None:
    """The decision that holds about a content; None while there is none, or once it has lapsed."""
    found = last_decision(settings, night, content_sha256)
    return None if found is None or _has_lapsed(found) else found


def last_decision(settings: Settings, night: date, content_sha256: str) -> Decision | None:
    """The last decision about a content, lapsed or not."""
    records = (_record_file(settings, night, content_sha256, number) for number in count(1))
    made = list(takewhile(Path.exists, records))
    return Decision(**json.loads(made[-1].read_bytes())) if made else None


def _has_lapsed(decision: Decision) -> bool:
    return decision.until is not None and datetime.fromisoformat(decision.until) < datetime.now(UTC)


def standing(settings: Settings, night: date, content_sha256: str) -> Standing:
    """Where a content that was proposed for a night stands."""
    if (decision := read_decision(settings, night, content_sha256)) is not None:
        return Standing(decision.decision)
    is_current = proposed_sha256(settings, night) == content_sha256
    return Standing.WAITING if is_current and not _later_nights(settings, night) else Standing.OUTDATED


def refuse_outdated(settings: Settings, night: date) -> None:
    """Raises ApprovalError when the list of a later night is out: this one would undo it."""
    if later := _later_nights(settings, night):
        raise ApprovalError(
            f"the list of {later[-1]} is out already, and one for {night} would undo it:"
            f" put right what is wrong through tonight's list."
        )


def _later_nights(settings: Settings, night: date) -> list[date]:
    return [other for other in published_nights(settings) if other > night]


def _decide_as(
    decision: str,
    settings: Settings,
    night: date,
    by: str,
    via: str,
    content_sha256: str | None,
    refuse: Callable[[Proposal], None] = lambda proposal: None,
) -> Decision:
    if not by.strip():
        raise ApprovalError("a person has to stand for this: say who decides with --by NAME.")
    proposal, _ = read_proposal(settings, night)
    refuse(proposal)
    if content_sha256 not in (None, proposal.content_sha256):
        raise ApprovalError(
            f"the proposal for {night} has changed since: look at {proposal.folder} and decide about that one."
        )
    if read_decision(settings, night, proposal.content_sha256) is None:
        refuse_outdated(settings, night)
    now = datetime.now(UTC)
    lapses_at = now + timedelta(days=proposal.approval_holds_days)
    made = Decision(
        date=str(night),
        content_sha256=proposal.content_sha256,
        decision=decision,
        by=by.strip(),
        via=via,
        at=now.isoformat(timespec="seconds"),
        until=lapses_at.isoformat(timespec="seconds") if decision == APPROVED else None,
    )
    standing_decision = _record(settings, made)
    if standing_decision.decision != decision:
        raise ApprovalError(
            f"the list of {night} was {standing_decision.decision} by {standing_decision.by} at"
            f" {standing_decision.at}, and that holds until its content changes."
        )
    return standing_decision


def _record(settings: Settings, decision: Decision) -> Decision:
    """Make a decision's record, whole and at once; returns the one that holds, which may be an earlier one."""
    night = date.fromisoformat(decision.date)
    first = _record_file(settings, night, decision.content_sha256, 1)
    first.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=first.parent, suffix=".tmp")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(decision), file, indent=2, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        for number in count(1):
            path = _record_file(settings, night, decision.content_sha256, number)
            try:
                os.link(scratch, path)  # fails where there is a record: unlike a rename, it never replaces one
            except FileExistsError:
                found = Decision(**json.loads(path.read_bytes()))
                if not _has_lapsed(found):
                    return found
            else:
                break
        return decision
    finally:
        os.unlink(scratch)


def _record_file(settings: Settings, night: date, content_sha256: str, number: int) -> Path:
    name = content_sha256 if number == 1 else f"{content_sha256}.{number}"
    return settings.ban_lists_dir / "decisions" / f"date={night}" / f"{name}.json"
