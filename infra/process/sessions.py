"""Detached processes that can be found again and ended to the last child.

Each is the leader of a session of its own. Airflow's processes move their children to other process groups, but
nothing of it leaves its session, so the session is what is ended and what is looked at afterwards. A recorded
process counts as ours only if it also started when we recorded it: process numbers are used again.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_START_TOLERANCE_S = 2.0  # start times are told relative to the boot, whose own time may be corrected by a second
_POLL_S = 0.1


@dataclass(frozen=True)
class Session:
    """A detached process, its session's leader, as recorded when it was started."""

    name: str
    pid: int
    started_at: float  # seconds since the epoch


def start_session(name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> Session:
    """Start a command that outlives its parent; what it prints is appended to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Session(name, process.pid, psutil.Process(process.pid).create_time())


def is_alive(session: Session) -> bool:
    """Whether the session's leader still runs."""
    return _is_running(_leader(session))


def members(session: Session) -> list[psutil.Process]:
    """Every running process of the session, its leader among them."""
    leader = _leader(session)
    if leader is None and psutil.pid_exists(session.pid):
        return []  # the number was given to a stranger, which the system does only when a session is over
    return [process for process in psutil.process_iter() if _is_member(process, session)]


def end_sessions(sessions: Sequence[Session], *, patience_s: float = 20) -> list[int]:
    """End sessions with all that runs in them: asked first, made to after `patience_s`.

    Returns:
        Process numbers of what would not end; empty when all is well.
    """
    for session in sessions:
        if is_alive(session):
            with suppress(ProcessLookupError):
                os.kill(session.pid, signal.SIGTERM)
    _wait_until_empty(sessions, patience_s)
    for process in _all_members(sessions):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait_until_empty(sessions, patience_s)
    return [process.pid for process in _all_members(sessions)]


def _wait_until_empty(sessions: Sequence[Session], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while _all_members(sessions) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _all_members(sessions: Sequence[Session]) -> list[psutil.Process]:
    return [process for session in sessions for process in members(session)]


def _leader(session: Session) -> psutil.Process | None:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(session.pid)
        if abs(process.create_time() - session.started_at) <= _START_TOLERANCE_S:
            return process
    return None


def _is_member(process: psutil.Process, session: Session) -> bool:
    with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
        return (
            os.getsid(process.pid) == session.pid
            and process.create_time() >= session.started_at - _START_TOLERANCE_S
            and _is_running(process)
        )
    return False


def _is_running(process: psutil.Process | None) -> bool:
    """Whether it still works: one that ended, but that its parent has not yet asked about, does not."""
    if process is None:
        return False
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False
