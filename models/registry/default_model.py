"""The model that ships with the project: taught by simulated worlds (`model pretrain`), it scores a first night."""

from functools import cache
from pathlib import Path

from ringwatch.models.registry.artifact import read_model
from ringwatch.models.registry.model import TrainedModel

DEFAULT_DIR = Path(__file__).parent / "default"


@cache
def default_model(folder: Path | None = None) -> TrainedModel:
    """The default model: the one that ships, or another that `model pretrain` left in a folder.

    Raises:
        ModelStoreError: its files are missing or damaged.
    """
    return read_model(folder or DEFAULT_DIR)
