"""What tests share: a real Neo4j, one for the whole run, emptied before each test that asks for it."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from neo4j import Driver

from ringwatch.infra.neo4j import server as embedded
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.client import connect

TESTS_DIR = Path(__file__).parent
KINDS = ("unit", "simulation", "learning", "integration", "e2e")


def pytest_configure() -> None:
    """Keeps a developer's own settings out, and has servers ended when the run itself is."""
    for name in [name for name in os.environ if name.startswith("RINGWATCH_")]:
        del os.environ[name]
    hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
    hypothesis.settings.load_profile("untimed")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: fixtures are torn down


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test by the folder it lies in: unit, simulation, learning, integration or e2e."""
    for item in items:
        kind = item.path.relative_to(TESTS_DIR).parts[0]
        if kind in KINDS:
            item.add_marker(kind)


@pytest.fixture(scope="session")
def server_settings() -> Iterator[Settings]:
    """Settings of the run's embedded server, in a home of its own."""
    # Not pytest's tmp_path, which keeps the last three runs: a store is not worth keeping.
    with tempfile.TemporaryDirectory(prefix="ringwatch-test-") as home:
        yield Settings(_env_file=None, home=Path(home), neo4j_heap_mb=512, neo4j_pagecache_mb=64)


@pytest.fixture(scope="session")
def neo4j_server(server_settings: Settings) -> Iterator[embedded.Neo4jStatus]:
    """The run's embedded server, running."""
    try:
        yield embedded.start(server_settings)
    finally:
        embedded.stop(server_settings)


@pytest.fixture(scope="session")
def session_driver(neo4j_server: embedded.Neo4jStatus) -> Iterator[Driver]:
    """A driver to the run's server, with the schema; tests take `driver`, which finds an empty graph."""
    settings = Settings(
        _env_file=None,
        neo4j_uri=neo4j_server.uri,
        neo4j_user=neo4j_server.user,
        neo4j_password_file=Path(neo4j_server.password_file),
    )
    with connect(settings) as driver:
        yield driver


@pytest.fixture
def driver(session_driver: Driver) -> Driver:
    """A driver to a graph without nodes; constraints and indexes stay from test to test."""
    session_driver.execute_query("MATCH (n) DETACH DELETE n")
    return session_driver


@pytest.fixture
def settings(tmp_path: Path, neo4j_server: embedded.Neo4jStatus, driver: Driver) -> Settings:
    """Settings of a fresh home, over the run's server, whose graph is empty."""
    return Settings(
        _env_file=None,
        home=tmp_path / "home",
        neo4j_uri=neo4j_server.uri,
        neo4j_user=neo4j_server.user,
        neo4j_password_file=Path(neo4j_server.password_file),
    )
