"""One writer at a time, whether it is a shell or Airflow: a lock file in the state folder.

The operating system frees it when its holder ends, however it ends. The file says who holds it.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from filelock import FileLock, Timeout

from ringwatch.pipelines.common.errors import LockedError
from ringwatch.pipelines.common.settings import Settings


@contextmanager
def writer_lock(settings: Settings, what: str) -> Iterator[None]:
    """Hold the right to change the ledger, the graph and the exports.

    Raises:
        LockedError: another writer held it for longer than `lock_timeout_s`.
    """
    settings.home_dir.mkdir(parents=True, exist_ok=True)
    holder_file = settings.home_dir / "writer.json"
    lock = FileLock(settings.home_dir / "writer.lock", timeout=settings.lock_timeout_s)
    try:
        lock.acquire()
    except Timeout:
        try:
            holder = json.loads(holder_file.read_text())
            who = f"{holder['what']} (process {holder['pid']}, since {holder['since']})"
        except (OSError, ValueError, KeyError):
            who = "another command"
        raise LockedError(
            f"{who} is writing: wait for it to end, or let this one wait longer with RINGWATCH_LOCK_TIMEOUT_S."
        ) from None
    try:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        holder_file.write_text(json.dumps({"what": what, "pid": os.getpid(), "since": since}))
        yield
    finally:
        holder_file.unlink(missing_ok=True)
        lock.release()
