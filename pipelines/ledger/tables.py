"""The graph as tables, computed from the rows in force: what ought to stand in Neo4j, and what a snapshot holds.

Each relationship is a table of its type (start_id, end_id, properties), each node one of its label (id, properties).
"""

from datetime import date

from ringwatch.graph_schema.graph import ACCOUNT, NODES, RELATIONSHIPS
from ringwatch.graph_schema.vocabulary import Node, Relationship
from ringwatch.pipelines.common.sql import Connection
from ringwatch.pipelines.ledger import in_force

IDENTIFIERS = tuple(node for node in NODES if node is not ACCOUNT)


def create_relationships(connection: Connection, *, seen_since: date | None) -> None:
    """Make a table a relationship, from the views of rows in force.

    Args:
        connection: has the views and `known`.
        seen_since: leave out what was last seen before this day.
    """
    for relationship in RELATIONSHIPS:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {relationship.type} AS {_relationship_sql(relationship, seen_since)}"
        )


def _relationship_sql(relationship: Relationship, seen_since: date | None) -> str:
    aggregates = "".join(f", ({p.aggregate})::{_duckdb_type(p.kind)} AS {p.name}" for p in relationship.properties)
    sql = f"SELECT start_id, end_id{aggregates} FROM ({relationship.rows}) GROUP BY start_id, end_id"
    conditions = []
    if relationship.waits_for_end:
        conditions.append("end_id IN (SELECT account_id FROM known)")
    if relationship.start is not ACCOUNT:
        reached = " UNION ".join(f"SELECT end_id FROM {r.type}" for r in RELATIONSHIPS if r.end is relationship.start)
        conditions.append(f"start_id IN ({reached})")
    if relationship.is_dated and seen_since:
        conditions.append(f"last_seen_at >= TIMESTAMPTZ '{seen_since} 00:00:00+00'")
    return f"FROM ({sql}) WHERE {' AND '.join(conditions)}" if conditions else sql


def create_accounts(connection: Connection) -> None:
    """Make the table of account nodes from the views of rows in force."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {ACCOUNT.label} AS {_description_sql(ACCOUNT)}")


def create_identifiers(connection: Connection, *, ids: dict[Node, str] | None = None) -> None:
    """Make a table of nodes for each kind of identifier.

    Args:
        connection: has the views, of the rows that describe these identifiers.
        ids: SQL of the ids, by kind; by default those at which the tables' relationships end.
    """
    for node in IDENTIFIERS:
        wanted = ids[node] if ids else reached_ids(node)
        sql = f"FROM ({wanted}) LEFT JOIN ({_description_sql(node)}) USING (id)" if node.described_by else wanted
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {node.label} AS {sql}")


def describe_identifiers(connection: Connection, *, held_days: int) -> None:
    """Make the tables of identifiers that the touched accounts use, or used before.

    Args:
        connection: has the tables of relationships of the touched accounts, and as `old_<TYPE>` those from before.
        held_days: how long rows may have waited for their account.
    """
    for node in IDENTIFIERS:
        before = " UNION ".join(f"SELECT end_id FROM old_{r.type}" for r in RELATIONSHIPS if r.end is node)
        create = f"CREATE OR REPLACE TEMP TABLE ids_{node.label} AS SELECT id FROM ({reached_ids(node)}) UNION {before}"
        connection.execute(create)
    only: dict[str, str] = {}
    for node in IDENTIFIERS:
        for signal in node.signals:
            described = f"{node.key} IN (FROM ids_{node.label})"
            only[signal] = f"{only[signal]} OR {described}" if signal in only else described
    only = {signal: f"({condition})" for signal, condition in only.items()}
    in_force.create_views(connection, held_days=held_days, only=only)
    create_identifiers(connection, ids={node: f"FROM ids_{node.label}" for node in IDENTIFIERS})


def reached_ids(node: Node) -> str:
    """SQL of the ids of a kind of node at which the tables' relationships end, each once."""
    return " UNION ".join(f"SELECT DISTINCT end_id AS id FROM {r.type}" for r in RELATIONSHIPS if r.end is node)


def _description_sql(node: Node) -> str:
    """SQL of a node's properties by id: each signal's rows aggregated by themselves, then joined."""
    described_by, *others = node.signals
    joins = "".join(f" LEFT JOIN ({_aggregate_sql(node, signal)}) USING (id)" for signal in others)
    columns = "".join(
        f", coalesce({p.name}, {p.without_rows}) AS {p.name}" if p.signal in others else f", {p.name}"
        for p in node.properties
    )
    return f"SELECT id{columns} FROM ({_aggregate_sql(node, described_by)}){joins}"


def _aggregate_sql(node: Node, signal: str) -> str:
    of_signal = [p for p in node.properties if (p.signal or node.described_by) == signal]
    aggregates = "".join(f", ({p.aggregate})::{_duckdb_type(p.kind)} AS {p.name}" for p in of_signal)
    return f"SELECT {node.key} AS id{aggregates} FROM {signal} WHERE {node.key} IS NOT NULL GROUP BY id"


def _duckdb_type(kind: object) -> str:
    return {"timestamp": "TIMESTAMPTZ", "integer": "BIGINT", "number": "DOUBLE", "flag": "BOOLEAN"}.get(
        str(kind), "VARCHAR"
    )
