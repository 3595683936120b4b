"""Turning the knobs: some set by hand, or all of them at random, to have worlds unlike each other."""

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass, replace
from typing import Annotated, Any, get_origin, get_type_hints

import numpy as np

from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.simulate.knobs.declaration import ALONE, Kind
from ringwatch.pipelines.simulate.knobs.scenarios import Desk

# Drawn with a structure, not turned: worlds stay what they were before these could be said.
_AS_DECLARED = frozenset({"by_strangers", "of_groups", "one_home", "to_strangers", "same_email"})
_WIDEST = 3.0  # the factor up or down by which `vary` = 1 turns a knob at most


def turned(kinds: tuple[Kind, ...], desk: Desk, values: Mapping[str, object]) -> tuple[tuple[Kind, ...], Desk]:
    """Kinds and desk with the knobs set that `values` names, as in `{"graders.cards.shared": 0.2}`.

    Raises:
        RingwatchError: there is no such knob, or the value does not suit it.
    """
    by_name: dict[str, Any] = {kind.name: kind for kind in kinds} | {"desk": desk}
    for path, value in values.items():
        name, *steps = path.split(".")
        if name not in by_name or not steps:
            raise RingwatchError(f"no knob {path}: it begins with one of {', '.join(by_name)}.")
        by_name[name] = _set(by_name[name], steps, value, path)
    return tuple(by_name[kind.name] for kind in kinds), by_name["desk"]


def _set(holder: Any, steps: list[str], value: object, path: str) -> Any:
    step, *rest = steps
    names = [name for name, _ in knobs_of(holder)]
    if step not in names:
        raise RingwatchError(f"no knob {path}: after {type(holder).__name__} comes one of {', '.join(names)}.")
    old = getattr(holder, step)
    if rest:
        if not is_dataclass(old):
            raise RingwatchError(f"no knob {path}: {step} is a value.")
        return replace(holder, **{step: _set(old, rest, value, path)})
    return replace(holder, **{step: _suited(old, value, path)})


def _suited(old: object, value: object, path: str) -> object:
    wanted = "a number of 0 or more"
    if isinstance(old, bool) or is_dataclass(old):
        raise RingwatchError(f"{path} cannot be set.")
    if isinstance(old, tuple):
        wanted = f"a list of {len(old)} numbers of 0 or more, not all 0"
        if isinstance(value, list | tuple) and len(value) == len(old) and all(_is_amount(v) for v in value):
            return tuple(float(v) for v in value)
    elif isinstance(old, str):
        wanted = "a text"
        if isinstance(value, str):
            return value
    elif _is_amount(value):
        return type(old)(value)  # type: ignore[call-arg]
    raise RingwatchError(f"{path} takes {wanted}, not {value!r}.")


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def knobs_of(holder: Any) -> Iterator[tuple[str, str | None]]:
    """Names of a declaration's knobs and groups of knobs, with what each means; None for a group."""
    for name, hint in get_type_hints(type(holder), include_extras=True).items():
        if get_origin(hint) is Annotated:
            yield name, hint.__metadata__[0]
        elif is_dataclass(getattr(holder, name)):
            yield name, None


def varied(kinds: tuple[Kind, ...], vary: float, rng: np.random.Generator) -> tuple[Kind, ...]:
    """Kinds whose every knob is turned by a random factor: none at `vary` = 0, up to 3 either way at 1."""
    return tuple(_varied(kind, vary, rng) for kind in kinds)


def _varied(holder: Any, vary: float, rng: np.random.Generator) -> Any:
    changes = {}
    for name, _ in knobs_of(holder):
        value = getattr(holder, name)
        if name in _AS_DECLARED:
            continue
        if is_dataclass(value):
            changes[name] = _varied(value, vary, rng)
        elif value == ALONE:
            continue  # who is alone stays so
        elif isinstance(value, tuple) and len(value) == 2:
            factor = _factor(vary, rng)  # the same for both ends of a range
            changes[name] = tuple(v * factor for v in value)
        elif isinstance(value, tuple):
            changes[name] = tuple(v * _factor(vary, rng) for v in value)
        elif isinstance(value, float):
            changes[name] = _number(value, vary, rng)
    return replace(holder, **changes)


def _number(value: float, vary: float, rng: np.random.Generator) -> float:
    factor = _factor(vary, rng)
    if 0 < value < 1:  # a share stays one: its odds are turned
        return value * factor / (1 - value + value * factor)
    return value * factor


def _factor(vary: float, rng: np.random.Generator) -> float:
    return float(_WIDEST ** (vary * rng.uniform(-1, 1)))
