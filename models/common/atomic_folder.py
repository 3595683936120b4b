"""Put a folder in the place of another: readers see the old one or the new one, and a crash leaves the old one."""

import ctypes
import errno
import os
import shutil
from pathlib import Path

_RENAME_EXCHANGE = 2  # linux/fs.h
_AT_FDCWD = -100  # fcntl.h: names are relative to the working directory
# What kernels and file systems say that cannot exchange names.
_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}


def replace_folder(staging: Path, target: Path) -> None:
    """Give a finished folder the name of `target`, whose former content goes.

    A rename where there was none, an exchange of the two names where there was one (Linux's `renameat2`). The caller
    sees to it that nobody else writes the same target.
    """
    if target.exists():
        _exchange(staging, target)
        shutil.rmtree(staging)
    else:
        staging.rename(target)


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
