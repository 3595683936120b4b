"""The README's "Add a signal", added to an installation that has loaded and detected nights, over a real Neo4j."""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from neo4j import Driver
from tests.builders.deliveries import FIRST, RING, deliver_a_ring

from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.client import run
from ringwatch.pipelines.nightly.detect import detect
from ringwatch.pipelines.nightly.load import load_night

ROOT = Path(__file__).parents[2]
NIGHTS = [FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=2)]
# Runs in the changed copy: a night with the new signal is delivered, loaded and detected.
_NEXT_NIGHT = """
import json, sys
from datetime import date
from pathlib import Path
from tests.builders.deliveries import RING, at, deliver
from ringwatch.models.data.snapshot import read_snapshot
from ringwatch.models.features.relations import shared_relations
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.client import connect
from ringwatch.pipelines.nightly.detect import detect
from ringwatch.pipelines.nightly.explain import explain
from ringwatch.pipelines.nightly.load import load_night

asked = json.loads(sys.argv[1])
night, landing = date.fromisoformat(asked["night"]), Path(asked["landing"])
settings = Settings(_env_file=None, **asked["settings"])
assert explain(settings, RING[0]).shared_identifiers  # by a snapshot kept before there was such a signal
links = [{"account_id": a, "subject_hash": "subject", "linked_at": at(night)} for a in RING]
links.append({**links[0], "subject_hash": "bad", "unlinked_at": at(night, 0)})
deliver(landing, "login_links", night, links)
with connect(settings) as driver:
    counts = load_night(settings, driver, landing=landing, date=night)
    detect(settings, driver, date=night)
snapshot = read_snapshot(settings.snapshots_dir / f"date={night}")
relations = [relation.name for relation in shared_relations(snapshot)]
print(json.dumps({"counts": counts[str(night)]["login_links"], "relations": relations}))
"""


def apply_readme(root: Path) -> None:
    """Apply the README's diff, whose context is shortened by `...`, to a copy of the packages."""
    [diff] = re.findall(r"## Add a signal.*?```diff\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    for name, changes in re.findall(r"--- a/(\S+)\n(.*?)(?=--- a/|\Z)", diff, re.DOTALL):
        lines, position, added = (root / name).read_text().splitlines(), 0, []
        for change in changes.splitlines():
            kind, text = change[:1], change[1:]
            if kind == "+":
                added.append(text)
            elif text.strip() != "...":
                found = lines.index(text, position)
                lines[found : found + (kind == "-")] = added
                position = found + len(added) + (kind != "-")
                added = []
        lines[position:position] = added
        (root / name).write_text("\n".join(lines) + "\n")


def next_night_in(copy: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Play the next night by a copy of the code; what it printed last."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(copy / ".src"), str(copy)])}
    command = [sys.executable, "-W", "ignore", "-c", _NEXT_NIGHT, json.dumps(asked)]
    done = subprocess.run(command, env=environment, cwd=copy, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_readmes_signal_is_used_by_an_installation_that_has_nights(
    settings: Settings, driver: Driver, tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    deliver_a_ring(landing, NIGHTS)
    for night in NIGHTS[:2]:
        load_night(settings, driver, landing=landing, date=night)
        detect(settings, driver, date=night)
    copy = tmp_path / "copy"
    for folder in (".src", "graph_schema", "pipelines", "models", "infra", "dags", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "README.md", copy)
    apply_readme(copy)
    given = {"home", "neo4j_uri", "neo4j_user", "neo4j_password_file"}
    asked = {
        "night": str(NIGHTS[2]),
        "landing": str(landing),
        "settings": settings.model_dump(mode="json", include=given),
    }
    try:
        found = next_night_in(copy, asked)
        assert [found["counts"][name] for name in ("rows_in", "loaded", "quarantined")] == [9, 8, 1]
        linked = run(
            driver,
            "MATCH (a:Account)-[r:LOGS_IN_AS]->(n:LoginIdentity) WHERE r.last_seen_at IS NOT NULL"
            " RETURN a.account_id AS a, n.subject_hash AS n",
        )
        assert {(each["a"], each["n"]) for each in linked} == {(account, "subject") for account in RING}
        keys = run(driver, "SHOW CONSTRAINTS YIELD labelsOrTypes AS l, properties AS p RETURN l[0] AS l, p[0] AS p")
        assert {"l": "LoginIdentity", "p": "subject_hash"} in keys
        assert any("LOGS_IN_AS" in relation for relation in found["relations"])
    finally:
        run(driver, "DROP CONSTRAINT loginidentity_subject_hash IF EXISTS")
        run(driver, "DROP INDEX logs_in_as_last_seen_at IF EXISTS")
