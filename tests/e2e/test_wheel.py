"""The wheel, installed outside the checkout: one import name, and all the data that the packages read."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = (
    "models/registry/default/model.safetensors",
    "models/registry/default/model.json",
    "infra/neo4j/neo4j-jars.lock",
    "pipelines/ban_list/rules/starting_policy.toml",
    "dags/ringwatch_load.py",
    "dags/ringwatch_train.py",
    "dags/ringwatch_detect.py",
    "dags/ringwatch_ban_list.py",
)


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the packages alone, by the build tools that are installed."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for folder in (".src", "graph_schema", "pipelines", "models", "infra", "dags"):
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, copy)
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index")
    done = run(*pip, "--wheel-dir", str(out), str(copy), cwd=out)
    assert done.returncode == 0, done.stderr
    [built] = out.glob("*.whl")
    return built


def test_everything_is_below_one_import_name_with_its_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"ringwatch"}
    assert {f"ringwatch/{name}" for name in DATA} <= set(names)


def test_it_imports_and_runs_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import ringwatch.models.registry.default_model as m;"
        "print(m.__file__); print(m.default_model(None) is not None); import models"
    )
    done = run(sys.executable, "-W", "ignore", "-c", code, cwd=tmp_path)
    where, is_loaded = done.stdout.splitlines()
    assert (Path(where).is_relative_to(site), is_loaded) == (True, "True")
    assert "No module named 'models'" in done.stderr
