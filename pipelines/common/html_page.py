"""Pages with their plots inside, which open without a network: page, table, figure."""

import html
import io
from collections.abc import Callable, Sequence

import matplotlib

matplotlib.use("svg")
from matplotlib.axes import Axes
from matplotlib.figure import Figure

matplotlib.rcParams["svg.hashsalt"] = "ringwatch"  # else the same plot has other ids each time it is drawn
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .2rem .7rem; text-align: right; }
td:first-child, th:first-child { text-align: left; } tr:nth-child(even) { background: #f4f5f7; }
figure { display: inline-block; width: 47%; min-width: 20rem; margin: 1rem 2% 1rem 0; vertical-align: top; }
figure svg { width: 100%; height: auto; } figcaption { color: #555; }
"""


def page(title: str, body: str) -> str:
    """A whole page of an HTML body."""
    return f'<!doctype html><meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>{body}'


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table: the first column is text, the others are numbers."""

    def row(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + row(head, "th") + "".join(row(cells, "td") for cells in rows) + "</table>"


def figure(plot: Callable[[Axes], None], caption: str) -> str:
    """A plot, as SVG, with its caption."""
    drawn = Figure(figsize=(5.2, 4), layout="constrained")
    plot(drawn.subplots())
    content = as_svg(drawn)
    return f"<figure>{content[content.index('<svg') :]}<figcaption>{html.escape(caption)}</figcaption></figure>"


def as_svg(drawn: Figure) -> str:
    """A figure as a file of SVG, the same bytes for the same figure."""
    svg = io.StringIO()
    drawn.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()
