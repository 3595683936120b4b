"""Tables that fit a terminal without cutting what a person copies.

Ids, dates and numbers are printed whole. Long text wraps; where there is no room for it beside them, it goes on lines
of its own below the row. Then columns are left out, those of the highest `drop` first. Output that is not read on a
terminal has one line a row, and all columns; COLUMNS sets another width.
"""

import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

_UNLIMITED = 10_000
_GAP = 2
_MIN_TEXT = 24  # a narrower column of text is hard to read
_INDENT = "    "
_MARKS = {"ok": "green", "note": "yellow", "bad": "red"}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its header; a line break in it is kept.
        is_number: aligned to the right.
        is_text: may be wrapped; anything else is printed whole.
        drop: columns of higher numbers are left out first; 0 is always shown.
    """

    name: str
    is_number: bool = False
    is_text: bool = False
    drop: int = 0


def number(name: str, *, drop: int = 0) -> Column:
    """A column of numbers."""
    return Column(name, is_number=True, drop=drop)


def text(name: str) -> Column:
    """A column of text that may be wrapped."""
    return Column(name, is_text=True)


class Table:
    """Rows under columns, laid out for the width of the terminal when printed."""

    def __init__(self, *columns: Column | str, title: str = "") -> None:
        """Columns, by name only where they are ids, dates or words; rows follow by `add_row`."""
        self.columns = [Column(each) if isinstance(each, str) else each for each in columns]
        self.title = title
        self.rows: list[list[str]] = []

    def add_row(self, *cells: object) -> None:
        """Add a row, a cell for each column; None is an empty cell."""
        if len(cells) != len(self.columns):
            raise ValueError(f"a row of {len(cells)} cells for {len(self.columns)} columns")
        self.rows.append([_printable(cell) for cell in cells])

    def __rich__(self) -> Text:
        """For Rich's console."""
        return self.layout(shutil.get_terminal_size((_UNLIMITED, 24)).columns)

    def layout(self, width: int) -> Text:
        """The table as text of at most so many columns, but for what must be whole."""
        shown, widths = self._fit(width)
        below = [at for at, column in enumerate(self.columns) if column.is_text and at not in shown]
        lines = [Text(self.title, "italic")] if self.title else []
        names = [self.columns[at].name.split("\n") for at in shown]
        n_lines = max(len(each) for each in names)
        header = [[""] * (n_lines - len(each)) + each for each in names]
        lines += self._lines(header, shown, widths, style="bold")
        lines.append(Text("─" * min(width, sum(widths) + _GAP * (len(widths) - 1))))
        for row in self.rows:
            cells = [
                _wrap(row[at], w) if self.columns[at].is_text else [row[at]]
                for at, w in zip(shown, widths, strict=True)
            ]
            lines += self._lines(cells, shown, widths)
            for at in below:
                if row[at]:
                    told = f"{self.columns[at].name}: {row[at]}"
                    lines += [Text(_INDENT + line) for line in _wrap(told, max(width - len(_INDENT), _MIN_TEXT))]
        dropped = [column.name for at, column in enumerate(self.columns) if at not in shown and not column.is_text]
        if dropped:
            told = f"left out for want of width: {', '.join(dropped)}".replace("\n", " ")
            lines += [Text(line, "dim") for line in _wrap(told, width)]
        return Text("\n").join(lines)

    def _fit(self, width: int) -> tuple[list[int], list[int]]:
        """The columns beside each other, and their widths."""
        natural = [
            max([cell_len(line) for line in column.name.split("\n")] + [cell_len(row[at]) for row in self.rows])
            for at, column in enumerate(self.columns)
        ]
        shown = list(range(len(self.columns)))
        while True:
            texts = [at for at in shown if self.columns[at].is_text]
            gaps = _GAP * (len(shown) - 1)
            room = width - gaps - sum(natural[at] for at in shown if at not in texts)
            if room >= sum(min(natural[at], _MIN_TEXT) for at in texts):
                return shown, [_share(natural, texts, room)[at] if at in texts else natural[at] for at in shown]
            droppable = [at for at in shown if self.columns[at].drop]
            if texts:
                shown = [at for at in shown if at not in texts]
            elif droppable:
                shown.remove(max(droppable, key=lambda at: self.columns[at].drop))
            else:
                return shown, [natural[at] for at in shown]

    def _lines(
        self, cells: Sequence[Sequence[str]], shown: list[int], widths: list[int], style: str = ""
    ) -> list[Text]:
        lines = []
        for n in range(max(len(cell) for cell in cells)):
            line = Text(style=style)
            for at, cell, w in zip(shown, cells, widths, strict=True):
                part = cell[n] if n < len(cell) else ""
                padding = " " * (w - cell_len(part))
                line.append(padding + part if self.columns[at].is_number else part + padding, _MARKS.get(part))
                line.append(" " * _GAP)
            line.rstrip()
            lines.append(line)
        return lines


def counts_table(title: str, named: str, *counted: str) -> Table:
    """A table of numbers to be filled: a name on the left, then columns of numbers."""
    return Table(named, *(number(name) for name in counted), title=title)


def _share(natural: list[int], texts: list[int], room: int) -> dict[int, int]:
    """The room for columns of text: each as much as it needs, or an equal part of what is left."""
    widths = {}
    for n_left, at in zip(range(len(texts), 0, -1), sorted(texts, key=lambda at: natural[at]), strict=True):
        widths[at] = min(natural[at], room // n_left)
        room -= widths[at]
    return widths


def _wrap(told: str, width: int) -> list[str]:
    """Lines of a text; an id or a date in it is not broken."""
    return textwrap.wrap(told, width, break_long_words=False, break_on_hyphens=False) or [""]


def _printable(cell: object) -> str:
    """A cell's text on one line, without what would steer the terminal: data comes from elsewhere."""
    told = "" if cell is None else str(cell)
    return "".join(each if each.isprintable() else " " for each in told)
