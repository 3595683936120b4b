"""The snapshot's layout, generated from the graph: which Parquet table has which columns.

SNAPSHOT/nodes/<Label>.parquet          id, then the node's properties
SNAPSHOT/relationships/<TYPE>.parquet   start_id, end_id, then the relationship's properties
SNAPSHOT/labels.parquet                 one row an account, by LABELS_SCHEMA

Tables are sorted by their key columns, so that the same graph gives the same bytes. Properties that are the
consequence of a decision (an account's status) are left out: they must never become features.
"""

import pyarrow as pa

from ringwatch.graph_schema.signals import Kind
from ringwatch.graph_schema.vocabulary import Node, Property, Relationship


def snapshot_properties(kind: Node | Relationship) -> tuple[Property, ...]:
    """Properties of a node or relationship that the snapshot keeps."""
    return tuple(property for property in kind.properties if not property.is_consequence)


def node_schema(node: Node) -> pa.Schema:
    """Columns of `nodes/<Label>.parquet`."""
    return _schema(("id",), snapshot_properties(node))


def full_node_schema(node: Node) -> pa.Schema:
    """Columns of a kind of node in the graph, those that the snapshot leaves out included."""
    return _schema(("id",), node.properties)


def relationship_schema(relationship: Relationship) -> pa.Schema:
    """Columns of `relationships/<TYPE>.parquet`."""
    return _schema(("start_id", "end_id"), snapshot_properties(relationship))


LABELS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("label", pa.string()),  # fake, legitimate
        ("label_confidence", pa.float64()),
        ("source", pa.string()),
        ("known_at", Kind.TIMESTAMP.arrow_type),
        ("n_people", pa.int64()),  # who found the same; 0 where people's sources did not speak
    ]
)


def _schema(keys: tuple[str, ...], properties: tuple[Property, ...]) -> pa.Schema:
    columns = [(key, pa.string()) for key in keys]
    columns += [(property.name, property.kind.arrow_type) for property in properties]
    return pa.schema(columns)
