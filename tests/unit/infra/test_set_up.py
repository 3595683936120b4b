"""The files of set-up agree with what they describe."""

import re
from pathlib import Path

from ringwatch.infra.neo4j.jars import NEO4J
from ringwatch.pipelines.common.settings import Settings

ROOT = Path(__file__).parents[3]


def test_the_example_shows_every_setting_as_it_is_documented() -> None:
    example = (ROOT / ".env.example").read_text()
    shown = set(re.findall(r"^# (.+)\n# RINGWATCH_(\w+)=", example, flags=re.MULTILINE))
    assert shown == {(field.description, name.upper()) for name, field in Settings.model_fields.items()}


def test_the_lock_holds_what_is_asked_for_once_each() -> None:
    jars = NEO4J.locked()
    assert set(NEO4J.coordinates) <= {f"{jar.group}:{jar.name}:{jar.version}" for jar in jars}
    assert len({jar.filename for jar in jars}) == len(jars)
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)


def test_constraints_pin_exactly_and_name_no_place() -> None:
    lines = (ROOT / "infra" / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", line) for line in lines)
