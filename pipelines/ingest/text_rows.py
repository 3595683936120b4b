"""Lines of a text file, and the rows of a CSV among them: a bad line breaks its own row and no other.

Written out because the usual readers give up a whole file, or the rest of it, for one line that is not UTF-8 or
whose quote never closes. Good lines go through the csv module thousands at a stroke.
"""

import csv
import io
import itertools
from collections import deque
from collections.abc import Iterator

_BLOCK_LINES = 10_000  # parsed together, and line by line only if one of them is not simply a row
_CELL_LINES = 100  # a quoted cell may run over this many lines; beyond, its quote was a slip
_BOM = b"\xef\xbb\xbf"


class Lines(Iterator[str]):
    """Lines without their ends; `bad_utf8` says of the last one whether it was not UTF-8."""

    def __init__(self, file: Iterator[bytes]) -> None:
        """Take the lines of an open binary file, without its byte order mark."""
        self.bad_utf8 = False
        self._file = file
        self._waiting = deque(line.removeprefix(_BOM) for line in itertools.islice(file, 1))

    def __next__(self) -> str:
        """The next line, bytes that are not UTF-8 replaced."""
        text, self.bad_utf8 = _decode(self._waiting.popleft() if self._waiting else next(self._file))
        return text

    def take(self, n_lines: int) -> list[bytes]:
        """Up to that many lines as they lie."""
        taken = [self._waiting.popleft() for _ in range(min(n_lines, len(self._waiting)))]
        return taken + list(itertools.islice(self._file, n_lines - len(taken)))

    def put_back(self, lines: list[bytes]) -> None:
        """Have them come again."""
        self._waiting.extendleft(reversed(lines))


def csv_header(lines: Lines) -> list[str]:
    """Column names in the first line that is not blank; none if it is no line of CSV, or there is none."""
    for line in lines:
        if line.strip():
            return [name.strip() for name in _parse(line) or []]
    return []


def csv_records(lines: Lines, n_columns: int) -> Iterator[list[str] | tuple[str, str]]:
    """Yield a row's cells, or the text of a broken line and what was wrong with it."""
    while block := lines.take(_BLOCK_LINES):
        records = _parse_block(block, n_columns)
        if records is not None:
            yield from records
        else:
            lines.put_back(block)
            yield from _parse_line_by_line(lines, len(block), n_columns)


def _parse_block(block: list[bytes], n_columns: int) -> list[list[str]] | None:
    """The rows of many lines, parsed together; None if any line is not exactly one good row, or blank."""
    try:
        records = list(csv.reader(io.StringIO(b"".join(block).decode(), newline="\n"), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    if len(records) != len(block) or not {*map(len, records)} <= {0, n_columns}:
        return None
    return [record for record in records if record]


def _parse_line_by_line(lines: Lines, n_lines: int, n_columns: int) -> Iterator[list[str] | tuple[str, str]]:
    for line in itertools.islice(lines, n_lines):
        if not line.strip():
            continue
        if lines.bad_utf8:
            yield line, "the line is not UTF-8"
            continue
        record = _parse_with_followers(line, lines, n_columns)
        if record is None:
            yield line, "the line has a quote that does not close"
        elif len(record) != n_columns:
            yield line, f"the line has {len(record)} cells, the header has {n_columns}"
        else:
            yield record


def _parse_with_followers(line: str, lines: Lines, n_columns: int) -> list[str] | None:
    """Cells of a row: a quoted cell may hold line ends. None, with only this line lost, if it makes no row."""
    record = _parse(line)
    taken: list[bytes] = []
    text = line
    while record is None and len(taken) < _CELL_LINES and (follower := lines.take(1)):
        taken += follower
        next_text, bad_utf8 = _decode(follower[0])
        text += "\n" + next_text
        if '"' in next_text and not bad_utf8:
            joined = _parse(text)
            record = joined if joined is not None and len(joined) == n_columns else None
    if record is None:
        lines.put_back(taken)
    return record


def _parse(text: str) -> list[str] | None:
    try:
        records = list(csv.reader(io.StringIO(text, newline="\n"), strict=True))
    except csv.Error:
        return None
    return records[0] if len(records) == 1 else None


def _decode(line: bytes) -> tuple[str, bool]:
    line = line.rstrip(b"\r\n")
    try:
        return line.decode(), False
    except UnicodeDecodeError:
        return line.decode(errors="replace"), True
