"""Write a folder whole or not at all: a reader sees the old one or the new one, and a crash leaves the old one.

The files are written and flushed to the disk in a hidden folder beside the target, which then takes its place in one
step.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ringwatch.models.common.atomic_folder import replace_folder


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Make `target` hold exactly these files.

    The caller sees to it that nobody else writes the same target.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f".{target.name}.tmp")  # both signs of what is not to be read
    shutil.rmtree(staging, ignore_errors=True)  # what a crash left
    staging.mkdir()
    for name, content in files.items():
        _write_flushed(staging / name, content)
    _flush_folder(staging)
    replace_folder(staging, target)
    _flush_folder(target.parent)


def _write_flushed(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
