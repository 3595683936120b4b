"""The picture in ARCHITECTURE.md, from a declaration: `python -m ringwatch.infra.docs.architecture` draws it."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

PICTURE = Path(__file__).with_name("architecture.svg")

BOX_WIDTH, BOX_HEIGHT = 172, 66
COLUMN, ROW, MARGIN = 236, 122, 28  # from one box to the next, and around all of them, in pixels
MONOSPACE = "Menlo, DejaVu Sans Mono, monospace"
FILL = {"files": "#e3edf7", "step": "#ffffff", "database": "#e2f2e4", "people": "#fdf0cf"}


@dataclass(frozen=True)
class Box:
    """A part of the system, at a place of the grid."""

    key: str
    column: int
    row: int
    kind: str  # a key of FILL
    title: str
    folder: str  # what to open
    note: str

    @property
    def x(self) -> int:
        """Left edge."""
        return MARGIN + self.column * COLUMN

    @property
    def y(self) -> int:
        """Upper edge."""
        return MARGIN + self.row * ROW


@dataclass(frozen=True)
class Arrow:
    """What goes from one part to the one beside, above or below it."""

    start: str
    end: str
    what: str = ""


BOXES = (
    Box("training", 4, 0, "step", "training", "models/training", "fit, calibrate, promote"),
    Box("registry", 5, 0, "files", "champion", "models/registry", "weights and metadata"),
    Box("landing", 0, 1, "files", "landing zone", "one folder a night", "signals of a platform"),
    Box("ingest", 1, 1, "step", "ingest", "pipelines/ingest", "read, cast, validate"),
    Box("ledger", 2, 1, "files", "ledger", "pipelines/ledger", "accepted rows, in force"),
    Box("graph", 3, 1, "database", "Neo4j", "pipelines/graph", "loads and mirror"),
    Box("snapshot", 4, 1, "files", "snapshot", "pipelines/nightly", "the graph at midnight"),
    Box("scoring", 5, 1, "step", "scoring", "models/scoring", "probabilities and links"),
    Box("quarantine", 1, 2, "files", "quarantine", "pipelines/ledger", "rejected rows, and why"),
    Box("decisions", 2, 2, "step", "decisions", "pipelines/decisions", "harvest, labels"),
    Box("review", 3, 2, "people", "review", "pipelines/review", "questions, answers"),
    Box("runs", 4, 2, "files", "run", "pipelines/runs", "what the night found"),
    Box("rings", 5, 2, "step", "rings", "models/rings", "communities, reasons"),
    Box("partners", 1, 3, "files", "indicators", "pipelines/indicators", "STIX for partners"),
    Box("exports", 2, 3, "files", "ban list", "exports/ban_lists", "for enforcement"),
    Box("approval", 3, 3, "people", "approval", "pipelines/ban_list", "by a person"),
    Box("ban_list", 4, 3, "step", "proposal", "pipelines/ban_list/rules", "policy, caps, pace"),
)

ARROWS = (
    Arrow("landing", "ingest", "files"),
    Arrow("ingest", "ledger", "rows"),
    Arrow("ingest", "quarantine", "rejected"),
    Arrow("ledger", "graph", "load"),
    Arrow("graph", "snapshot", "read"),
    Arrow("snapshot", "scoring", "score"),
    Arrow("snapshot", "training", "with labels"),
    Arrow("training", "registry", "promote"),
    Arrow("registry", "scoring", "model"),
    Arrow("scoring", "rings", "links"),
    Arrow("rings", "runs", "findings"),
    Arrow("runs", "review", "queue"),
    Arrow("review", "graph", "write"),
    Arrow("review", "decisions", "decide"),
    Arrow("decisions", "ledger", "labels"),
    Arrow("runs", "ban_list", "candidates"),
    Arrow("ban_list", "approval", "list"),
    Arrow("approval", "exports", "publish"),
    Arrow("exports", "partners", "export"),
)


def draw() -> str:
    """The picture as SVG, the same bytes each time."""
    boxes = {box.key: box for box in BOXES}
    width = 2 * MARGIN + max(box.column for box in BOXES) * COLUMN + BOX_WIDTH
    height = 2 * MARGIN + max(box.row for box in BOXES) * ROW + BOX_HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="Helvetica, Arial, DejaVu Sans, sans-serif" text-anchor="middle">',
        "<title>From a file to the ban list, and from a decision back to a label</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fbfbfa"/>',
        *(_draw_arrow(boxes[arrow.start], boxes[arrow.end], arrow.what) for arrow in ARROWS),
        *(_draw_box(box) for box in BOXES),
        _draw_legend(),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _draw_box(box: Box) -> str:
    middle = box.x + BOX_WIDTH // 2
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"'
        f' fill="{FILL[box.kind]}" stroke="#777"/>'
        f'<text x="{middle}" y="{box.y + 22}" font-size="14" font-weight="bold">{escape(box.title)}</text>'
        f'<text x="{middle}" y="{box.y + 39}" font-size="11" font-family="{MONOSPACE}">{escape(box.folder)}</text>'
        f'<text x="{middle}" y="{box.y + 56}" font-size="11" fill="#444">{escape(box.note)}</text>'
    )


def _draw_arrow(start: Box, end: Box, what: str) -> str:
    columns, rows = end.column - start.column, end.row - start.row
    if sorted((abs(columns), abs(rows))) != [0, 1]:
        raise ValueError(f"the arrow {start.key} -> {end.key} does not join neighbours: move one of the boxes")
    x1 = start.x + BOX_WIDTH * (1 + columns) // 2
    y1 = start.y + BOX_HEIGHT * (1 + rows) // 2
    x2 = end.x + BOX_WIDTH * (1 - columns) // 2
    y2 = end.y + BOX_HEIGHT * (1 - rows) // 2
    line = f'<path d="M{x1} {y1} {x2} {y2}" stroke="#555" stroke-width="1.5" marker-end="url(#tip)"/>'
    if columns:
        place = f'x="{(x1 + x2) // 2}" y="{y1 - 6}"'
    else:
        place = f'x="{x1 + 6}" y="{(y1 + y2) // 2 + 4}" text-anchor="start"'
    return f'{line}<text {place} font-size="11" fill="#555">{escape(what)}</text>'


def _draw_legend() -> str:
    keys = []
    for i, (kind, fill) in enumerate(FILL.items()):
        y = MARGIN + i * 18
        keys.append(
            f'<rect x="{MARGIN}" y="{y}" width="12" height="12" rx="2" fill="{fill}" stroke="#777"/>'
            f'<text x="{MARGIN + 18}" y="{y + 10}" font-size="11" text-anchor="start">{kind}</text>'
        )
    return "".join(keys)


if __name__ == "__main__":
    PICTURE.write_text(draw())
