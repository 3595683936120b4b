"""The ban lists that are out: found, read, and checked against their manifests.

BAN_LISTS/replaced/date=D/<content_sha256>/   of lists that were out and were corrected since: delta and manifest

Nothing that once held is forgotten.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ringwatch.pipelines.ban_list.cells import from_csv
from ringwatch.pipelines.ban_list.rules.entries import Entry, from_table
from ringwatch.pipelines.common.atomic_folder import write_folder
from ringwatch.pipelines.common.date_folders import nights_in
from ringwatch.pipelines.common.errors import ApprovalError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.signing import sha256

MANIFEST, DELTA = "manifest.json", "delta.csv"


@dataclass(frozen=True)
class PublishedList:
    """One night's list as it is out."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def date(self) -> date:
        """The night of the list."""
        return date.fromisoformat(self.manifest["date"])

    @property
    def content_sha256(self) -> str:
        """Hash of the content that was approved."""
        return str(self.manifest["content_sha256"])

    def entries(self) -> list[Entry]:
        """The list in force."""
        return from_table(pq.read_table(self.folder / "ban_list.parquet", partitioning=None))

    def delta(self) -> list[Entry]:
        """What it changed."""
        return from_csv((self.folder / DELTA).read_bytes())


def published_folder(settings: Settings, night: date) -> Path:
    """Where the list of a night is, or would be."""
    return settings.exports_dir / "ban_lists" / f"date={night}"


def published_nights(settings: Settings) -> list[date]:
    """Nights whose list is out, in order."""
    return nights_in(settings.exports_dir / "ban_lists")


def last_published_before(settings: Settings, night: date) -> PublishedList | None:
    """The newest list of an earlier night."""
    earlier = [other for other in published_nights(settings) if other < night]
    return read_published(settings, earlier[-1]) if earlier else None


def read_published(settings: Settings, night: date) -> PublishedList | None:
    """The list of a night, if it is out.

    Raises:
        ApprovalError: its files are not those that were published.
    """
    folder = published_folder(settings, night)
    if not folder.exists():
        return None
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        altered = [
            name for name, file in manifest["files"].items() if sha256((folder / name).read_bytes()) != file["sha256"]
        ]
    except (OSError, ValueError, KeyError) as error:
        raise ApprovalError(f"the published list {folder} cannot be read ({error}). {_TAMPERED}") from error
    if altered:
        raise ApprovalError(f"{', '.join(altered)} in {folder} is not what was published. {_TAMPERED}")
    return PublishedList(folder, manifest)


def keep_replaced(settings: Settings, published: PublishedList) -> None:
    """Keep what is out of a night before another version of it takes its place."""
    target = _replaced_dir(settings) / published.folder.name / published.content_sha256
    write_folder(target, {name: (published.folder / name).read_bytes() for name in (DELTA, MANIFEST)})


def replaced_folders(settings: Settings) -> list[Path]:
    """What `keep_replaced` kept; the newest of a night may still be the one that is out, after a crash."""
    return list(_replaced_dir(settings).glob("date=*/*"))


def _replaced_dir(settings: Settings) -> Path:
    return settings.ban_lists_dir / "replaced"


_TAMPERED = "Find out who changed it; then move the folder away and publish that night again."
