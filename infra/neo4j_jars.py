"""Fetches the jars of Neo4j, its Browser and its shell, by coordinates and checksums kept in a lock file.

Resolving what Neo4j depends on takes a minute, and may come out otherwise another day; the lock holds what was
resolved and tested once, so that set-up only downloads. The jars are GPL: they are never committed, and lie in the
virtual environment, beside the other packages, where every state folder can use them.

    python -m infra.neo4j_jars fetch    download what is missing
    python -m infra.neo4j_jars lock     resolve anew, after a change of version here
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

from pipelines.errors import RingwatchError

NEO4J_VERSION = "5.26.29"
# The Browser is no dependency of the server, which serves it when it is on the class path.
COORDINATES = (
    f"org.neo4j:neo4j:{NEO4J_VERSION}",
    f"org.neo4j:cypher-shell:{NEO4J_VERSION}",
    "org.neo4j.client:neo4j-browser:5.24.0",
)
LOCK_FILE = Path(__file__).with_name("neo4j-jars.lock")
JARS_DIR = Path(sys.prefix) / "share" / "ringwatch" / f"neo4j-{NEO4J_VERSION}"

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


def read_lock(path: Path = LOCK_FILE) -> list[LockedJar]:
    """The jars of a lock file."""
    return [LockedJar.from_line(line) for line in path.read_text().splitlines() if not line.startswith("#")]


def write_lock(path: Path = LOCK_FILE) -> int:
    """Resolves `COORDINATES` with all that they need, and writes the lock.

    Returns:
        The number of jars.
    """
    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(scratch), timeout=_TIMEOUT_S)
        roots, needed = context.resolver.resolve([context.create_dependency(c) for c in COORDINATES])
    found = [LockedJar(d.groupId, d.artifactId, d.version, d.classifier, sha256="") for d in roots + needed]
    with _session() as session, ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        checksums = pool.map(lambda jar: hashlib.sha256(_download(jar, session)).hexdigest(), found)
        lines = [replace(jar, sha256=sha256).line for jar, sha256 in sorted(zip(found, checksums, strict=True))]
    path.write_text("\n".join(["# Made by: python -m infra.neo4j_jars lock", *lines, ""]))
    return len(lines)


def missing_jars(folder: Path = JARS_DIR) -> list[LockedJar]:
    """The jars of the lock that `folder` lacks; one that is there was checked before it came there."""
    return [jar for jar in read_lock() if not (folder / jar.filename).is_file()]


def fetch_jars(folder: Path = JARS_DIR, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Downloads into `folder` the jars that it lacks, and removes those that the lock does not name.

    Args:
        folder: where the jars are to lie.
        progress: called with (jars done, jars to do) after each.

    Returns:
        The number of jars downloaded.

    Raises:
        RingwatchError: a jar cannot be had, or is not the one that was locked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / "fetch.lock"), _session() as session, ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        missing = missing_jars(folder)
        for done, _ in enumerate(pool.map(lambda jar: _fetch_jar(jar, session, folder), missing), start=1):
            progress(done, len(missing))
        _remove_strangers(folder)
    return len(missing)


def _fetch_jar(jar: LockedJar, session: Session, folder: Path) -> None:
    content = _download(jar, session)
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != jar.sha256:
        raise RingwatchError(
            f"{jar.filename} came with the checksum {sha256}, but {LOCK_FILE.name} wants {jar.sha256}: the download "
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
    session = Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=_DOWNLOADS_AT_ONCE, max_retries=_RETRY))
    return session


def _remove_strangers(folder: Path) -> None:
    """Removes the jars of an older lock: two versions of one library do not go together on a class path."""
    locked = {jar.filename for jar in read_lock()}
    for path in folder.glob("*.jar"):
        if path.name not in locked:
            path.unlink()


def _show_progress(done: int, total: int) -> None:
    if done == total or done % 50 == 0:
        print(f"  {done} of {total} jars", flush=True)


def main() -> None:
    """Runs `fetch` or `lock`."""
    truststore.inject_into_ssl()  # the system's certificates, among them those of a network that inspects traffic
    match sys.argv[1:]:
        case ["fetch"]:
            fetch_jars(progress=_show_progress)
        case ["lock"]:
            print(f"{write_lock()} jars locked")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main()
    except RingwatchError as error:
        sys.exit(f"error: {error}")
