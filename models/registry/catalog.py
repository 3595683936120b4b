"""Which models are stored and which is champion. Reads metadata only: no weights, no learning library.

MODELS/<version>/model.json    a model's date and held-out metrics, among the rest
MODELS/champions.json          promotions in the order they were made
"""

import datetime as dt
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from ringwatch.models.common.errors import ModelStoreError

_VERSION = re.compile(r"gnn-\d{4}-\d{2}-\d{2}-[0-9a-f]{8}")


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
        """The version that was champion at a night: of the promotions up to it the last; None before the first."""
        in_force = self._in_force(date)
        return in_force[-1].version if in_force else None

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
        path = self.folder / version / "model.json"
        try:
            about = json.loads(path.read_text())
            return StoredModel(version, str(about["snapshot_date"]), about["metrics"], is_champion)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelStoreError(
                f"cannot read {path}: {error}. Delete its folder and run `ringwatch train`, or roll back."
            ) from None

    def _in_force(self, date: dt.date) -> list[Promotion]:
        """Promotions up to a night, not withdrawn, by date and then by the order they were made."""
        promotions = [p for p in self.promotions() if not p.withdrawn and p.date <= date.isoformat()]
        return sorted(promotions, key=lambda promotion: promotion.date)

    def _write_promotions(self, promotions: list[Promotion]) -> None:
        path = self.folder / "champions.json"
        staging = path.with_suffix(".json.tmp")
        staging.write_text(json.dumps([asdict(promotion) for promotion in promotions], indent=2) + "\n")
        os.replace(staging, path)
