"""An Airflow whose `dags` folder is elsewhere reads the installed DAG files as a bundle."""

import json
import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"


def run(*command: str, env: dict[str, str]) -> str:
    done = subprocess.run([str(BIN / command[0]), *command[1:]], env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_an_airflow_with_its_own_dags_folder_finds_ours(tmp_path):
    env = dict(os.environ)
    ours = {"path": run("ringwatch", "airflow", "dags-folder", env=env).strip()}
    bundles = [
        {"name": "dags-folder", "classpath": BUNDLE, "kwargs": {}},
        {"name": "ringwatch", "classpath": BUNDLE, "kwargs": ours},
    ]
    (tmp_path / "dags").mkdir()
    env |= {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "RINGWATCH_HOME": str(tmp_path / "home"),
    }
    run("airflow", "db", "migrate", env=env)
    run("airflow", "dags", "reserialize", env=env)
    listed = json.loads(run("airflow", "dags", "list", "--output", "json", env=env).splitlines()[-1])
    assert {(dag["dag_id"], dag["bundle_name"]) for dag in listed} == {
        (f"ringwatch_{name}", "ringwatch") for name in ("ban_list", "detect", "load", "train")
    }
