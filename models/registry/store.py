"""The store of models: a folder a version, and the register of champions.

    MODELS/<version>/model.safetensors    weights of every network
    MODELS/<version>/model.json           all the rest, readable
    MODELS/<version>/reference.json       what its training night looked like, for drift
    MODELS/champions.json                 promotions in the order they were made

Nothing here is pickled: reading a model can run no code. A version appears whole or not at all.
"""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from ringwatch.models.common.errors import ModelStoreError
from ringwatch.models.registry.artifact import read_model, version_of, write_model
from ringwatch.models.registry.catalog import KIND, Catalog, Promotion, read_metadata
from ringwatch.models.registry.drift import Distribution, Reference
from ringwatch.models.registry.model import TrainedModel

_REFERENCE = "reference.json"


class Registry(Catalog):
    """A catalog with the models themselves: their weights, and what their training nights looked like."""

    def save(self, model: TrainedModel, reference: Reference | None = None) -> str:
        """Store a model and return its version; the same model again changes nothing.

        Without a `reference`, of its training night, no drift from it will be measured.
        """
        version = version_of(model)
        self.store(version, lambda folder: write_model(model, folder), reference)
        return version

    def store(self, version: str, write: Callable[[Path], None], reference: Reference | None = None) -> None:
        """Store a version of any kind, `<kind>-<date>-<8 hex digits>`: `write` puts its files into a folder.

        Among them is model.json, an object with `kind`, `snapshot_date` (ISO) and `metrics`.
        """
        final, staging = self.folder / version, self.folder / f"{version}.tmp"
        if not final.exists():
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(parents=True)
            write(staging)
            if reference:
                (staging / _REFERENCE).write_text(json.dumps(asdict(reference), indent=1) + "\n")
            staging.rename(final)

    def load(self, version: str) -> TrainedModel:
        """A stored model.

        Raises:
            ModelStoreError: there is no such version, or its files are damaged or of another format.
        """
        return read_model(self.path(version))

    def kind(self, version: str) -> str:
        """The kind of detector that a stored version is, by which its files are read."""
        return str(read_metadata(self.path(version)).get("kind", KIND))

    def path(self, version: str) -> Path:
        """The folder of a stored version.

        Raises:
            ModelStoreError: there is no such version.
        """
        if not self.has(version):
            stored = ", ".join(self.versions()) or "none"
            raise ModelStoreError(f"no model {version!r} in {self.folder}; stored are: {stored}.")
        return self.folder / version

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

    def promote(self, version: str, *, date: dt.date, why: str) -> None:
        """Make a stored version champion from a night on."""
        self.path(version)
        if self.champion_as_of(date) != version:
            self._write_promotions([*self.promotions(), Promotion(version, date.isoformat(), why)])
