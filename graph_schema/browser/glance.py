"""The newest night at a glance, as a file of the desk, which the guide is made from."""

import json
from dataclasses import dataclass
from pathlib import Path

GLANCE_FILE = "glance.json"


@dataclass(frozen=True)
class Asked:
    """A question as the guide lists it: kind, the id of the ring or account, and why it is asked."""

    kind: str
    id: str
    why: str


@dataclass(frozen=True)
class Glance:
    """A night at a glance.

    Attributes:
        date: the night, ISO 8601.
        facts: sentences about it.
        questions: those to look at first.
        report_url: of the nightly report; None where the guide cannot reach it.
    """

    date: str
    facts: tuple[str, ...]
    questions: tuple[Asked, ...]
    report_url: str | None


def read_glance(folder: Path, url: str | None) -> Glance | None:
    """What was kept in a desk's folder; None before the first night.

    Args:
        folder: of the desk.
        url: at which the desk, and so the night's report, is served; None: nowhere.
    """
    try:
        kept = json.loads((folder / GLANCE_FILE).read_text())
    except FileNotFoundError:
        return None
    report_url = f"{url}/reports/date={kept['date']}/report.html" if url else None
    return Glance(kept["date"], tuple(kept["facts"]), tuple(Asked(**each) for each in kept["questions"]), report_url)
