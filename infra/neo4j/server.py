"""Starts, stops, empties and describes the embedded Neo4j: a real server, of this user, on this machine.

The server is detached: it outlives the command that started it, until `stop`.
"""

import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from filelock import FileLock

from ringwatch.infra.analyst_server.process import desk_url, start_desk
from ringwatch.infra.neo4j.config import (
    DATABASE,
    USER,
    Ports,
    candidate_ports,
    console_log,
    password_file,
    unfinished_import,
)
from ringwatch.infra.neo4j.process import (
    STOP_TIMEOUT_S,
    end_server,
    find_server,
    has_started,
    launch,
    listens,
    log_tail,
    run_admin,
)
from ringwatch.infra.process.ports import HOST
from ringwatch.pipelines.common.errors import Neo4jUnreachableError, RingwatchError
from ringwatch.pipelines.common.metering import metered
from ringwatch.pipelines.common.settings import Settings

_START_TIMEOUT_S = 300  # 10 s on a free machine, minutes on one that is busy; a server that ends is noticed at once
_POLL_S = 0.25
_IMPORT_MB = 1_024  # the least that an import is given beside its heap


@dataclass(frozen=True)
class Neo4jStatus:
    """Neo4j as it stands; made of what JSON can hold."""

    running: bool
    uri: str | None
    user: str
    password_file: str | None
    browser_url: str | None
    guide_url: str | None  # which opens by itself in the Browser
    pid: int | None


def status(settings: Settings) -> Neo4jStatus:
    """Whether Neo4j runs, and how to reach it: the one elsewhere, if settings name one, else the embedded server."""
    if settings.neo4j_uri:
        return _status_elsewhere(settings, settings.neo4j_uri)
    server = find_server(settings)
    ports = server.ports if server and listens(server) else None
    return Neo4jStatus(
        running=ports is not None,
        uri=f"bolt://{HOST}:{ports.bolt}" if ports else None,
        user=USER,
        password_file=str(password_file(settings)),
        browser_url=_browser_url(ports) if ports else None,
        guide_url=f"{desk}/guide.html" if (desk := desk_url(settings)) else None,
        pid=server.session.pid if server else None,
    )


def start(settings: Settings, progress: Callable[[float], None] = lambda elapsed_s: None) -> Neo4jStatus:
    """Starts the embedded server unless it runs, and waits until Bolt and the Browser answer.

    Args:
        settings: whose `neo4j_dir` the server lives in.
        progress: called with the seconds waited, a few times a second.

    Raises:
        RingwatchError: a Neo4j elsewhere is configured, the jars or the password file are missing.
        Neo4jUnreachableError: the server did not come up.
    """
    if settings.neo4j_uri:
        raise RingwatchError(
            f"RINGWATCH_NEO4J_URI names a Neo4j elsewhere ({settings.neo4j_uri}), which is not ours to start: "
            "start it where it runs, or unset the setting to use the embedded one."
        )
    settings.neo4j_dir.mkdir(parents=True, exist_ok=True)
    with _lock(settings):
        return _start(settings, progress)


def _start(settings: Settings, progress: Callable[[float], None]) -> Neo4jStatus:
    """The same for who holds the lock."""
    if status(settings).running:
        start_desk(settings)
        return status(settings)
    for ports in candidate_ports(settings):
        if not find_server(settings):
            launch(settings, ports)
        if _comes_up(settings, progress):
            return _checked_status(settings)
        end_server(settings)
        if ports.are_free():
            break  # else another program took them after we chose: the one fault that other ports mend
    raise Neo4jUnreachableError(f"Neo4j did not start:\n{log_tail(settings)}\nIts log is {console_log(settings)}.")


def stop(settings: Settings) -> bool:
    """Ends the embedded server: politely, and after a minute by force.

    Returns:
        Whether there was one.
    """
    if not settings.neo4j_dir.exists():
        return False
    with _lock(settings):
        return end_server(settings)


def reset(settings: Settings) -> None:
    """Ends the embedded server and deletes all its data; the password stays."""
    if not settings.neo4j_dir.exists():
        return
    with _lock(settings):
        end_server(settings)
        data_dir = settings.neo4j_dir / "data"
        if data_dir.exists():
            shutil.rmtree(data_dir)


def admin(settings: Settings, *args: str) -> str:
    """Runs Neo4j's admin tool, for what needs a stopped server, such as `database import full`.

    Returns:
        What it printed.

    Raises:
        RingwatchError: the server runs, or the command failed.
    """
    settings.neo4j_dir.mkdir(parents=True, exist_ok=True)
    with _lock(settings):
        if server := find_server(settings):
            raise RingwatchError(
                f"Neo4j runs (pid {server.session.pid}), and `{' '.join(args)}` needs it stopped: "
                "run `ringwatch neo4j stop` first."
            )
        return run_admin(settings, *args)


def import_database(settings: Settings, *sources: str) -> None:
    """Fills the embedded server's database anew by `database import full`, for which the server pauses.

    Until that is done, a mark says that the store is not to be trusted: a start that finds it begins with an empty one.

    Args:
        settings: whose server.
        sources: options that name what to import.

    Raises:
        RingwatchError: the import failed; the server runs again, and its database is empty.
    """
    memory_mb = max(settings.neo4j_heap_mb + settings.neo4j_pagecache_mb, _IMPORT_MB)  # what the server gives up
    options = ["--overwrite-destination=true", f"--max-off-heap-memory={memory_mb}m"]
    options += [f"--report-file={settings.neo4j_dir / 'logs' / 'import.report'}", *sources]  # else where we stand
    with _lock(settings):
        end_server(settings)
        unfinished_import(settings).touch()
        try:
            with metered("neo4j-admin import"):
                run_admin(settings, "database", "import", "full", DATABASE, *options)
            unfinished_import(settings).unlink()
        finally:
            _start(settings, lambda _: None)


def _status_elsewhere(settings: Settings, uri: str) -> Neo4jStatus:
    address = urlsplit(uri)
    try:
        socket.create_connection((address.hostname or HOST, address.port or 7687), timeout=5).close()
        running = True
    except OSError:
        running = False
    file = settings.neo4j_password_file
    return Neo4jStatus(
        running=running,
        uri=uri,
        user=settings.neo4j_user,
        password_file=str(file) if file else None,
        browser_url=None,
        guide_url=None,
        pid=None,
    )


def _browser_url(ports: Ports) -> str:
    """With the Bolt address in it, or the Browser would ask for the usual one."""
    return f"http://{HOST}:{ports.http}/browser/?dbms=bolt://{USER}@{HOST}:{ports.bolt}"


def _lock(settings: Settings) -> FileLock:
    """Held while the server's state changes, so that two commands at once never start two servers."""
    return FileLock(settings.neo4j_dir / "server.lock", timeout=_START_TIMEOUT_S + STOP_TIMEOUT_S)


def _comes_up(settings: Settings, progress: Callable[[float], None]) -> bool:
    """Waits until the server is up; False if it ended, or took too long."""
    began = time.monotonic()
    while (elapsed_s := time.monotonic() - began) < _START_TIMEOUT_S:
        if status(settings).running and has_started(settings):
            return True
        if not find_server(settings):
            return False
        progress(elapsed_s)
        time.sleep(_POLL_S)
    return False


def _checked_status(settings: Settings) -> Neo4jStatus:
    """The status of a server that is up, after Bolt took our password."""
    # Imported here: the driver imports pandas, and `neo4j status` connects to nothing.
    from neo4j import GraphDatabase
    from neo4j.exceptions import DriverError, Neo4jError

    found = status(settings)
    password = password_file(settings).read_text().strip()
    try:
        with GraphDatabase.driver(str(found.uri), auth=(USER, password)) as driver:
            driver.verify_connectivity()
    except (DriverError, Neo4jError) as error:
        raise Neo4jUnreachableError(
            f"Neo4j runs at {found.uri}, but does not take the password in {found.password_file} ({error}): put the "
            "right one there, or empty the database with `ringwatch neo4j reset`."
        ) from error
    return found
