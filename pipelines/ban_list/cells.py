"""Entries as CSV that is safe to open in a spreadsheet, and back.

Lists are JSON, times ISO 8601 in UTC, unknown values empty. Text that a spreadsheet would run as a formula (it
begins with = + - @, a tab or a line break, blanks before it or not) gets an apostrophe in front, and so does text
that begins with one: a reader that takes one leading apostrophe off has the value again.
"""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

from ringwatch.pipelines.ban_list.rules.entries import ENTRY_SCHEMA, Entry

_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  # full-width too
_TIMES = ("first_listed_at", "expires_at", "appeal_by")


def to_csv(entries: Iterable[Entry]) -> bytes:
    """A CSV file, UTF-8, with a header and lines that end as RFC 4180 says."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(ENTRY_SCHEMA.names)
    writer.writerows([_to_cell(value) for value in astuple(entry)] for entry in entries)
    return text.getvalue().encode()


def from_csv(content: bytes) -> list[Entry]:
    """The entries that `to_csv` wrote."""
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
    return [Entry(**{name: _from_cell(name, cell) for name, cell in row.items()}) for row in rows]


def _to_cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case tuple():
            return json.dumps(value, ensure_ascii=False)
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case str():
            return f"'{value}" if value.startswith("'") or _is_run(value) else value
        case _:
            return repr(value)


def _is_run(text: str) -> bool:
    return text.startswith(_RUN_BY_SPREADSHEETS) or text.lstrip().startswith(_RUN_BY_SPREADSHEETS)


def _from_cell(name: str, cell: str) -> Any:
    text = cell.removeprefix("'")
    if name in _TIMES:
        return datetime.fromisoformat(text)
    if name == "reasons":
        return tuple(json.loads(text))
    if name == "fraud_score":
        return float(text) if text else None
    return text or None
