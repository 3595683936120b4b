"""A DAG file is light and is a runbook: read from the source, so that nothing is imported here."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
IMPORT_ROOT = ROOT / ".src"  # where the package's import name is a folder
HEAVY = {"pandas", "torch", "torch_geometric", "great_expectations", "duckdb", "sklearn", "scipy", "sknetwork", "neo4j"}


def dag_files():
    return sorted((ROOT / "dags").glob("*.py"))


def imported(nodes):
    """Packages that import statements name."""
    packages = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            packages.add(node.module.split(".")[0])
    return packages


def at_module_level(tree):
    """Statements that run when the module is imported: those in functions and under TYPE_CHECKING do not."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += list(ast.iter_child_nodes(node))


def test_what_a_dag_file_imports_is_light():
    """Itself and, followed through the project's own modules, whatever it imports when it is read."""
    waiting, seen = dag_files(), set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        nodes = list(at_module_level(ast.parse(path.read_text())))
        assert not imported(nodes) & HEAVY, f"{path} imports {sorted(imported(nodes) & HEAVY)}"
        waiting += [other for node in nodes for other in own_modules(node) if other not in seen]
    assert len(seen) > len(dag_files()), "no import of the project's own was followed"


def own_modules(node):
    """Files of the project that an import statement loads."""
    if isinstance(node, ast.ImportFrom) and node.module:
        names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    elif isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        return
    for name in names:
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            stem = IMPORT_ROOT.joinpath(*parts[:depth])
            yield from (path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file())


def test_the_check_itself_finds_an_import_at_module_level():
    tree = ast.parse("import a\nif True:\n    import b\ndef f():\n    import c\nclass D:\n    from e.f import g\n")
    assert imported(at_module_level(tree)) == {"a", "b", "e"}


@pytest.mark.parametrize("path", sorted((ROOT / "dags").glob("ringwatch_*.py")), ids=lambda path: path.stem)
def test_a_dag_file_is_a_runbook(path):
    doc = ast.get_docstring(ast.parse(path.read_text()))
    assert doc
    assert "by hand" in doc.lower()
    assert "when it fails" in doc.lower() or "what may happen" in doc.lower()
    assert "doc_md=__doc__" in path.read_text()
