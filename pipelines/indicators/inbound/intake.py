"""The door: what is taken in of a bundle that a partner sent, and why the rest is not.

A file is taken whole or not at all: it has to be valid STIX 2.1 of one partner, who says its name. Of its indicators
those are usable whose pattern can be matched here in full.
"""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ringwatch.pipelines.common.clock import end_of
from ringwatch.pipelines.common.settings import PARTNER_NAME, Settings
from ringwatch.pipelines.indicators.pattern import UnsupportedError, read_pattern
from ringwatch.pipelines.indicators.validation import faults_of, objects_of

_MAX_BYTES = 40_000_000
_MAX_OBJECTS = 50_000  # of which the validator takes some 400 a second
_N_FAULTS = 3  # that are told of
_UNSAID = 50  # confidence of an indicator that says none


@dataclass
class Checked:
    """What the door says of a file.

    Attributes:
        partner: who sent it; None where that is unknown.
        n_indicators: objects of type indicator in it, as far as they could be counted.
        faults: why nothing of it is taken in; none where it is.
        rows: its indicators, by `store.INDICATORS_SCHEMA` but for the file.
        refused: indicators that are quarantined by themselves, with the reason.
    """

    partner: str | None = None
    n_indicators: int = 0
    faults: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def check_file(settings: Settings, path: Path, *, day: date) -> Checked:
    """Check a file that was delivered for a day."""
    n_bytes = path.stat().st_size
    if n_bytes > _MAX_BYTES:
        return Checked(faults=[f"it is of {n_bytes:,} bytes, and at most {_MAX_BYTES:,} are read: split it"])
    try:
        text = path.read_bytes().decode()
        bundle = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Checked(faults=[f"it is no JSON: {error}"])
    if not isinstance(bundle, dict) or bundle.get("type") != "bundle" or not isinstance(bundle.get("objects"), list):
        return Checked(faults=["it is no STIX bundle of objects"])
    types = [each.get("type") if isinstance(each, dict) else None for each in bundle["objects"]]
    found = Checked(n_indicators=types.count("indicator"))
    if len(types) > _MAX_OBJECTS:
        found.faults = [f"it holds {len(types):,} objects, and at most {_MAX_OBJECTS:,} are read: split it"]
    else:
        found.faults = faults_of(text)[:_N_FAULTS]
    if not found.faults:
        _look_into(settings, found, text, day)
    return found


def _look_into(settings: Settings, found: Checked, text: str, day: date) -> None:
    """Note down who sent a valid bundle, and its indicators."""
    try:
        objects = objects_of(text)
        found.partner = _partner(settings, objects)
    except ValueError as error:
        found.faults = [str(error)]
        return
    for place, each in enumerate(objects):
        if each["type"] == "indicator":
            if each["modified"] > end_of(day):
                found.refused.append((each["id"], f"modified at {each['modified']:%Y-%m-%d %H:%M}, after its day"))
            else:
                found.rows.append(_row(found.partner, place, each))


def _partner(settings: Settings, objects: Any) -> str:
    """The name of the one identity that made the indicators, or whatever there is where there are none.

    Raises:
        ValueError: there is no such name.
    """
    types = [each["type"] for each in objects]
    about = [each for each in objects if each["type"] == ("indicator" if "indicator" in types else each["type"])]
    made_by = {each.get("created_by_ref") for each in about if each["type"] != "extension-definition"}
    if "indicator" not in types:
        made_by.discard(None)  # as of addresses, of which nobody is the author
    names = {each["name"] for each in objects if each["type"] == "identity" and each["id"] in made_by}
    if len(made_by) != 1 or len(names) != 1:
        raise ValueError("nobody stands for it: created_by_ref of its indicators must be one identity that is in it")
    partner = "-".join(names.pop().split())
    if not PARTNER_NAME.fullmatch(partner):
        raise ValueError("its identity's name is not of letters, digits, blanks and ._- only, 64 at most")
    if partner == settings.platform:
        raise ValueError(f"it is {partner}'s, as we are: give each platform a RINGWATCH_PLATFORM of its own")
    return partner


def _row(partner: str, place: int, indicator: Any) -> dict[str, Any]:
    named: tuple[Any, ...] = ()
    unsupported = None
    try:
        if indicator["pattern_type"] != "stix":
            raise UnsupportedError(f"a pattern of type {indicator['pattern_type']}")
        if "benign" in indicator.get("indicator_types", ()):
            raise UnsupportedError("it says that this is benign")
        named = read_pattern(indicator["pattern"])
    except UnsupportedError as error:
        unsupported = str(error)
    return {
        "partner": partner,
        "indicator_id": indicator["id"],
        "modified": indicator["modified"],
        "valid_from": indicator["valid_from"],
        "valid_until": indicator.get("valid_until"),
        "revoked": bool(indicator.get("revoked", False)),
        "confidence": indicator.get("confidence", _UNSAID),
        "named": [each._asdict() for each in named],
        "unsupported": unsupported,
        "place": place,
    }
