"""Who says it, since when and to whom: ids, times and markings of what goes out.

All are functions of the night and of what was said before: the same night gives the same bytes. Ids are UUIDs of
version 5, as STIX 2.1 allows where a producer wants the same thing to have the same id; a thing said again keeps the
id and the time of creation that it had, so that a partner sees a new version of it and not another one.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import stix2
from stix2 import v21
from stix2.properties import StringProperty

from ringwatch.pipelines.common.signing import canonical_json

_NAMESPACE = uuid.UUID("5b0c1f5e-7d0b-4c7e-9a52-5b1f0e6b7c21")
_MARKINGS = {"clear": stix2.TLP_WHITE, "green": stix2.TLP_GREEN, "amber": stix2.TLP_AMBER, "red": stix2.TLP_RED}
_SINCE = datetime(2026, 1, 1, tzinfo=UTC)  # when the extensions were defined
Object = dict[str, Any]


def _fixed(type_: str, name: str) -> str:
    return f"{type_}--{uuid.uuid5(_NAMESPACE, f'{type_} {name}')}"


_AUTHOR = v21.Identity(
    id=_fixed("identity", "ringwatch"), name="Ringwatch", identity_class="system", created=_SINCE, modified=_SINCE
)


def _extension(name: str, description: str) -> v21.ExtensionDefinition:
    return v21.ExtensionDefinition(
        id=_fixed("extension-definition", name),
        name=name,
        description=description,
        schema='{"type": "object", "additionalProperties": {"type": "string"}}',
        version="1.0.0",
        extension_types=["new-sco"],
        created_by_ref=_AUTHOR.id,
        created=_SINCE,
        modified=_SINCE,
    )


_TEMPLATE = _extension("x-prompt-template", "The fixed part of a prompt that many requests share, by its fingerprint.")
_CARD = _extension(
    "x-payment-instrument", "A card, wallet or bank account: HMAC-SHA256 of its fingerprint with the partner's key."
)
EXTENSIONS = {each.name: each for each in (_TEMPLATE, _CARD)}


@v21.CustomObservable(
    "x-prompt-template", [("fingerprint", StringProperty(required=True))], ["fingerprint"], extension_name=_TEMPLATE.id
)
class PromptTemplate:
    """A prompt template as a STIX object."""


@v21.CustomObservable(
    "x-payment-instrument",
    [("fingerprint_hmac", StringProperty(required=True))],
    ["fingerprint_hmac"],
    extension_name=_CARD.id,
)
class PaymentInstrument:
    """A payment instrument as a STIX object."""


@dataclass(frozen=True)
class Issuer:
    """We, on one night, to one audience.

    Attributes:
        platform: our name.
        tlp: the traffic light.
        at: end of the night: when all is said.
        created: when what was said before was said first, by id.
        in_force: when the indicators that were told of last and not revoked were created, by pattern. What was revoked
            gets no new version, by STIX: if it holds again, it is another indicator.
    """

    platform: str
    tlp: str
    at: datetime
    created: Mapping[str, str]
    in_force: Mapping[str, str]

    @property
    def now(self) -> str:
        """The time of all that is said, as STIX writes it."""
        return f"{self.at:%Y-%m-%dT%H:%M:%S}.000Z"

    @property
    def identity_id(self) -> str:
        """Id of our identity."""
        return self.id("identity")

    def id(self, type_: str, *names: Any) -> str:
        """Id of what these names name, of ours."""
        return f"{type_}--{uuid.uuid5(_NAMESPACE, canonical_json([self.platform, type_, *names]).decode())}"

    def create(self, kind: type, *names: Any, **facts: Any) -> Object:
        """An object of ours that these names name."""
        id_ = self.id(kind._type, *names)  # type: ignore[attr-defined]  # of every class of the library
        by = {} if kind is v21.Identity else {"created_by_ref": self.identity_id}
        said = {"created": self.created.get(id_, self.now), "modified": self.now, **by, **facts}
        return self.mark(kind(id=id_, allow_custom=True, **said))

    def observe(self, kind: type, **facts: Any) -> Object:
        """A cyber-observable: its id is a function of what it is, whoever says it."""
        return self.mark(kind(**facts))

    def relate(self, source: str, type_: str, target: str) -> Object:
        """A relationship between two objects."""
        return self.create(
            v21.Relationship, source, type_, target, source_ref=source, relationship_type=type_, target_ref=target
        )

    def mark(self, stix_object: Any) -> Object:
        """An object under the traffic light, as JSON holds it."""
        plain: Object = dict(json_of(stix_object))
        return {**plain, "object_marking_refs": [_MARKINGS[self.tlp].id]}

    def bundle(self, objects: Iterable[Object], *names: Any) -> Object:
        """All of it in one, each object once, with who says it, the marking, and what else they stand on."""
        identity = self.create(v21.Identity, name=self.platform, identity_class="organization")
        said = {each["id"]: each for each in objects}
        extensions = [EXTENSIONS[type_] for type_ in sorted({each["type"] for each in said.values()} & set(EXTENSIONS))]
        ground = [json_of(_MARKINGS[self.tlp]), identity, *map(self.mark, [_AUTHOR, *extensions] if extensions else ())]
        ordered = sorted(said.values(), key=lambda each: (each["type"], each["id"]))
        return {"type": "bundle", "id": self.id("bundle", *names), "objects": [*ground, *ordered]}


def json_of(stix_object: Any) -> Object:
    """An object of the library as JSON holds it."""
    plain: Object = json.loads(stix_object.serialize())
    return plain


def midnight(day: date) -> datetime:
    """The beginning of a day: whatever is said of times is said to the day."""
    return datetime.combine(day, time(), UTC)
