"""A reference for whoever enforces the lists: follow them night by night, and do nothing twice.

The state is one JSON file: which list was enforced last, and what is in force for each account by it. A folder is
verified before anything is done. A list that follows on the last one is enforced by its delta, and any other (nights
were missed, or a list was corrected) by comparing the whole of it with the state: both come to the same. The state is
replaced after what was to be done is done, so after a crash it is done again: banning, restricting and lifting have to
be such that doing one again does no harm.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ringwatch.pipelines.ban_list.cells import from_csv
from ringwatch.pipelines.ban_list.rules.entries import LIFT
from ringwatch.pipelines.ban_list.verification import actions_of, apply, verify
from ringwatch.pipelines.common.atomic_file import write_json
from ringwatch.pipelines.common.errors import ApprovalError


@dataclass(frozen=True)
class Enforced:
    """The state: the list enforced last, by its date and content, and the action in force by account."""

    date: str | None = None
    content_sha256: str | None = None
    actions: dict[str, str] = field(default_factory=dict)


def consume(
    folder: Path, state_file: Path, *, key: str | None, act: Callable[[dict[str, str]], None] = lambda changes: None
) -> dict[str, str]:
    """Enforce a published list, and keep that it was.

    Args:
        folder: `EXPORTS/ban_lists/date=D`.
        state_file: need not exist yet.
        key: of the signature; None: it is not checked.
        act: does what is to be done, by account: ban, restrict or lift. When it fails the state stays as it was.

    Returns:
        What was to be done.

    Raises:
        ApprovalError: the folder is not right, or a later list has been enforced already.
    """
    verified, state = verify(folder, key=key), read_state(state_file)
    if verified.faults:
        raise ApprovalError(f"{folder} is not to be enforced: {'; '.join(verified.faults)}.")
    manifest = verified.manifest
    if state.date is not None and manifest["date"] < state.date:
        raise ApprovalError(f"the list of {state.date} is enforced already: that of {manifest['date']} would undo it.")
    if manifest["content_sha256"] == state.content_sha256:
        return {}
    if manifest["follows"] == {"date": state.date, "content_sha256": state.content_sha256}:
        now = apply(state.actions, from_csv((folder / "delta.csv").read_bytes()))
    else:
        now = actions_of(from_csv((folder / "ban_list.csv").read_bytes()))
    changes = {account_id: action for account_id, action in now.items() if state.actions.get(account_id) != action}
    changes |= dict.fromkeys(state.actions.keys() - now.keys(), LIFT)
    changes = dict(sorted(changes.items()))
    act(changes)
    write_json(asdict(Enforced(manifest["date"], manifest["content_sha256"], now)), state_file)
    return changes


def read_state(state_file: Path) -> Enforced:
    """What has been enforced; nothing before the first list."""
    return Enforced(**json.loads(state_file.read_text())) if state_file.exists() else Enforced()
