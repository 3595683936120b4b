"""The embedded Neo4j as the pipelines know it: where it answers, and that it can import. `ringwatch.infra` provides it.

It is found by its entry point, so that the pipelines depend on no server: they run as well without one installed.
"""

from importlib.metadata import entry_points
from typing import Any, Protocol, cast

from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings


class EmbeddedNeo4j(Protocol):
    """What `ringwatch.infra.neo4j.server` offers."""

    def status(self, settings: Settings) -> Any:
        """Whether it runs, and by which uri, user and password file it is reached."""

    def import_database(self, settings: Settings, *sources: str) -> None:
        """Fill its database anew by the offline import, for which it pauses."""


def embedded_neo4j() -> EmbeddedNeo4j:
    """The embedded Neo4j of this installation.

    Raises:
        RingwatchError: there is none.
    """
    for entry in entry_points(group="ringwatch.servers", name="neo4j"):
        return cast("EmbeddedNeo4j", entry.load())
    raise RingwatchError("no embedded Neo4j is installed: set RINGWATCH_NEO4J_URI to one elsewhere.")
