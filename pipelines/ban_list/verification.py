"""Check a published folder as whoever acts on it should: by its manifest alone, with the key that both sides know.

ban_list.csv, ban_list.parquet, delta.csv   are those of the manifest: hash, size, rows
manifest.json                               HMAC over its RFC 8785 JSON; its content is the one that was approved
the list                                    one line an account, CSV and Parquet alike
the delta                                   leads from the list that it follows on, where that lies beside it, to this
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ringwatch.pipelines.ban_list.cells import from_csv
from ringwatch.pipelines.ban_list.proposal import FILES
from ringwatch.pipelines.ban_list.published import MANIFEST
from ringwatch.pipelines.ban_list.rules.entries import BAN, ENTRY_SCHEMA, LIFT, RESTRICT, Entry, from_table
from ringwatch.pipelines.common.signing import is_content_sha256, is_signed, sha256

_ADDED_ON_PUBLISHING = ("content_sha256", "files", "approved_by", "approved_at", "approved_via", "hmac")


@dataclass(frozen=True)
class Verification:
    """What a check of a folder came to.

    Attributes:
        folder: that was checked.
        manifest: as it is there; empty where it cannot be read.
        is_signed: whether its signature was checked, and holds.
        former: the list that it follows on, where that lies beside it: its folder's name.
        faults: a sentence each; none where everything is right.
    """

    folder: str
    manifest: dict[str, Any]
    is_signed: bool
    former: str | None
    faults: list[str]


def verify(folder: Path, *, key: str | None) -> Verification:
    """Check a folder.

    Args:
        folder: `EXPORTS/ban_lists/date=D`.
        key: of the signature; None: it cannot be checked, and an unsigned list passes.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        files = {name: (folder / name).read_bytes() for name in FILES}
        faults = [*_file_faults(folder, manifest, files), *_signature_faults(manifest, key)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Verification(str(folder), {}, False, None, [f"it cannot be read: {type(error).__name__} {error}"])
    former = _former(folder, manifest)
    if not faults:
        faults = list(_list_faults(folder, files, former))
    return Verification(str(folder), manifest, key is not None and not faults, former.name if former else None, faults)


def _file_faults(folder: Path, manifest: dict[str, Any], files: dict[str, bytes]) -> Iterator[str]:
    told = manifest["files"]
    for name, content in files.items():
        if sha256(content) != told[name]["sha256"] or len(content) != told[name]["bytes"]:
            yield f"{name} is not the file that the manifest vouches for"
    if strange := sorted({path.name for path in folder.iterdir()} - {*FILES, MANIFEST}):
        yield f"there are files that the manifest knows nothing of: {', '.join(strange)}"
    facts = {name: value for name, value in manifest.items() if name not in _ADDED_ON_PUBLISHING}
    if not is_content_sha256(manifest["content_sha256"], facts, {name: told[name]["sha256"] for name in files}):
        yield "the manifest is not about the content that was approved"


def _signature_faults(manifest: dict[str, Any], key: str | None) -> Iterator[str]:
    if key is None:
        return
    if manifest["hmac"] is None:
        yield "it is not signed"
    elif not is_signed(manifest, key):
        yield "its signature does not hold: the manifest was changed, or signed with another key"


def _list_faults(folder: Path, files: dict[str, bytes], former: Path | None) -> Iterator[str]:
    try:
        table = pq.read_table(folder / "ban_list.parquet", partitioning=None)
        entries, delta = from_csv(files["ban_list.csv"]), from_csv(files["delta.csv"])
        if table.schema.names != ENTRY_SCHEMA.names or from_table(table) != entries:
            yield "ban_list.csv and ban_list.parquet differ"
    except (ValueError, TypeError, KeyError) as error:
        yield f"a list cannot be read: {type(error).__name__} {error}"
        return
    now = actions_of(entries)
    if len(now) != len(entries) or len(actions_of(delta)) != len(delta):
        yield "an account is there twice"
    if not set(now.values()) <= {BAN, RESTRICT}:
        yield f"the list in force holds other actions than {BAN} and {RESTRICT}"
    if former is not None:
        before = actions_of(from_csv((former / "ban_list.csv").read_bytes()))
        if apply(before, delta) != now:
            yield f"delta.csv does not lead from the list of {former.name} to this one"


def _former(folder: Path, manifest: dict[str, Any]) -> Path | None:
    """The folder of the list that this one follows on, if it is beside it and still is that list."""
    follows = manifest["follows"]
    if follows is None:
        return None
    former = folder.absolute().parent / f"date={follows['date']}"
    try:
        known = json.loads((former / MANIFEST).read_bytes())["content_sha256"] == follows["content_sha256"]
    except (OSError, ValueError, KeyError):
        return None
    return former if known else None


def actions_of(entries: list[Entry]) -> dict[str, str]:
    """What is to be done about each account."""
    return {entry.account_id: entry.action for entry in entries}


def apply(actions: dict[str, str], delta: list[Entry]) -> dict[str, str]:
    """The actions in force after a delta; applied twice it gives the same."""
    after = {**actions, **actions_of(delta)}
    return {account_id: action for account_id, action in after.items() if action != LIFT}
