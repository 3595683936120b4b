"""Fetches the jars of Neo4j, its Browser and its shell, by coordinates and checksums kept in a lock file.

Resolving what Neo4j depends on takes a minute, and may come out otherwise another day; the lock holds what was
resolved and tested once, so that set-up only downloads. The jars are GPL: they are never committed, and lie in the
virtual environment, beside the other packages, where every state folder can use them. Spark's, with Neo4j's connector
for it, are kept the same way; only a benchmark compares with them, and it fetches them itself.

    python -m ringwatch.infra.neo4j.jars fetch    download what is missing of Neo4j
    python -m ringwatch.infra.neo4j.jars lock     resolve all anew, after a change of version here
"""

import hashlib
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import truststore
from filelock import FileLock
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext
from requests import RequestException, Session
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from ringwatch.pipelines.common.errors import RingwatchError

NEO4J_VERSION = "5.26.29"
_SPARK_VERSION = "3.5.9"  # the newest that the connector knows

_DOWNLOADS_AT_ONCE = 16
_TIMEOUT_S = 60
_RETRY = Retry(total=5, backoff_factor=1, status_forcelist=(429, 500, 502, 503, 504))


@dataclass(frozen=True, order=True)
class LockedJar:
    """One jar: where it is found, and what it must hold."""

    group: str
    name: str
    version: str
    classifier: str  # empty for most
    sha256: str

    @classmethod
    def from_line(cls, line: str) -> "LockedJar":
        """The jar of a line `sha256 group:name:version[:classifier]`."""
        sha256, coordinates = line.split()
        group, name, version, *classifier = coordinates.split(":")
        return cls(group, name, version, "".join(classifier), sha256)

    @property
    def line(self) -> str:
        """The jar as a line of the lock file."""
        coordinates = ":".join(part for part in (self.group, self.name, self.version, self.classifier) if part)
        return f"{self.sha256} {coordinates}"

    @property
    def filename(self) -> str:
        """The jar's name in the repository and on disk."""
        return "-".join(part for part in (self.name, self.version, self.classifier) if part) + ".jar"

    @property
    def url(self) -> str:
        """Where the default repository of jgo has it."""
        return "/".join((MAVEN_CENTRAL_URL, *self.group.split("."), self.name, self.version, self.filename))


@dataclass(frozen=True)
class JarSet:
    """Jars for one class path: `name` and `version` name its folder, `coordinates` what it is resolved from."""

    name: str
    version: str
    coordinates: tuple[str, ...]

    @property
    def lock_file(self) -> Path:
        """Where the jars are listed."""
        return Path(__file__).with_name(f"{self.name}-jars.lock")

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return Path(sys.prefix) / "share" / "ringwatch" / f"{self.name}-{self.version}"

    def locked(self) -> list[LockedJar]:
        """The jars of the lock file."""
        return [LockedJar.from_line(line) for line in self.lock_file.read_text().splitlines() if line[0] != "#"]

    def missing(self) -> list[LockedJar]:
        """The jars of the lock that the folder lacks; one that is there was checked before it came there."""
        return [jar for jar in self.locked() if not (self.folder / jar.filename).is_file()]


# The Browser is no dependency of the server, which serves it when it is on the class path.
NEO4J = JarSet(
    "neo4j",
    NEO4J_VERSION,
    (
        f"org.neo4j:neo4j:{NEO4J_VERSION}",
        f"org.neo4j:cypher-shell:{NEO4J_VERSION}",
        "org.neo4j.client:neo4j-browser:5.24.0",
    ),
)
SPARK = JarSet(
    "spark",
    _SPARK_VERSION,
    (
        f"org.apache.spark:spark-sql_2.13:{_SPARK_VERSION}",
        "org.neo4j:neo4j-connector-apache-spark_2.13:5.3.10_for_spark_3",
    ),
)


def write_lock(jars: JarSet) -> int:
    """Resolves the coordinates with all that they need, and writes the lock.

    Returns:
        The number of jars.
    """
    with _session() as session, tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(scratch), timeout=_TIMEOUT_S)
        roots, needed = context.resolver.resolve([context.create_dependency(c) for c in jars.coordinates])
        found = [LockedJar(d.groupId, d.artifactId, d.version, d.classifier, sha256="") for d in roots + needed]
        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
            checksums = pool.map(lambda jar: hashlib.sha256(_download(jar, session)).hexdigest(), found)
            lines = [replace(jar, sha256=sha256).line for jar, sha256 in sorted(zip(found, checksums, strict=True))]
    jars.lock_file.write_text("\n".join(["# Made by: python -m ringwatch.infra.neo4j.jars lock", *lines, ""]))
    return len(lines)


def fetch_jars(jars: JarSet, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Downloads into the set's folder the jars that it lacks, and removes those that the lock does not name.

    Args:
        jars: which.
        progress: called with (jars done, jars to do) after each.

    Returns:
        The number of jars downloaded.

    Raises:
        RingwatchError: a jar cannot be had, or is not the one that was locked.
    """
    folder = jars.folder
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / "fetch.lock"), _session() as session, ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        missing = jars.missing()
        for done, _ in enumerate(pool.map(lambda jar: _fetch_jar(jar, session, folder), missing), start=1):
            progress(done, len(missing))
        _remove_strangers(jars)
    return len(missing)


def _fetch_jar(jar: LockedJar, session: Session, folder: Path) -> None:
    content = _download(jar, session)
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != jar.sha256:
        raise RingwatchError(
            f"{jar.filename} came with the checksum {sha256}, but the lock wants {jar.sha256}: the download "
            "was altered. Try again, on another network if it stays so."
        )
    partial = folder / f"{jar.filename}.partial"
    partial.write_bytes(content)
    partial.replace(folder / jar.filename)


def _download(jar: LockedJar, session: Session) -> bytes:
    try:
        response = session.get(jar.url, timeout=_TIMEOUT_S)
        response.raise_for_status()
    except RequestException as error:
        raise RingwatchError(f"cannot download {jar.filename}: {error}. Check the network and try again.") from error
    return response.content


def _session() -> Session:
    """A session whose connections the threads share: a new one for each jar costs more than the jar."""
    truststore.inject_into_ssl()  # the system's certificates, among them those of a network that inspects traffic
    session = Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=_DOWNLOADS_AT_ONCE, max_retries=_RETRY))
    return session


def _remove_strangers(jars: JarSet) -> None:
    """Removes the jars of an older lock: two versions of one library do not go together on a class path."""
    locked = {jar.filename for jar in jars.locked()}
    for path in jars.folder.glob("*.jar"):
        if path.name not in locked:
            path.unlink()


def _show_progress(done: int, total: int) -> None:
    if done == total or done % 50 == 0:
        print(f"  {done} of {total} jars", flush=True)


def main() -> None:
    """Runs `fetch` or `lock`."""
    match sys.argv[1:]:
        case ["fetch"]:
            fetch_jars(NEO4J, _show_progress)
        case ["lock"]:
            for jars in (NEO4J, SPARK):
                print(f"{write_lock(jars)} jars locked for {jars.name}")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main()
    except RingwatchError as error:
        sys.exit(f"error: {error}")
