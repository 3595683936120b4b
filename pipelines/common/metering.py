"""What each step of a night takes: rows, seconds and memory, in one structured line of the log `ringwatch.steps`.

    {"step": "snapshot", "rows": 812345, "seconds": 31.2, "rows_per_s": 26037, "peak_mb": 1890, ...}

Memory is this process's resident size, looked at ten times a second: the most while the step ran.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

log = logging.getLogger("ringwatch.steps")
_LOOK_EVERY_S = 0.1
_MB = 1_000_000


@dataclass
class Meter:
    """Of a step that runs: `rows` is for the step to say."""

    rows: int = 0


@contextmanager
def metered(step: str, **about: object) -> Iterator[Meter]:
    """Measure a step, and log it when it is done; a step that fails is not logged."""
    meter, began = Meter(), time.monotonic()
    with peak_memory() as peak:
        yield meter
    seconds = time.monotonic() - began
    line = {
        "step": step,
        "rows": meter.rows,
        "seconds": round(seconds, 3),
        "rows_per_s": round(meter.rows / seconds) if seconds else 0,
        "peak_mb": round(peak[0] / _MB),
        **about,
    }
    log.info(json.dumps(line))


@contextmanager
def peak_memory(pid: int | None = None) -> Iterator[list[int]]:
    """The most bytes that a process holds inside the block, in a list of one; of this process by default."""
    process = psutil.Process(pid)
    peak = [process.memory_info().rss]

    def look() -> None:
        peak[0] = max(peak[0], process.memory_info().rss)

    with looking(look, every_s=_LOOK_EVERY_S):
        yield peak


@contextmanager
def looking(look: Callable[[], None], *, every_s: float) -> Iterator[None]:
    """Look again and again, in a thread, while the block runs, and once more at its end."""
    is_over = threading.Event()

    def keep_looking() -> None:
        while not is_over.wait(every_s):
            look()

    thread = threading.Thread(target=keep_looking, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        look()


@contextmanager
def listening() -> Iterator[list[dict[str, object]]]:
    """The lines of all steps that end inside the block, as they come."""
    lines: list[dict[str, object]] = []

    class _Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(record.getMessage()))

    handler, level = _Keep(), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
