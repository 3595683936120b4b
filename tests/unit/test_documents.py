"""Documents name what is there: files, modules, commands; and the picture is that of its declaration."""

import re
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from ringwatch.infra.docs.architecture import PICTURE, draw
from ringwatch.pipelines.cli import app

ROOT = Path(__file__).parents[2]
PACKAGES = ("dags", "graph_schema", "infra", "models", "pipelines")
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(path for folder in (*PACKAGES, "tests") for path in (ROOT / folder).rglob("*.md"))]
)
HISTORY = "CHANGELOG.md"  # names what was there once
DOCUMENT = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@DOCUMENT
def test_links_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if path.name != HISTORY], ids=lambda path: str(path.relative_to(ROOT))
)
def test_modules_that_are_named_exist(document: Path) -> None:
    """A name with a folder in it is looked for from the root, or from the document; a bare one anywhere below."""
    named = set(re.findall(r"(?<![\w/.<])(?:[ab]/)?((?:[\w.-]+/)*\w+\.py)\b", document.read_text()))
    missing = [
        name
        for name in named
        if not (ROOT / name).exists()
        and not (document.parent / name).exists()
        and not ("/" not in name and any(document.parent.rglob(name)))
    ]
    assert missing == []


@pytest.mark.parametrize("folder", sorted({path.parent for path in DOCUMENTS if path.parent != ROOT}), ids=str)
def test_a_table_of_modules_names_every_module_of_its_folder(folder: Path) -> None:
    """Of folders whose README has such a table."""
    text = (folder / "README.md").read_text() if (folder / "README.md").exists() else ""
    named = set(re.findall(r"^\| `(\w+\.py)` \|", text, flags=re.MULTILINE))
    there = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    assert not named or named == there


@DOCUMENT
def test_commands_that_are_named_exist(document: Path) -> None:
    text = document.read_text()
    # In a block of code, or quoted: the program's name in prose is followed by anything.
    quoted = re.findall(r"`(?:\.venv/bin/)?ringwatch\s+([^`]+)`", text)
    lines = re.findall(r"^ {4,}(?:\.venv/bin/)?ringwatch\s+(.+)$", text, flags=re.MULTILINE)
    assert [words for words in [*quoted, *lines] if not _is_command(words.split())] == []


def _is_command(words: list[str]) -> bool:
    """Whether the words begin with a command and its subcommand."""
    command = typer.main.get_command(app)
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return False
        command, words = command.commands[words[0]], words[1:]
    return True


def test_the_check_itself_knows_a_command() -> None:
    assert _is_command(["review", "queue", "--limit", "3"])
    assert not _is_command(["review", "nothing"])
    assert not _is_command(["nothing"])


def test_the_picture_is_that_of_its_declaration() -> None:
    assert PICTURE.read_text() == draw()
