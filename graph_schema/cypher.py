"""Cypher generated from the graph's declaration. Parameters are parallel lists, one entry a record.

Lists as parameters move 15 times the rows of a map per record on reads and nearly twice on writes. Times
cross the wire as whole microseconds since 1970, in which the server's own clock functions are exact.
"""

from collections.abc import Iterable

from ringwatch.graph_schema.graph import NODES, RELATIONSHIPS
from ringwatch.graph_schema.signals import Kind
from ringwatch.graph_schema.vocabulary import Node, Property, Relationship

# Neo4j divides towards zero: a shift by a whole number of seconds keeps times before 1970 right.
_SHIFT_S = 100_000_000_000
_SHIFT_US = _SHIFT_S * 1_000_000


def to_neo4j(kind: Kind, parameter: str) -> str:
    """Expression that turns a parameter's value into the property's."""
    if kind is not Kind.TIMESTAMP:
        return parameter
    shifted = f"({parameter} + {_SHIFT_US})"
    return f"datetime.fromEpoch({shifted} / 1000000 - {_SHIFT_S}, {shifted} % 1000000 * 1000)"


def from_neo4j(kind: Kind, value: str) -> str:
    """Expression that turns a property into what the driver should carry."""
    # Neo4j rounds epochSeconds towards zero, too; its milliseconds it rounds down.
    return f"{value}.epochMillis * 1000 + {value}.microsecond % 1000" if kind is Kind.TIMESTAMP else value


def _assignments(variable: str, properties: Iterable[Property]) -> str:
    pairs = [f"{variable}.{p.name} = {to_neo4j(p.kind, f'${p.name}[i]')}" for p in properties]
    return " SET " + ", ".join(pairs) if pairs else ""


def _values(variable: str, properties: Iterable[Property]) -> str:
    lists = [f"[x IN {variable} | {from_neo4j(p.kind, f'x.{p.name}')}] AS {p.name}" for p in properties]
    return "".join(", " + expression for expression in lists)


# Nodes ----------------------------------------------------------------------------------------------


def merge_nodes(node: Node) -> str:
    """Write nodes and their properties. Parameters: id, and one list a property."""
    return _write_nodes("MERGE", node)


def create_nodes(node: Node) -> str:
    """Write nodes that do not stand yet. Parameters as of `merge_nodes`."""
    return _write_nodes("CREATE", node)


def _write_nodes(verb: str, node: Node) -> str:
    return (
        f"UNWIND range(0, size($id) - 1) AS i {verb} (n:{node.label} {{{node.key}: $id[i]}})"
        f"{_assignments('n', node.properties)}"
    )


def read_nodes(node: Node, properties: Iterable[Property]) -> str:
    """Read nodes by key. Parameter: keys. One record of lists: id, and one a property."""
    return (
        f"UNWIND $keys AS key MATCH (n:{node.label} {{{node.key}: key}}) WITH collect(n) AS nodes"
        f" RETURN [x IN nodes | x.{node.key}] AS id{_values('nodes', properties)}"
    )


def read_keys(node: Node) -> str:
    """Read every key of a kind of node, in order, as pages. Parameters: after, page_size."""
    return (
        f"MATCH (n:{node.label}) WHERE n.{node.key} > $after WITH n.{node.key} AS id ORDER BY id LIMIT $page_size"
        " RETURN collect(id) AS id"
    )


def delete_nodes(node: Node) -> str:
    """Delete nodes with all that hangs on them. Parameter: keys."""
    return f"UNWIND $keys AS key MATCH (n:{node.label} {{{node.key}: key}}) DETACH DELETE n"


def delete_unreferenced(node: Node) -> str:
    """Delete those of the nodes that nothing points at any more. Parameter: keys."""
    return (
        f"UNWIND $keys AS key MATCH (n:{node.label} {{{node.key}: key}}) WHERE NOT EXISTS {{ (n)<--() }}"
        " DETACH DELETE n RETURN count(*) AS n"
    )


# Relationships --------------------------------------------------------------------------------------


def _ends(relationship: Relationship) -> str:
    start, end = relationship.start, relationship.end
    return (
        "UNWIND range(0, size($start_id) - 1) AS i"
        f" MATCH (a:{start.label} {{{start.key}: $start_id[i]}})"
        f" MATCH (b:{end.label} {{{end.key}: $end_id[i]}})"
    )


def merge_relationships(relationship: Relationship) -> str:
    """Write relationships between nodes that exist. Parameters: start_id, end_id, and one list a property."""
    return _write_relationships("MERGE", relationship)


def create_relationships(relationship: Relationship) -> str:
    """Write relationships that do not stand yet between nodes that do. Parameters as of `merge_relationships`."""
    return _write_relationships("CREATE", relationship)


def _write_relationships(verb: str, relationship: Relationship) -> str:
    return f"{_ends(relationship)} {verb} (a)-[r:{relationship.type}]->(b){_assignments('r', relationship.properties)}"


def delete_relationships(relationship: Relationship) -> str:
    """Delete relationships. Parameters: start_id, end_id."""
    return f"{_ends(relationship)} MATCH (a)-[r:{relationship.type}]->(b) DELETE r"


def read_relationships(relationship: Relationship, properties: Iterable[Property]) -> str:
    """Read what starts at some nodes. Parameter: keys. One record of lists: start_id, end_id, and one a property."""
    start, end = relationship.start, relationship.end
    return (
        f"UNWIND $keys AS key MATCH (a:{start.label} {{{start.key}: key}})-[r:{relationship.type}]->(b:{end.label})"
        f" WITH collect(a.{start.key}) AS start_id, collect(b.{end.key}) AS end_id, collect(r) AS rs"
        f" RETURN start_id, end_id{_values('rs', properties)}"
    )


def retire_relationships(relationship: Relationship) -> str:
    """Delete a page of relationships last seen before `cutoff`; returns the ends they leave."""
    end = relationship.end
    return (
        f"MATCH ()-[r:{relationship.type}]->(b) WHERE r.last_seen_at < {to_neo4j(Kind.TIMESTAMP, '$cutoff')}"
        f" WITH r, b LIMIT $page_size WITH r, b.{end.key} AS id DELETE r RETURN collect(id) AS id"
    )


def count_all() -> str:
    """Count nodes by label and relationships by type, from the numbers that the server keeps of them."""
    nodes = [f"MATCH (n:{node.label}) RETURN '{node.label}' AS name, count(n) AS n" for node in NODES]
    return " UNION ALL ".join(
        nodes + [f"MATCH ()-[r:{r.type}]->() RETURN '{r.type}' AS name, count(r) AS n" for r in RELATIONSHIPS]
    )


# Schema ---------------------------------------------------------------------------------------------


def constraints() -> tuple[str, ...]:
    """Statements that make keys unique and dated relationships quick to retire; safe to run again."""
    keys = [(node.label, node.key) for node in NODES] + [("Ring", "ring_id"), ("DetectionRun", "run_id")]
    unique = [
        f"CREATE CONSTRAINT {label.lower()}_{key} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE"
        for label, key in keys
    ]
    dated = [
        f"CREATE INDEX {r.type.lower()}_last_seen_at IF NOT EXISTS FOR ()-[r:{r.type}]-() ON (r.last_seen_at)"
        for r in RELATIONSHIPS
        if r.is_dated
    ]
    return tuple(unique + dated)
