"""Jars are fetched whole and as they were locked, or not at all."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ringwatch.infra.neo4j import jars
from ringwatch.infra.neo4j.jars import JarSet, LockedJar, fetch_jars
from ringwatch.pipelines.common.errors import RingwatchError

pytestmark = pytest.mark.unit
JARS = {
    name: LockedJar("org.example", name, "1.0", "", hashlib.sha256(name.encode()).hexdigest())
    for name in ("one", "two")
}


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[str]:
    """A Maven repository of two jars, each of which holds its own name."""
    for name, jar in JARS.items():
        file = tmp_path / "repository" / jar.path
        file.parent.mkdir(parents=True)
        file.write_text(name)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "repository"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def wanted(tmp_path: Path, repository: str, monkeypatch: pytest.MonkeyPatch) -> JarSet:
    monkeypatch.setattr(jars, "_RETRIES", 0)
    return locked(JarSet(tmp_path / "jars.lock", tmp_path / "share" / "jars", (), repository), *JARS.values())


def locked(wanted: JarSet, *found: LockedJar) -> JarSet:
    wanted.lock_file.write_text("# a comment\n" + "".join(f"{jar.line}\n" for jar in found))
    return wanted


def test_what_is_missing_is_fetched_and_nothing_twice(wanted: JarSet, tmp_path: Path) -> None:
    told = []
    assert fetch_jars(wanted, lambda done, total: told.append((done, total))) == 2
    assert {path.name: path.read_text() for path in wanted.folder.iterdir()} == {
        "one-1.0.jar": "one",
        "two-1.0.jar": "two",
    }
    assert told == [(1, 2), (2, 2)]
    assert fetch_jars(replace(wanted, repository="http://127.0.0.1:9")) == 0


def test_a_jar_with_another_checksum_is_refused_and_leaves_nothing(wanted: JarSet) -> None:
    locked(wanted, replace(JARS["one"], sha256="0" * 64))
    with pytest.raises(RingwatchError, match=r"one-1\.0\.jar has another checksum"):
        fetch_jars(wanted)
    assert list(wanted.folder.iterdir()) == []


def test_a_jar_that_cannot_be_had_is_named(wanted: JarSet) -> None:
    locked(wanted, *JARS.values(), LockedJar("org.example", "three", "1.0", "", "0" * 64))
    with pytest.raises(RingwatchError, match=r"cannot download three-1\.0\.jar: 404"):
        fetch_jars(wanted)


def test_jars_of_an_older_lock_and_broken_downloads_are_removed(wanted: JarSet) -> None:
    fetch_jars(wanted)
    (wanted.folder / "tmp1234").write_text("half")
    assert fetch_jars(locked(wanted, JARS["two"])) == 0
    assert [path.name for path in wanted.folder.iterdir()] == ["two-1.0.jar"]
