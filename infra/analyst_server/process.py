"""The embedded Neo4j's desk server: started before Neo4j, whose configuration names its address, and ended with it."""

import json
import os
import secrets
import socket
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ringwatch.infra.analyst_server.server import SECRET
from ringwatch.infra.process.ports import HOST, free_port
from ringwatch.infra.process.sessions import Session, end_sessions, is_alive, start_session
from ringwatch.pipelines.common.atomic_file import write_json
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings

_USUAL_PORT = 8001
_START_TIMEOUT_S = 30
_POLL_S = 0.05


@dataclass(frozen=True)
class DeskRecord:
    """The desk server started last, running or not."""

    session: Session
    port: int
    secret: str

    @property
    def url(self) -> str:
        """Where its files are."""
        return f"http://{HOST}:{self.port}/{self.secret}"


def desk_url(settings: Settings) -> str | None:
    """Where the desk is served; None while it is not."""
    record = _read(settings)
    return record.url if record and is_alive(record.session) else None


def start_desk(settings: Settings) -> str:
    """Serve the desk, unless it is served, where it was served last if that is still free.

    Raises:
        RingwatchError: the server does not come up.
    """
    if url := desk_url(settings):
        return url
    former = _read(settings)
    port = free_port([*([former.port] if former else []), _USUAL_PORT])
    secret = former.secret if former else secrets.token_urlsafe(16)
    settings.desk_dir.mkdir(parents=True, exist_ok=True)
    log = settings.neo4j_dir / "desk.log"
    log.unlink(missing_ok=True)
    session = start_session(
        "desk",
        [sys.executable, "-m", "ringwatch.infra.analyst_server.server", str(settings.desk_dir), str(port)],
        env={**os.environ, SECRET: secret},
        cwd=settings.desk_dir,
        log=log,
    )
    record = DeskRecord(session, port, secret)
    write_json(asdict(record), _file(settings), mode=0o600)
    _wait(record, log)
    return record.url


def end_desk(settings: Settings) -> None:
    """End the desk server, if there is one."""
    record = _read(settings)
    if record and is_alive(record.session):
        end_sessions([record.session], patience_s=5)


def _wait(record: DeskRecord, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while is_alive(record.session) and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, record.port)) == 0:
                return
        time.sleep(_POLL_S)
    raise RingwatchError(f"the server of the analysts' guide does not start; it said: {log.read_text()[-500:]}")


def _read(settings: Settings) -> DeskRecord | None:
    try:
        raw = json.loads(_file(settings).read_text())
    except FileNotFoundError:
        return None
    return DeskRecord(Session(**raw["session"]), raw["port"], raw["secret"])


def _file(settings: Settings) -> Path:
    return settings.neo4j_dir / "desk.json"
