"""Plots as SVG, for pages that open without a network."""

import io
from collections.abc import Callable

import matplotlib

matplotlib.use("svg")
from matplotlib.axes import Axes
from matplotlib.figure import Figure

matplotlib.rcParams["svg.hashsalt"] = "ringwatch"  # else the same plot has other ids each time it is drawn


def draw(plot: Callable[[Axes], None]) -> str:
    """What a function draws, as an `<svg>` element to be put into a page."""
    drawn = Figure(figsize=(5.2, 4), layout="constrained")
    plot(drawn.subplots())
    content = as_svg(drawn)
    return content[content.index("<svg") :]


def as_svg(drawn: Figure) -> str:
    """A figure as a file of SVG, the same bytes for the same figure."""
    svg = io.StringIO()
    drawn.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()
