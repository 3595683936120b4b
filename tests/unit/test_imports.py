"""The shape of the code: which folder may import which, and how large a folder and a module may grow."""

from collections import Counter
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[2]
PACKAGES = ("dags", "graph_schema", "infra", "models", "pipelines")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_imports_keep_the_contracts_of_pyproject(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_a_folder_holds_at_most_fifteen_modules() -> None:
    n_modules = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert n_modules
    assert {str(folder.relative_to(ROOT)): n for folder, n in n_modules.items() if n > 15} == {}


def test_a_module_has_at_most_three_hundred_lines() -> None:
    n_lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in MODULES}
    assert {module: n for module, n in n_lines.items() if n > 300} == {}
