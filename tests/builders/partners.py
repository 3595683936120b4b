"""What partners exchange in tests: nights whose list is out, their bundles, and bundles as partners write them."""

import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from tests.builders.ban_lists import D1, released
from tests.builders.nights import Judged

from ringwatch.pipelines.indicators.outbound.export import export_indicators
from ringwatch.pipelines.indicators.outbound.issuer import PromptTemplate  # noqa: F401  # registers what we define beyond STIX

KEYS = {"acme": "acme-key-0123456789", "beta": "beta-key-0123456789"}
RENTED, HOME = "185.3.2.7", "84.20.1.9"
NETWORKS = {RENTED: "hosting", HOME: "residential"}
Object = dict[str, Any]
Uses = tuple[str, ...]


def fakes(n: int, *, ring_id: str | None = "ring-1", prefix: str = "fake", **uses: Uses) -> dict[str, Judged]:
    """Accounts that rules list, and that share what `uses` says."""
    return {f"{prefix}-{i:02d}": Judged(0.99, ring_id=ring_id, **uses) for i in range(n)}


def people(n: int, *, ring_id: str | None = None, prefix: str = "person", **uses: Uses) -> dict[str, Judged]:
    """Accounts that nobody lists, and that share what `uses` says."""
    return {f"{prefix}-{i:02d}": Judged(0.01, ring_id=ring_id, reasons=(), **uses) for i in range(n)}


def exported(settings, accounts, *, night=D1, **kwargs) -> dict[str, Object]:
    """Bundles of a night whose list went out, by file."""
    released(settings, night, accounts, **({"networks": NETWORKS} | kwargs))
    folder = export_indicators(settings, date=night).folder
    return {file.name: json.loads(file.read_bytes()) for file in folder.iterdir()}


def of_type(bundle: Object, type_: str) -> list[Object]:
    return [each for each in bundle["objects"] if each["type"] == type_]


def patterns(bundle: Object) -> set[str]:
    return {each["pattern"] for each in of_type(bundle, "indicator")}


# As partners write them -----------------------------------------------------------------------------


def stamp(day: date, hour: int = 0) -> str:
    return f"{datetime.combine(day, time(hour), UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def id_of(type_: str, name: str) -> str:
    return f"{type_}--{uuid.uuid5(uuid.NAMESPACE_DNS, name)}"


def identity(name: str = "acme") -> Object:
    return _object("identity", name, D1 - timedelta(days=1), name=name, identity_class="organization")


def indicator(name: str, pattern: str, *, partner: str = "acme", modified: date = D1, **more: Any) -> Object:
    """An indicator of a partner's, modified in the first hour of a day; a fact that is None is left out."""
    facts = {
        "created_by_ref": id_of("identity", partner),
        "name": name,
        "description": name,
        "indicator_types": ["malicious-activity"],
        "pattern": pattern,
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": stamp(D1 - timedelta(days=1)),
        "valid_until": stamp(D1 + timedelta(days=20)),
        "confidence": 80,
    }
    return _object("indicator", name, modified, **(facts | more))


def _object(type_: str, called: str, modified: date, **facts: Any) -> Object:
    times = {"created": stamp(D1 - timedelta(days=30)), "modified": stamp(modified)}
    said = {"type": type_, "spec_version": "2.1", "id": id_of(type_, called), **times, **facts}
    return {key: value for key, value in said.items() if value is not None}


def bundle_of(*objects: Object, partner: str = "acme") -> Object:
    return {"type": "bundle", "id": id_of("bundle", partner), "objects": [identity(partner), *objects]}


def send(landing: Path, bundle: Object | str, *, day: date = D1, name: str = "acme.json") -> Path:
    """Put a bundle, or any text, into the landing zone."""
    file = landing / "indicators" / f"date={day}" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(bundle if isinstance(bundle, str) else json.dumps(bundle))
    return file
