"""Which models are stored and which is champion. Reads metadata only: no weights, no learning library.

MODELS/<version>/model.json    a model's date and held-out metrics, among the rest
MODELS/champions.json          promotions in the order they were made
"""

import datetime as dt
import json
import logging
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ringwatch.models.common.errors import ModelStoreError

FORMAT = 3  # of the files of a model; 1 had other names of tensors and of keys, 2 had trees of another make
KIND = "gnn"  # of a detector: how its files are read
_log = logging.getLogger(__name__)

_VERSION = re.compile(r"[a-z_]+-\d{4}-\d{2}-\d{2}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Promotion:
    """That a version became champion."""

    version: str
    date: str  # ISO; from this night on
    why: str
    withdrawn: bool = False  # rolled back


@dataclass(frozen=True)
class StoredModel:
    """One line of `list_models`."""

    version: str
    snapshot_date: str
    metrics: dict[str, float]
    is_champion: bool


class Catalog:
    """The models under one folder, and the register of champions."""

    def __init__(self, folder: Path) -> None:
        """The folder need not exist yet."""
        self.folder = folder

    def versions(self) -> list[str]:
        """Stored versions, sorted."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if _VERSION.fullmatch(path.name))

    def has(self, version: str) -> bool:
        """Whether a version is stored."""
        return bool(_VERSION.fullmatch(version)) and (self.folder / version).is_dir()

    def list_models(self) -> list[StoredModel]:
        """Every stored version with its held-out metrics, oldest first.

        Raises:
            ModelStoreError: a model's metadata cannot be read.
        """
        champion = self.champion()
        return [self._stored(version, is_champion=version == champion) for version in self.versions()]

    def promotions(self) -> list[Promotion]:
        """All promotions in the order they were made, withdrawn ones included."""
        path = self.folder / "champions.json"
        if not path.exists():
            return []
        try:
            return [Promotion(**entry) for entry in json.loads(path.read_text())]
        except (OSError, ValueError, TypeError) as error:
            raise ModelStoreError(
                f"cannot read {path}: {error}. Mend it by hand, or delete it and run `ringwatch train`."
            ) from None

    def champion(self) -> str | None:
        """The newest champion."""
        return self.champion_as_of(dt.date.max)

    def champion_as_of(self, date: dt.date) -> str | None:
        """The version that was champion at a night: of the promotions up to it the last; None before the first.

        None too where an earlier version of Ringwatch wrote its files, which this one does not read: the default model
        scores until a new model is trained.
        """
        in_force = self._in_force(date)
        if not in_force:
            return None
        version = in_force[-1].version
        if self._is_outdated(version):
            _log.warning(
                "model %s was written by an earlier version of Ringwatch and is not used: run `ringwatch train`; until"
                " then the default model scores",
                version,
            )
            return None
        return version

    def rollback(self) -> str | None:
        """Withdraw the newest promotion; returns the version that is champion again, None when none is left.

        Raises:
            ModelStoreError: there is no champion to withdraw.
        """
        in_force = self._in_force(dt.date.max)
        if not in_force:
            raise ModelStoreError(f"no champion in {self.folder} to roll back; `ringwatch train` makes one.")
        newest, promotions = in_force[-1], self.promotions()
        position = len(promotions) - 1 - promotions[::-1].index(newest)
        promotions[position] = Promotion(newest.version, newest.date, newest.why, withdrawn=True)
        self._write_promotions(promotions)
        return self.champion()

    def _stored(self, version: str, *, is_champion: bool) -> StoredModel:
        folder = self.folder / version
        about = read_metadata(folder)
        try:
            return StoredModel(version, str(about["snapshot_date"]), about["metrics"], is_champion)
        except KeyError as error:
            raise unreadable(folder, error) from None

    def _is_outdated(self, version: str) -> bool:
        folder = self.folder / version
        if not (folder / "model.json").exists():
            return False
        about = read_metadata(folder)
        return bool(about.get("kind", KIND) == KIND and about.get("format", 1) < FORMAT)

    def _in_force(self, date: dt.date) -> list[Promotion]:
        """Promotions up to a night, not withdrawn, by date and then by the order they were made."""
        promotions = [p for p in self.promotions() if not p.withdrawn and p.date <= date.isoformat()]
        return sorted(promotions, key=lambda promotion: promotion.date)

    def _write_promotions(self, promotions: list[Promotion]) -> None:
        path = self.folder / "champions.json"
        staging = path.with_suffix(".json.tmp")
        staging.write_text(json.dumps([asdict(promotion) for promotion in promotions], indent=2) + "\n")
        os.replace(staging, path)


def read_metadata(folder: Path) -> dict[str, Any]:
    """What model.json holds.

    Raises:
        ModelStoreError: it is missing or damaged.
    """
    try:
        return dict(json.loads((folder / "model.json").read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise unreadable(folder, error) from None


def unreadable(folder: Path, error: Exception) -> ModelStoreError:
    """The error of a model whose files cannot be read, with what to do about it."""
    return ModelStoreError(
        f"cannot read the model in {folder}: {error}. Delete the folder and run `ringwatch train`, or roll back."
    )
