"""Commands that neither train nor score import nothing that trains, scores or validates: imports take the time."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from tests.builders.ban_lists import D1, D2, RING, release
from tests.builders.nights import Judged, detected_night

from ringwatch.pipelines.ban_list import propose
from ringwatch.pipelines.common.atomic_file import write_json
from ringwatch.pipelines.common.settings import Settings

pytestmark = pytest.mark.unit

D3 = D2 + timedelta(days=1)
HEAVY = [
    "airflow", "great_expectations", "lightgbm", "matplotlib", "scipy", "sklearn", "sknetwork", "stix2",
    "stix2validator", "torch", "torch_geometric",
]  # fmt: skip
# Where it is installed, pyarrow imports pandas by itself to make an array, and so does Neo4j's driver.
WITHOUT_PANDAS = ["--help", "status", "model list", "neo4j status", "neo4j stop", "airflow status"]
COMMANDS = [
    "explain --account fake-0",
    "review queue",
    "review show ring-1",
    "review history --account fake-0",
    "ban-list history --account fake-0",
    "ban-list statement --account fake-0",
    "ban-list verify {exports}/ban_lists/date={D1}",
    "ban-list consume {exports}/ban_lists/date={D1} --state {home}/enforced.json",
    "ban-list compare --policy {home}/policy.toml",
    "ban-list audit",
    "ban-list waiting --date {D2}",
    "ban-list approve --date {D2} --by Ada",
    "ban-list publish --date {D2}",
    "ban-list reject --date {D3} --by Ada",
    "ban-list lift --account fake-1 --reason family --by Ada",
    "indicators status --date {D1}",
    "indicators matches --date {D1}",
    "guide export --out {home}/guide",
    "doctor",
]
# One process for all, as starting one takes longer than a command: what a command imports is there from then on.
RUN_ALL = """
import io, json, sys
from contextlib import redirect_stdout
from ringwatch.pipelines.cli import app
commands, heavy = json.loads(sys.argv[1])
found = []
for command in commands:
    with redirect_stdout(io.StringIO()):
        try:
            fault = app(command.split(), standalone_mode=False)
        except Exception as error:
            fault = repr(error)
    found.append([command, fault, [name for name in heavy if name in sys.modules]])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """An installation with a published list, two nights proposed, and a model."""
    home = tmp_path_factory.mktemp("light")
    settings = Settings(_env_file=None, home=home)
    detected_night(settings, D1, RING | {"person": Judged(score=0.1)})
    release(settings, D1)
    for night in (D2, D3):
        detected_night(settings, night, RING | {"late": Judged(ring_id="ring-1", cards=("card-a",))})
        propose(settings, date=night)
    write_json({"counts": {}}, settings.ledger_dir / "nights" / f"date={D1}.json")
    model = {"snapshot_date": str(D1), "metrics": {"average_precision": 0.9, "auroc": 0.99}}
    write_json(model, settings.models_dir / f"gnn-{D1}-0123abcd" / "model.json")
    (home / "policy.toml").write_text("version = 'stricter'\nmin_fraud_score = 0.95\n")
    return home


def run_all(home, commands, heavy):
    known = {"home": home, "exports": Settings(_env_file=None, home=home).exports_dir, "D1": D1, "D2": D2, "D3": D3}
    arguments = json.dumps([[command.format(**known) for command in commands], heavy])
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, arguments],
        env=os.environ | {"RINGWATCH_HOME": str(home)}, cwd=home, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [tuple(each) for each in json.loads(done.stdout)]


@pytest.mark.parametrize(("commands", "heavy"), [(WITHOUT_PANDAS, [*HEAVY, "pandas"]), (COMMANDS, HEAVY)])
def test_light_commands_import_nothing_heavy(home, commands, heavy):
    found = run_all(home, commands, heavy)
    assert len(found) == len(commands)
    assert [each for each in found if each[1] not in (None, 0) or each[2]] == []
