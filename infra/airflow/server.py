"""The embedded Airflow: scheduler, dag processor, triggerer and API, on this machine's own address only.

`airflow standalone` is not used: it has its scheduler and triggerer serve logs on every address of the machine.
The four parts are started as it starts them, but for that, each in a session of its own (see `process.sessions`).
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from ringwatch.infra.airflow.environment import USER, WRITER_POOL, airflow_environment, ensure_secrets, password_file
from ringwatch.infra.airflow.record import Record, read_record, remove_record, write_record
from ringwatch.infra.process.ports import HOST, free_port
from ringwatch.infra.process.sessions import Session, end_sessions, is_alive, members, start_session
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings

if TYPE_CHECKING:
    from ringwatch.infra.airflow.api import AirflowApi

PARTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
_PREFERRED_PORT = 8080
_HEALTHY_TIMEOUT_S = 180
_POLL_S = 0.5


@dataclass(frozen=True)
class AirflowStatus:
    """What there is to know about the embedded Airflow."""

    running: bool
    url: str | None
    user: str
    password_file: Path  # Airflow's own: JSON, user to password
    home: Path
    pid: int | None  # of the scheduler


def status(settings: Settings) -> AirflowStatus:
    """Whether all four parts run, and where."""
    record = read_record(settings)
    running = record is not None and len(record.sessions) == len(PARTS) and all(map(is_alive, record.sessions))
    pid = next((s.pid for s in record.sessions if s.name == "scheduler"), None) if record and running else None
    return AirflowStatus(
        running=running,
        url=_url(record.port) if record and running else None,
        user=USER,
        password_file=password_file(settings),
        home=settings.airflow_dir,
        pid=pid,
    )


def start(settings: Settings, progress: Callable[[str], None] = lambda line: None) -> AirflowStatus:
    """Start Airflow, detached, and wait until all its parts are healthy; one that runs already is left alone.

    Raises:
        RingwatchError: a part ended or did not become healthy in time; nothing is left running.
    """
    settings.airflow_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(settings.airflow_dir / "start.lock"):
        current = status(settings)
        if current.running:
            return current
        _end_recorded(settings)  # parts of one that is half dead
        ensure_secrets(settings)
        port = _choose_port(settings)
        env = airflow_environment(settings, port)
        _migrate_database(settings, env, progress)
        progress("starting Airflow")
        _start_parts(settings, env, port)
        try:
            _wait_until_healthy(settings, port)
        except BaseException:
            _end_recorded(settings)
            raise
    return status(settings)


def stop(settings: Settings) -> bool:
    """End every part with all its children; returns whether anything ran.

    Raises:
        RingwatchError: something would not end.
    """
    record = read_record(settings)
    ran = record is not None and any(members(session) for session in record.sessions)
    _end_recorded(settings)
    return ran


def api(settings: Settings) -> "AirflowApi":
    """The embedded Airflow's API, as its user.

    Raises:
        RingwatchError: it does not run.
    """
    from ringwatch.infra.airflow.api import AirflowApi  # here, for it takes two seconds, which `status` has no use for

    current = status(settings)
    if current.url is None:
        raise RingwatchError("the embedded Airflow is not running: start it with `ringwatch airflow start`.")
    password = json.loads(current.password_file.read_text())[current.user]
    return AirflowApi(current.url, current.user, password)


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"


def _choose_port(settings: Settings) -> int:
    """The port of last time, so that links stay good; else 8080; else any that is free."""
    memory = settings.airflow_dir / "port"
    remembered = [int(memory.read_text())] if memory.exists() else []
    port = free_port([*remembered, _PREFERRED_PORT])
    memory.write_text(str(port))
    return port


def _migrate_database(settings: Settings, env: dict[str, str], progress: Callable[[str], None]) -> None:
    """Make or renew Airflow's database and our pool; skipped (it takes 15 s) where this version of both has done so."""
    done_by = settings.airflow_dir / "database_version"
    wanted = f"{version('apache-airflow-core')} {WRITER_POOL}"
    if done_by.exists() and done_by.read_text() == wanted:
        return
    progress("preparing Airflow's database")
    pool = ["pools", "set", WRITER_POOL, "1", "Tasks that write Ringwatch's graph, one at a time"]
    for arguments in (["db", "migrate"], pool):
        result = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env=env, cwd=settings.airflow_dir, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if result.returncode:
            what = " ".join(arguments[:2])
            raise RingwatchError(f"`airflow {what}` failed in {settings.airflow_dir}: {result.stderr[-500:]}")
    done_by.write_text(wanted)


def _start_parts(settings: Settings, env: dict[str, str], port: int) -> None:
    logs = settings.airflow_dir / "logs"
    logs.mkdir(exist_ok=True)
    sessions: list[Session] = []
    for name, arguments in PARTS.items():
        command = [sys.executable, "-m", "airflow", *arguments]
        log = logs / f"{name}.log"
        sessions.append(start_session(name, command, env=env, cwd=settings.airflow_dir, log=log))
        write_record(settings, Record(port, tuple(sessions)))  # at once: a crash here must leave nothing unknown


def _wait_until_healthy(settings: Settings, port: int) -> None:
    from ringwatch.infra.airflow.api import is_healthy

    deadline = time.monotonic() + _HEALTHY_TIMEOUT_S
    record = read_record(settings)
    assert record is not None
    while not is_healthy(_url(port)):
        dead = next((session.name for session in record.sessions if not is_alive(session)), None)
        if dead or time.monotonic() > deadline:
            what = f"its {dead} ended" if dead else f"not healthy after {_HEALTHY_TIMEOUT_S} s"
            log = settings.airflow_dir / "logs" / f"{dead or 'scheduler'}.log"
            tail = log.read_text(errors="replace")[-800:]
            raise RingwatchError(f"Airflow did not start: {what}. The end of {log}:\n{tail}")
        time.sleep(_POLL_S)


def _end_recorded(settings: Settings) -> None:
    record = read_record(settings)
    if record is None:
        return
    left = end_sessions(record.sessions)
    if left:
        raise RingwatchError(f"these processes of Airflow would not end: {left}. End them by hand.")
    remove_record(settings)
