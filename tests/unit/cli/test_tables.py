"""Tables in narrow terminals and pipes: what a person copies is never cut."""

from datetime import date

import pytest
from rich.cells import cell_len
from tests.builders.ban_lists import D1, release
from tests.builders.nights import Judged, detected_night
from typer.testing import CliRunner

from ringwatch.pipelines.cli import app
from ringwatch.pipelines.cli.tables import Column, Table, number, text
from ringwatch.pipelines.common.atomic_file import write_json
from ringwatch.pipelines.common.settings import Settings

RING_ID = "ring-ac2d1f0b93e7"
ACCOUNTS = [f"acct-{n:08x}-5f1e-4c1a" for n in range(3)]
COUNTS = {"rows_in": 1_234_567, "quarantined": 12_345}
VERSION = f"gnn-{D1}-0123abcd"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGWATCH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings = Settings(_env_file=None, home=tmp_path)
    cards = ("card_1NXWPnLkdIwHu7ix",)
    why = ("shares a payment instrument with 3 others, of whom 2 are suspicious", "is in a ring")
    detected_night(settings, D1, {each: Judged(0.97, RING_ID, cards, reasons=why) for each in ACCOUNTS})
    release(settings, D1)
    write_json({"counts": {"payments": COUNTS}}, settings.ledger_dir / "nights" / f"date={D1}.json")
    model = {"snapshot_date": str(D1), "metrics": {"average_precision": 0.9, "auroc": 0.99}}
    write_json(model, settings.models_dir / VERSION / "model.json")
    return settings


def printed(monkeypatch, width, command):
    monkeypatch.setenv("COLUMNS", str(width)) if width else monkeypatch.delenv("COLUMNS", raising=False)
    result = CliRunner().invoke(app, command.split())
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("width", [80, 60, None])
@pytest.mark.parametrize(
    ("command", "whole"),
    [
        ("status", [str(D1), "published"]),
        ("review queue", [RING_ID, str(D1)]),
        (f"review show {RING_ID}", [RING_ID, *ACCOUNTS, str(D1), "card_1NXWPnLkdIwHu7ix", "0.97"]),
        (f"explain --account {ACCOUNTS[0]}", [ACCOUNTS[0], RING_ID, str(D1), "card_1NXWPnLkdIwHu7ix", "0.970"]),
        ("model list", [VERSION, str(D1), "0.900", "0.990"]),
    ],
)
def test_ids_dates_and_numbers_are_whole_at_any_width(settings, monkeypatch, width, command, whole):
    shown = printed(monkeypatch, width, command)
    assert [each for each in whole if each not in shown] == []
    assert "…" not in shown


def test_a_terminal_of_80_columns_has_every_line_within_it(settings, monkeypatch):
    for line in printed(monkeypatch, 80, "review queue").splitlines():
        assert cell_len(line) <= 80


def test_a_pipe_has_one_line_a_row_and_all_columns(settings, monkeypatch):
    shown = printed(monkeypatch, None, "review queue")
    assert len([line for line in shown.splitlines() if RING_ID in line and str(D1) in line]) == 1
    assert "1,234,567" in printed(monkeypatch, None, "status")


def table():
    found = Table("id", number("n", drop=1), Column("since", drop=2), text("why"), title="questions")
    found.add_row(RING_ID, "1,234", date(2026, 4, 1), "shares ring-0123456789ab with 3 others since 2026-03-01 " * 2)
    return found


def test_long_text_wraps_between_words_then_goes_below():
    beside, below = str(table().layout(70)), str(table().layout(50))
    assert "ring-0123456789ab" in beside
    assert "    why: shares ring-0123456789ab with 3 others" in below
    assert "since" in below.splitlines()[1]
    assert all(cell_len(line) <= 50 for line in below.splitlines())


def test_the_least_important_columns_are_left_out_first_and_named():
    narrow = str(table().layout(30))
    assert "1,234" in narrow
    assert "2026-04-01" not in narrow
    assert "left out for want of width: since" in " ".join(narrow.split())
    assert RING_ID in str(table().layout(5))


def test_data_is_neither_markup_nor_orders_to_the_terminal(settings, monkeypatch):
    found = Table("id")
    found.add_row("[red]a[/red] :smile: \x1b[2Jb")
    assert "[red]a[/red] :smile:  [2Jb" in str(found.layout(80))
    result = CliRunner().invoke(app, ["explain", "--account", "[bold]x[/bold]"])
    assert "[bold]x[/bold]" in result.output


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="2 cells for 1"):
        Table("id").add_row("a", "b")
