"""The default model, which ships with the project: trained on simulated worlds, for a platform's first nights."""

from functools import cache
from pathlib import Path

from ringwatch.models.registry.artifact import read_model
from ringwatch.models.registry.catalog import read_metadata
from ringwatch.models.registry.model import TrainedModel

DEFAULT_DIR = Path(__file__).parent / "default"


@cache
def default_model(folder: Path | None = None) -> TrainedModel:
    """The default model: the one that ships, or another that `model pretrain` left in a folder.

    Raises:
        ModelStoreError: its files are missing or damaged.
    """
    return read_model(folder or DEFAULT_DIR)


def default_version(folder: Path | None = None) -> str:
    """The version of the default model, as written in its files."""
    return str(read_metadata(folder or DEFAULT_DIR)["version"])
