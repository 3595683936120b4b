"""Checks of an installation: what is set up, set, running, and how much disk is left."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.extras import how_to_install
from ringwatch.pipelines.common.settings import Settings, read_settings

_PACKAGES = ("neo4j", "torch", "torch-geometric", "pandas", "apache-airflow", "great-expectations")
_FREE_GB = 5


@dataclass(frozen=True)
class Finding:
    """One check: `state` is ok, note (works, but worth knowing) or bad (to fix)."""

    check: str
    state: str
    finding: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Run every check; none changes anything."""
    try:
        settings = read_settings()
    except RingwatchError as error:
        return [_python(), Finding("settings", "bad", str(error), "fix it in the environment or in .env")]
    embedded = _unless_missing("neo4j jars", _jars), _unless_missing("neo4j", lambda: _neo4j(settings))
    checks = (_python(), _packages(), _settings(settings), *embedded, _airflow(settings))
    return [*checks, _landing(settings), _signing_key(settings), _disk(settings)]


def _unless_missing(name: str, check: Callable[[], Finding]) -> Finding:
    """What a check finds; where it needs an extra that is not installed, that."""
    try:
        return check()
    except ModuleNotFoundError as error:
        if (sentence := how_to_install(error)) is None:
            raise
        return Finding(name, "note", sentence)


def _python() -> Finding:
    found = sys.version.split()[0]
    if sys.version_info[:2] == (3, 11):
        return Finding("python", "ok", found)
    return Finding("python", "bad", f"{found}, not 3.11", "run infra/setup")


def _packages() -> Finding:
    return Finding("packages", "ok", ", ".join(f"{name} {_version(name)}" for name in _PACKAGES))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _settings(settings: Settings) -> Finding:
    given = sorted(settings.model_fields_set - {"signing_key", "partner_keys"})
    told = ", ".join(f"{name}={getattr(settings, name)}" for name in given) or "all at their defaults"
    return Finding("settings", "ok", f"home {settings.home_dir}; {told}")


def _jars() -> Finding:
    from ringwatch.infra.neo4j.jars import NEO4J

    n_missing = len(NEO4J.missing())
    if n_missing:
        return Finding("neo4j jars", "bad", f"{n_missing} are missing", "run infra/setup")
    return Finding("neo4j jars", "ok", "all there")


def _neo4j(settings: Settings) -> Finding:
    from ringwatch.pipelines.graph.client import connect, pending_migrations

    try:
        with connect(settings, migrates=False) as driver:
            server, pending = driver.get_server_info(), pending_migrations(driver)
    except RingwatchError as error:
        state = "bad" if settings.neo4j_uri else "note"
        return Finding("neo4j", state, str(error), "" if settings.neo4j_uri else "ringwatch neo4j start")
    found = f"{server.agent} at {server.address[0]}:{server.address[1]}"
    if pending:
        numbers = ", ".join(str(migration.number) for migration in pending)
        return Finding("neo4j", "note", f"{found}; migrations pending: {numbers}", "none: the next load applies them")
    return Finding("neo4j", "ok", found)


def _airflow(settings: Settings) -> Finding:
    from ringwatch.infra.airflow.server import status

    found = status(settings)
    if found.running:
        return Finding("airflow", "ok", f"running at {found.url}")
    return Finding("airflow", "note", "not running", "ringwatch airflow start")


def _landing(settings: Settings) -> Finding:
    from ringwatch.pipelines.ingest.landing import check_landing

    if settings.landing is None:
        return Finding("landing", "note", "not set: the DAGs will not know what to read", "set RINGWATCH_LANDING")
    try:
        notes = check_landing(settings.landing)
    except RingwatchError as error:
        return Finding("landing", "bad", str(error), "fix RINGWATCH_LANDING")
    return Finding("landing", "note" if notes else "ok", "; ".join([str(settings.landing), *notes]))


def _signing_key(settings: Settings) -> Finding:
    if settings.signing_key is None:
        return Finding("signing key", "note", "not set: manifests go out unsigned", "set RINGWATCH_SIGNING_KEY")
    return Finding("signing key", "ok", "set")


def _disk(settings: Settings) -> Finding:
    folder = next(path for path in (settings.home_dir, *settings.home_dir.parents) if path.exists())
    free_gb = shutil.disk_usage(Path(folder)).free / 1e9
    if free_gb < _FREE_GB:
        return Finding("disk", "bad", f"{free_gb:.1f} GB free", f"free up {_FREE_GB} GB, or move RINGWATCH_HOME")
    return Finding("disk", "ok", f"{free_gb:.0f} GB free")
