"""Two nights about now, for a decision is made now and counts from then on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from neo4j import Driver

from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.client import run
from ringwatch.pipelines.nightly.detect import detect
from ringwatch.pipelines.nightly.load import load_night

_TODAY = datetime.now(UTC).date()
NIGHTS = [_TODAY - timedelta(days=1), _TODAY + timedelta(days=1)]  # the second is over by no chance of midnight


def play(settings: Settings, driver: Driver, landing: Path, night: int) -> None:
    """Load and detect the first (0) or the second (1) of the nights."""
    load_night(settings, driver, landing=landing, date=NIGHTS[night])
    detect(settings, driver, date=NIGHTS[night])


def find_the_ring(settings: Settings, driver: Driver, landing: Path) -> str:
    """Play the first night; the id of the one ring that it found."""
    play(settings, driver, landing, 0)
    [record] = run(driver, "MATCH (g:Ring) RETURN g.ring_id AS id")
    return str(record["id"])
