"""The `Detector` protocol: whatever scores a snapshot, whichever way it does it.

The kind of a stored detector is in its model.json. `gnn` is the network; any other kind is the name of an entry point
in the group `ringwatch.detectors`, so another package adds a detector, or a baseline, as a class:

    [project.entry-points."ringwatch.detectors"]
    my_kind = "my_package:MyDetector"
"""

import datetime as dt
from importlib.metadata import entry_points
from pathlib import Path
from typing import ClassVar, Protocol, Self

from ringwatch.models.common.errors import ModelStoreError
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.ensemble.thresholds import Thresholds
from ringwatch.models.registry.artifact import read_model
from ringwatch.models.registry.catalog import KIND
from ringwatch.models.registry.model import TrainedModel
from ringwatch.models.registry.store import Registry
from ringwatch.models.rings.classifier import RingClassifier
from ringwatch.models.scoring.scoring import Scores, score

GROUP = "ringwatch.detectors"  # of entry points


class Detector(Protocol):
    """Scores snapshots.

    Attributes:
        kind: as in model.json.
    """

    kind: ClassVar[str]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The detector whose files lie in a folder."""

    @property
    def snapshot_date(self) -> dt.date | None:
        """Night that it was trained on; None for one that was trained on no night of this platform."""

    @property
    def thresholds(self) -> Thresholds:
        """On the probabilities of accounts."""

    @property
    def ring_classifier(self) -> RingClassifier:
        """Of communities of accounts."""

    def score(self, snapshot: Snapshot) -> Scores:
        """Probabilities of accounts and of links; the same snapshot gives the same bits."""


class GnnDetector:
    """A trained model as a detector."""

    kind: ClassVar[str] = KIND

    def __init__(self, model: TrainedModel) -> None:
        """Of a model, stored or not."""
        self.model = model

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The detector whose model `write_model` left in a folder."""
        return cls(read_model(folder))

    @property
    def snapshot_date(self) -> dt.date | None:
        """Night that the model was trained on."""
        return self.model.snapshot_date

    @property
    def thresholds(self) -> Thresholds:
        """The model's."""
        return self.model.thresholds

    @property
    def ring_classifier(self) -> RingClassifier:
        """The model's."""
        return self.model.ring_classifier

    def score(self, snapshot: Snapshot) -> Scores:
        """Scores by networks and trees."""
        return score(self.model, snapshot)


def load_detector(registry: Registry, version: str) -> Detector:
    """A stored detector, by its kind.

    Raises:
        ModelStoreError: there is no such version, its files cannot be read, or no installed package has its kind.
    """
    kind, folder = registry.kind(version), registry.path(version)
    if kind == KIND:
        return GnnDetector.read(folder)
    for entry_point in entry_points(group=GROUP, name=kind):
        detector: type[Detector] = entry_point.load()
        return detector.read(folder)
    raise ModelStoreError(
        f"{version} is a detector of the kind {kind!r}, which no installed package provides (entry points of the group"
        f" {GROUP}). Install the package, or roll back."
    )
