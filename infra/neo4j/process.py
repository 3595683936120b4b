"""The processes of the embedded Neo4j: its server, detached, and its admin tool."""

import subprocess

import psutil

from ringwatch.infra.analyst_server.process import end_desk, start_desk
from ringwatch.infra.neo4j.config import (
    Ports,
    ServerRecord,
    console_log,
    drop_unfinished_import,
    ensure_password,
    has_database,
    java_command,
    java_environment,
    password_file,
    read_record,
    write_conf,
)
from ringwatch.infra.process.sessions import end_sessions, is_alive, start_session
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings

STOP_TIMEOUT_S = 60
_LOG_LINES_SHOWN = 15


def find_server(settings: Settings) -> ServerRecord | None:
    """The server started last, if it is still alive."""
    record = read_record(settings)
    return record if record and is_alive(record.session) else None


def listens(server: ServerRecord) -> bool:
    """Whether that server, and no other program, has Bolt and HTTP open."""
    try:
        connections = psutil.Process(server.session.pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return False
    opened = {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}
    return {server.ports.bolt, server.ports.http} <= opened


def has_started(settings: Settings) -> bool:
    """Whether the server says so; it listens a moment earlier, when a signal would end it without a checkpoint."""
    return " Started." in console_log(settings).read_text(errors="replace")


def log_tail(settings: Settings) -> str:
    """What the server printed last."""
    return "\n".join(console_log(settings).read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:])


def launch(settings: Settings, ports: Ports) -> None:
    """Starts the server in a session of its own, and records it; the desk that it sends analysts to comes first."""
    ensure_password(settings)
    drop_unfinished_import(settings)
    write_conf(settings, ports, start_desk(settings))
    try:
        if not has_database(settings):  # picocli reads an argument @FILE from the file, so that `ps` does not show it
            run_admin(settings, "dbms", "set-initial-password", f"@{password_file(settings)}")
    except RingwatchError:
        end_desk(settings)
        raise
    home, conf = settings.neo4j_dir, settings.neo4j_dir / "conf"
    arguments = (f"--home-dir={home}", f"--config-dir={conf}", "--console-mode")
    log = console_log(settings)
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    session = start_session(
        "neo4j",
        java_command(settings, "org.neo4j.server.CommunityEntryPoint", *arguments),
        env=java_environment(settings),
        cwd=home,
        log=log,
    )
    ServerRecord(session, ports).write(settings)


def end_server(settings: Settings) -> bool:
    """Ends the server and its desk: politely, and after a minute by force. False if there was none."""
    end_desk(settings)
    server = find_server(settings)
    if server is None:
        return False
    if left := end_sessions([server.session], patience_s=STOP_TIMEOUT_S):
        raise RingwatchError(f"Neo4j does not end, even by force: look at process {left[0]}, then try again.")
    return True


def run_admin(settings: Settings, *args: str) -> str:
    """Runs the admin tool and returns what it printed.

    Raises:
        RingwatchError: the command failed.
    """
    result = subprocess.run(
        java_command(settings, "org.neo4j.cli.AdminTool", *args),
        env=java_environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RingwatchError(f"neo4j-admin {' '.join(args)} failed: {(result.stderr or result.stdout).strip()}")
    return result.stdout
