"""Fetches the jars of Neo4j, its Browser and its shell, by coordinates and checksums kept in a lock file.

Resolving what Neo4j depends on takes a minute, and may come out otherwise another day; the lock holds what was
resolved and tested once, so that set-up only downloads. The jars are GPL: they are never committed, and lie in the
virtual environment, beside the other packages, where every state folder can use them.

    python -m ringwatch.infra.neo4j.jars fetch    download what is missing of Neo4j
    python -m ringwatch.infra.neo4j.jars lock     resolve all anew, after a change of version here
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pooch
import truststore
from filelock import FileLock
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext
from requests import RequestException, Session
from requests.adapters import HTTPAdapter

from ringwatch.pipelines.common.errors import RingwatchError

NEO4J_VERSION = "5.26.29"

_DOWNLOADS_AT_ONCE = 16
_TIMEOUT_S = 60
_RETRIES = 5

Download = Callable[[str, str, object], None]  # as pooch calls it: from a URL, into a file


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
    def path(self) -> str:
        """Where a Maven repository has it."""
        return "/".join((*self.group.split("."), self.name, self.version, self.filename))


@dataclass(frozen=True)
class JarSet:
    """Jars for one class path.

    Attributes:
        lock_file: that lists them.
        folder: where they lie.
        coordinates: what the lock is resolved from.
        repository: where they are downloaded from.
    """

    lock_file: Path
    folder: Path
    coordinates: tuple[str, ...]
    repository: str = MAVEN_CENTRAL_URL

    def url(self, jar: LockedJar) -> str:
        """Where a jar is downloaded from."""
        return f"{self.repository}/{jar.path}"

    def locked(self) -> list[LockedJar]:
        """The jars of the lock file."""
        return [LockedJar.from_line(line) for line in self.lock_file.read_text().splitlines() if line[0] != "#"]

    def missing(self) -> list[LockedJar]:
        """The jars of the lock that the folder lacks; one that is there was checked before it came there."""
        return [jar for jar in self.locked() if not (self.folder / jar.filename).is_file()]


NEO4J = JarSet(
    Path(__file__).with_name("neo4j-jars.lock"),
    Path(sys.prefix) / "share" / "ringwatch" / f"neo4j-{NEO4J_VERSION}",
    (
        f"org.neo4j:neo4j:{NEO4J_VERSION}",
        f"org.neo4j:cypher-shell:{NEO4J_VERSION}",
        "org.neo4j.client:neo4j-browser:5.24.0",  # no dependency of the server, which serves it where it is there
    ),
)


def write_lock(jars: JarSet) -> int:
    """Resolves the coordinates with all that they need, and writes the lock.

    Returns:
        The number of jars.
    """
    with _downloads() as download, tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(scratch), timeout=_TIMEOUT_S)
        roots, needed = context.resolver.resolve([context.create_dependency(c) for c in jars.coordinates])
        found = [LockedJar(d.groupId, d.artifactId, d.version, d.classifier, sha256="") for d in roots + needed]

        def lock(jar: LockedJar) -> LockedJar:
            file = pooch.retrieve(jars.url(jar), None, fname=jar.filename, path=scratch, downloader=download)
            return replace(jar, sha256=pooch.file_hash(file))

        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
            lines = [jar.line for jar in sorted(pool.map(lock, found))]
    jars.lock_file.write_text("\n".join(["# Made by: python -m ringwatch.infra.neo4j.jars lock", *lines, ""]))
    return len(lines)


def fetch_jars(jars: JarSet, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Downloads into the set's folder the jars that it lacks, and removes what the lock does not name.

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
    with (
        FileLock(folder.parent / "fetch.lock"),
        _downloads() as download,
        ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool,
    ):
        missing = jars.missing()
        store = pooch.create(
            path=folder,
            base_url="",
            registry={jar.filename: f"sha256:{jar.sha256}" for jar in missing},
            urls={jar.filename: jars.url(jar) for jar in missing},
            retry_if_failed=_RETRIES,
        )
        for done, _ in enumerate(pool.map(lambda jar: _fetch_jar(jar, store, download), missing), start=1):
            progress(done, len(missing))
        _remove_strangers(jars)
    return len(missing)


def _fetch_jar(jar: LockedJar, store: pooch.Pooch, download: Download) -> None:
    """Downloads a jar under another name, which it loses when its checksum is right."""
    try:
        store.fetch(jar.filename, downloader=download)
    except RequestException as error:
        raise RingwatchError(f"cannot download {jar.filename}: {error}. Check the network and try again.") from error
    except ValueError as error:
        raise RingwatchError(
            f"{jar.filename} has another checksum than the lock wants: the download was altered."
            " Try again, on another network if it stays so."
        ) from error


@contextmanager
def _downloads() -> Iterator[Download]:
    """Downloads over connections that the threads share: a new one for each jar costs more than the jar."""
    truststore.inject_into_ssl()  # the system's certificates, among them those of a network that inspects traffic
    pooch.get_logger().setLevel("WARNING")  # a line a jar says nothing
    with Session() as session:
        session.mount("https://", HTTPAdapter(pool_maxsize=_DOWNLOADS_AT_ONCE))

        def download(url: str, file: str, _: object) -> None:
            response = session.get(url, timeout=_TIMEOUT_S)
            response.raise_for_status()
            Path(file).write_bytes(response.content)

        yield download


def _remove_strangers(jars: JarSet) -> None:
    """Removes jars of an older lock, and what was broken off: two versions of a library do not share a class path."""
    locked = {jar.filename for jar in jars.locked()}
    for path in jars.folder.iterdir():
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
            print(f"{write_lock(NEO4J)} jars locked")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main()
    except RingwatchError as error:
        sys.exit(f"error: {error}")
