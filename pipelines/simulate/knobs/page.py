"""KNOBS.md, made from the knobs' declarations: `python -m ringwatch.pipelines.simulate.knobs.page` prints it."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import reduce
from typing import Any

from ringwatch.pipelines.simulate.knobs.campaigns import CAMPAIGNS
from ringwatch.pipelines.simulate.knobs.declaration import Kind
from ringwatch.pipelines.simulate.knobs.ordinary import ORDINARY
from ringwatch.pipelines.simulate.knobs.rings import RING_FAMILIES
from ringwatch.pipelines.simulate.knobs.scenarios import SCENARIOS, Desk
from ringwatch.pipelines.simulate.knobs.tight_groups import INNOCENT_FAMILIES
from ringwatch.pipelines.simulate.knobs.variation import knobs_of

_KINDS = ORDINARY + CAMPAIGNS
_INTRODUCTION = """# Knobs of the simulator

Made from the declarations by `python -m ringwatch.pipelines.simulate.knobs.page`; a test keeps it current.

Set some with `--knobs FILE`, a JSON object by path: `{"graders.cards.shared": 0.2, "desk.reviews_per_day": 40}`. A
number takes a number, a range its two ends, weights as many numbers as they have. Turn all at random with `--vary 0.5`.

The disclosure: Anthropic, "Detecting and preventing distillation attacks", 23 February 2026. It gives numbers of
accounts and exchanges, and how campaigns behaved; it gives neither how many ordinary accounts share what, nor how much
a campaign shares. Those numbers are ours, set so that no single account gives itself away: the README shows how hard
that makes it."""

_FAMILIES_TITLE = """## Families of the scenario `random-structure`

Each world has three to six of the ordinary families, people with several accounts, and four to seven of the campaigns.
`{"kiosk.share": 0.05}` puts one into every world, a share of 0 leaves it out.

"""


def knobs_page() -> str:
    """The whole page, Markdown."""
    parts = [_INTRODUCTION, "## Kinds\n\n" + _kinds_table(_KINDS), "## Knobs of a kind"]
    default = Kind("default", "")
    parts.append(_table(default, ""))
    for field in fields(Kind):
        holder = getattr(default, field.name)
        if is_dataclass(holder):
            title = f"### {field.name}\n\n{(type(holder).__doc__ or '').strip()}\n\n"
            parts.append(title + _table(holder, f"{field.name}."))
    rows = [f"| `desk.{name}` | {means} | {_shown(getattr(Desk(), name))} |" for name, means in knobs_of(Desk())]
    parts.append("\n".join(["## The platform's desk\n", "| knob | means | value |", "|---|---|---|", *rows]))
    parts.append(_FAMILIES_TITLE + _kinds_table(INNOCENT_FAMILIES + RING_FAMILIES))
    rows = [f"| `{scenario.name}` | {scenario.about} |" for scenario in SCENARIOS.values()]
    parts.append("\n".join(["## Scenarios\n", "| scenario | is |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _kinds_table(kinds: tuple[Kind, ...]) -> str:
    rows = ["| kind | fake | share | modelled on |", "|---|---|---|---|"]
    for kind in kinds:
        share = f"{kind.share:.2%}" if kind.share else "drawn"
        rows.append(f"| `{kind.name}` | {'yes' if kind.is_fake else ''} | {share} | {kind.modelled_on} |")
    return "\n".join(rows)


def _table(holder: Any, prefix: str) -> str:
    """Knobs of one declaration, with what each means and the kinds that have another value than the usual one."""
    rows = ["| knob | means | usual | otherwise |", "|---|---|---|---|"]
    for name, means in knobs_of(holder):
        if means is not None:
            usual, path = getattr(holder, name), f"{prefix}{name}"
            rows.append(f"| `{path}` | {means} | {_shown(usual)} | {', '.join(_others(path, usual))} |")
    return "\n".join(rows)


def _others(path: str, usual: Any) -> Iterator[str]:
    for kind in _KINDS:
        value = reduce(getattr, path.split("."), kind)
        if value != usual:
            yield f"{kind.name} {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        joint = " to " if len(value) == 2 else " : "
        return joint.join(_shown(each) for each in value)
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


if __name__ == "__main__":
    print(knobs_page(), end="")
