"""Write a folder whole or not at all: a reader sees the old one or the new one, and a crash leaves the old one.

The files are written and flushed to the disk in a hidden folder beside the target, which then takes its place in one
step: a rename where there was none, an exchange of the two names where there was one (Linux's `renameat2`).
"""

import ctypes
import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

_RENAME_EXCHANGE = 2  # linux/fs.h
_AT_FDCWD = -100  # fcntl.h: names are relative to the working directory
# What kernels and file systems say that cannot exchange names.
_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}


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
    if target.exists():
        _exchange(staging, target)
        shutil.rmtree(staging)
    else:
        staging.rename(target)
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


def _exchange(staging: Path, target: Path) -> None:
    """Swap two folders' names; where that cannot be done at once, readers see no folder for an instant."""
    libc = ctypes.CDLL(None, use_errno=True)
    names = (os.fsencode(staging), os.fsencode(target))
    if hasattr(libc, "renameat2"):
        if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
            return
        code = ctypes.get_errno()
        if code not in _UNSUPPORTED:
            raise OSError(code, os.strerror(code), str(target))
    former = target.with_name(f".{target.name}.former.tmp")
    shutil.rmtree(former, ignore_errors=True)
    target.rename(former)
    staging.rename(target)
    former.rename(staging)
