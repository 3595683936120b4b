"""The shape of the code: which folder may import which, and how large a folder and a module may grow."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("dags", "graph_schema", "infra", "models", "pipelines")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_imports_keep_the_contracts_of_pyproject() -> None:
    # In a process of its own: import-linter disables the loggers of the one that it runs in.
    lint = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    found = subprocess.run([sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert found.returncode == 0, found.stdout


def test_a_folder_holds_at_most_fifteen_modules() -> None:
    n_modules = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert n_modules
    assert {str(folder.relative_to(ROOT)): n for folder, n in n_modules.items() if n > 15} == {}


def test_a_module_has_at_most_three_hundred_lines() -> None:
    n_lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in MODULES}
    assert {module: n for module, n in n_lines.items() if n > 300} == {}
