"""What a declaration of the graph is made of: nodes, relationships, their properties, and what sharing is worth."""

from dataclasses import dataclass

from ringwatch.graph_schema.signals import Kind


@dataclass(frozen=True)
class Property:
    """A property and the aggregate that computes it.

    A node's property may be of another signal than the one that describes the node: each signal's rows are aggregated
    by themselves and then joined, so that no row counts twice.
    """

    name: str
    kind: Kind
    aggregate: str
    signal: str | None = None  # whose rows; None: the signal that describes the node
    without_rows: str = "NULL"  # SQL of the value where that other signal has no row
    # The consequence of a decision, so never a feature: kept out of the snapshot.
    is_consequence: bool = False
    is_feature: bool = True  # no feature: label information, and ids in all but their type


@dataclass(frozen=True)
class Evidence:
    """What sharing an identifier of a kind is worth.

    Attributes:
        family: kinds of one family say the same thing twice (an address and its subnet) and count as one.
        strength: 1 where hardly anyone shares without knowing the other, little where neighbours or colleagues do.
    """

    family: str
    strength: float


@dataclass(frozen=True)
class Node:
    """A kind of node. Its properties are aggregates of the rows that name its key."""

    label: str
    key: str
    properties: tuple[Property, ...] = ()
    described_by: str | None = None  # the signal whose rows, with the key in a column of its name, describe it
    nouns: tuple[str, str] | None = None  # what readers call one of them, and several; None: the label
    is_key_readable: bool = True  # a hash means nothing to a reader
    evidence: Evidence | None = None  # None: of a family of its own, and weak

    @property
    def family(self) -> str:
        """Of evidence that sharing one is; one of its own where none is declared."""
        return self.evidence.family if self.evidence else self.label

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals that its properties are aggregates of, the one that describes it first."""
        return tuple(dict.fromkeys(filter(None, [self.described_by, *(p.signal for p in self.properties)])))


@dataclass(frozen=True)
class Relationship:
    """A kind of relationship. `rows` yields its two keys as `start_id` and `end_id`."""

    type: str
    start: Node
    end: Node
    rows: str
    properties: tuple[Property, ...] = ()
    waits_for_end: bool = False  # the end is an account that may not be known yet

    @property
    def is_dated(self) -> bool:
        """Whether it says when it was last seen, and is retired when that is long ago."""
        return any(property.name == "last_seen_at" for property in self.properties)
