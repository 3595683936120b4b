"""The store of models: a folder a version, and the register of champions.

    MODELS/<version>/model.safetensors    weights of every network
    MODELS/<version>/model.json           all the rest, readable
    MODELS/<version>/reference.json       what its training night looked like, for drift
    MODELS/champions.json                 promotions in the order they were made

Nothing here is pickled: reading a model can run no code. A version appears whole or not at all.
"""

import datetime as dt
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from ringwatch.models.common.errors import ModelStoreError
from ringwatch.models.registry.artifact import read_model, version_of, write_model
from ringwatch.models.registry.drift import Distribution, Reference
from ringwatch.models.registry.model import Metrics, TrainedModel

_REFERENCE = "reference.json"
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
    metrics: Metrics
    is_champion: bool


class Registry:
    """Models under one folder."""

    def __init__(self, folder: Path) -> None:
        """The folder need not exist yet."""
        self.folder = folder

    def save(self, model: TrainedModel, reference: Reference | None = None) -> str:
        """Store a model and return its version; the same model again changes nothing.

        Without a `reference`, of its training night, no drift from it will be measured.
        """
        version = version_of(model)
        final, staging = self.folder / version, self.folder / f"{version}.tmp"
        if not final.exists():
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(parents=True)
            write_model(model, staging)
            if reference:
                (staging / _REFERENCE).write_text(json.dumps(asdict(reference), indent=1) + "\n")
            staging.rename(final)
        return version

    def load(self, version: str) -> TrainedModel:
        """A stored model.

        Raises:
            ModelStoreError: there is no such version, or its files are damaged.
        """
        if not _VERSION.fullmatch(version) or not (self.folder / version).is_dir():
            stored = ", ".join(self.versions()) or "none"
            raise ModelStoreError(f"no model {version!r} in {self.folder}; stored are: {stored}.")
        return read_model(self.folder / version)

    def reference(self, version: str) -> Reference | None:
        """The training night of a stored version, if it was stored with it."""
        path = self.folder / version / _REFERENCE
        if not path.exists():
            return None
        kept = json.loads(path.read_text())
        columns = {
            name: Distribution(tuple(each["edges"]), tuple(each["shares"])) for name, each in kept["columns"].items()
        }
        return Reference(columns, {name: tuple(words) for name, words in kept["vocabulary"].items()})

    def versions(self) -> list[str]:
        """Stored versions, sorted."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if _VERSION.fullmatch(path.name))

    def list_models(self) -> list[StoredModel]:
        """Every stored version with its held-out metrics, oldest first."""
        champion = self.champion()
        loaded = [(version, self.load(version)) for version in self.versions()]
        return [
            StoredModel(version, str(model.snapshot_date), model.metrics, version == champion)
            for version, model in loaded
        ]

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

    def promote(self, version: str, *, date: dt.date, why: str) -> None:
        """Make a stored version champion from a night on."""
        self.load(version)
        if self.champion_as_of(date) != version:
            self._write([*self.promotions(), Promotion(version, date.isoformat(), why)])

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
        self._write(promotions)
        return self.champion()

    def _in_force(self, date: dt.date) -> list[Promotion]:
        """Promotions up to a night, not withdrawn, by date and then by the order they were made."""
        promotions = [p for p in self.promotions() if not p.withdrawn and p.date <= date.isoformat()]
        return sorted(promotions, key=lambda promotion: promotion.date)

    def _write(self, promotions: list[Promotion]) -> None:
        path = self.folder / "champions.json"
        staging = path.with_suffix(".json.tmp")
        staging.write_text(json.dumps([asdict(promotion) for promotion in promotions], indent=2) + "\n")
        os.replace(staging, path)
