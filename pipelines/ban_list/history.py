"""All that was decided about an account: by people in reviews and lifts, and by the lists that went out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ringwatch.pipelines.ban_list.cells import from_csv
from ringwatch.pipelines.ban_list.published import DELTA, MANIFEST, published_folder, published_nights, replaced_folders
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.store import decisions_on


@dataclass(frozen=True)
class Event:
    """One thing that was decided.

    Attributes:
        at: ISO 8601, UTC: of the decision, or of the approval of the list.
        what: fake, legitimate, needs_more; or ban, restrict, lift by a list.
        by: the person, or the rule.
        why: the reason given, or the reasons of the model.
        list: night of the list and who approved it; None for a decision.
        evidence: what the list gave as evidence, JSON; None for a decision.
        is_corrected: whether that list was replaced since.
    """

    at: str
    what: str
    by: str
    why: str
    list: str | None = None
    evidence: str | None = None
    is_corrected: bool = False


def account_history(settings: Settings, account_id: str) -> list[Event]:
    """What was decided about an account, the oldest first."""
    return sorted([*_decisions(settings, account_id), *_lists(settings, account_id)], key=lambda event: event.at)


def _decisions(settings: Settings, account_id: str) -> Iterator[Event]:
    for row in decisions_on(settings, ring=None, account=account_id):
        why = (row["reason"] or "") + (f" (on its ring {row['ring_id']})" if row["ring_id"] else "")
        yield Event(_utc(row["reviewed_at"]), row["decision"], row["reviewed_by"] or "", why)


def _lists(settings: Settings, account_id: str) -> Iterator[Event]:
    out = [published_folder(settings, night) for night in published_nights(settings)]
    known = {json.loads((folder / MANIFEST).read_bytes())["content_sha256"] for folder in out}
    replaced = [folder for folder in replaced_folders(settings) if folder.name not in known]
    for folder in [*out, *replaced]:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        for entry in from_csv((folder / DELTA).read_bytes()):
            if entry.account_id == account_id:
                yield Event(
                    _utc(datetime.fromisoformat(manifest["approved_at"])),
                    entry.action,
                    entry.decided_by,
                    "; ".join(entry.reasons),
                    f"{manifest['date']}, approved by {manifest['approved_by']}",
                    entry.evidence,
                    folder in replaced,
                )


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")
