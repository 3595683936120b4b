"""Time and memory by the size of a platform, on logarithmic axes: linear growth is as steep as the dotted line."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipelines.html_page import as_svg
from pipelines.pipeline_benchmark import AGAIN, FIRST, NEXT, TRAINING, PipelineCost

_SECONDS = {
    "first load": (FIRST, ("check", "stage", "load")),
    "graph read in full": (AGAIN, ("read graph",)),
    "training": (TRAINING, ("train",)),
    "score": (NEXT, ("score",)),
    "load of 1 %": (NEXT, ("check", "stage", "load")),
    "night of 1 %": (NEXT, ()),
}


def draw_growth(costs: Sequence[PipelineCost], file: Path) -> None:
    """Draw what platforms of several sizes took, smallest first, into an SVG file."""
    drawn = Figure(figsize=(10, 4.2), layout="constrained")
    seconds, memory = drawn.subplots(1, 2)
    sizes = [cost.n_accounts for cost in costs]
    for name, (phase, steps) in _SECONDS.items():
        seconds.plot(sizes, [cost.seconds(phase, *steps) for cost in costs], "o-", label=name)
    for name in sorted({name for cost in costs for name in cost.peak_mb}):
        memory.plot(sizes, [cost.peak_mb.get(name, 0) for cost in costs], "o-", label=name)
    for axes, what in ((seconds, "seconds"), (memory, "MB held at most")):
        _dress(axes, sizes, what)
    file.write_text(as_svg(drawn))


def _dress(axes: Axes, sizes: Sequence[int], what: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    top = axes.get_ylim()[1]
    axes.plot(sizes, [top * size / max(sizes) for size in sizes], "k:", linewidth=1, label="linear")
    axes.set_xlabel("accounts")
    axes.set_ylabel(what)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
