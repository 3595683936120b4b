"""Bring Neo4j to what the ledger says, for the accounts that a load touches: read, compare, write the difference.

What stands in Neo4j is read, not remembered: a load that was broken off, or a hand that changed the graph,
leaves nothing that the next load of the same accounts does not mend.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import pyarrow as pa
from neo4j import Driver

from ringwatch.graph_schema import cypher
from ringwatch.graph_schema.graph import ACCOUNT, IDENTIFIER_RELATIONSHIPS, NODES, RELATIONSHIPS, RELATIONSHIPS_BY_TYPE
from ringwatch.graph_schema.layout import full_node_schema, relationship_schema
from ringwatch.graph_schema.vocabulary import Node, Relationship
from ringwatch.pipelines.common.metering import metered
from ringwatch.pipelines.common.sql import Connection
from ringwatch.pipelines.graph.client import WRITE_PAGE, read_columns, run, write_table
from ringwatch.pipelines.ledger.tables import describe_identifiers, reached_ids

_log = logging.getLogger(__name__)


@dataclass
class Written:
    """Records that a load wrote to Neo4j and removed from it, by label or type."""

    written: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    retired: dict[str, int] = field(default_factory=dict)

    @property
    def n_records(self) -> int:
        """All of them together."""
        return sum(sum(n.values()) for n in (self.written, self.removed, self.retired))


def write_graph(
    driver: Driver,
    connection: Connection,
    *,
    is_empty: bool,
    held_days: int,
    seen_since: date | None,
) -> Written:
    """Write the difference between the tables of the touched accounts and the graph.

    Args:
        driver: to the graph.
        connection: has `ledger.<signal>`, `known`, `touched`, and the tables of the touched accounts and what they use.
        is_empty: whether the graph holds no account, so that nothing need be read.
        held_days: how long rows may wait for their account.
        seen_since: relationships last seen before this day are left out, and retired.
    """
    done = Written()
    _log.info("reading what the graph holds of the accounts touched")
    touched = [] if is_empty else _ids(connection, "SELECT account_id FROM touched ORDER BY 1")
    for relationship in RELATIONSHIPS:
        keys = touched if relationship.start is ACCOUNT else _ids(connection, _addresses(is_empty))
        _register_old(connection, driver, relationship, keys)
    _remove_relationships(driver, connection, done)
    _remove_nodes(driver, connection, done)
    describe_identifiers(connection, held_days=held_days)
    changes = [(n.label, cypher.merge_nodes(n), _changed_nodes(driver, connection, n, is_empty)) for n in NODES]
    for relationship in RELATIONSHIPS:
        changes += _changed_relationships(connection, relationship)
    with metered("write") as meter:
        for name, query, changed in changes:
            if changed.num_rows:
                _log.info("writing %s %s", f"{changed.num_rows:,}", name)
                done.written[name] = done.written.get(name, 0) + write_table(driver, query, changed)
        meter.rows = sum(done.written.values())
    if seen_since:
        retire(driver, seen_since, done)
    return done


def seen_since(retention_days: int, night: date) -> date | None:
    """The first day on which a relationship must have been seen to stay; None keeps all."""
    return night - timedelta(days=retention_days) if retention_days else None


# Read -----------------------------------------------------------------------------------------------


def _addresses(is_empty: bool) -> str:
    return "SELECT DISTINCT start_id FROM IN_SUBNET ORDER BY 1" + (" LIMIT 0" if is_empty else "")


def _register_old(connection: Connection, driver: Driver, relationship: Relationship, keys: list[str]) -> None:
    schema = relationship_schema(relationship)
    query = cypher.read_relationships(relationship, relationship.properties)
    pages = list(read_columns(driver, query, keys, schema))
    old = pa.concat_tables(pages) if pages else schema.empty_table()
    connection.register(f"old_{relationship.type}", old)


# Remove ---------------------------------------------------------------------------------------------


def _remove_relationships(driver: Driver, connection: Connection, done: Written) -> None:
    for relationship in RELATIONSHIPS:
        kind = relationship.type
        gone = connection.sql(
            f"SELECT start_id, end_id FROM old_{kind} ANTI JOIN {kind} USING (start_id, end_id) ORDER BY ALL"
        ).to_arrow_table()
        if relationship.start is ACCOUNT and gone.num_rows:
            done.removed[kind] = write_table(driver, cypher.delete_relationships(relationship), gone)


def _remove_nodes(driver: Driver, connection: Connection, done: Written) -> None:
    """Remove accounts that no delivery shows any more, and identifiers that nobody uses."""
    unknown = _ids(connection, "SELECT account_id FROM touched ANTI JOIN known USING (account_id) ORDER BY 1")
    if unknown:
        write_table(driver, cypher.delete_nodes(ACCOUNT), pa.table({"keys": unknown}))
    for relationship in IDENTIFIER_RELATIONSHIPS:
        kind = relationship.type
        left = _ids(connection, f"SELECT DISTINCT end_id FROM old_{kind} ANTI JOIN {kind} USING (end_id) ORDER BY 1")
        remove_unreferenced(driver, relationship.end, left, done)


def remove_unreferenced(driver: Driver, node: Node, ids: list[str], done: Written) -> None:
    """Delete those of the identifiers at which nothing ends any more, and the subnets that they alone were in."""
    subnets: list[str] = []
    in_subnet = RELATIONSHIPS_BY_TYPE["IN_SUBNET"]
    for begin in range(0, len(ids), WRITE_PAGE):
        keys = ids[begin : begin + WRITE_PAGE]
        if node is in_subnet.start:
            reached = read_columns(
                driver, cypher.read_relationships(in_subnet, ()), keys, relationship_schema(in_subnet)
            )
            subnets += {subnet for table in reached for subnet in table["end_id"].to_pylist()}
        [record] = run(driver, cypher.delete_unreferenced(node), keys=keys)
        if record["n"]:
            done.removed[node.label] = done.removed.get(node.label, 0) + record["n"]
    if subnets:
        remove_unreferenced(driver, in_subnet.end, sorted(set(subnets)), done)


def retire(driver: Driver, cutoff: date, done: Written) -> None:
    """Delete relationships last seen before the cutoff day, and identifiers that nobody used since."""
    cutoff_us = (cutoff - date(1970, 1, 1)).days * 86_400_000_000
    for relationship in RELATIONSHIPS:
        if not relationship.is_dated:
            continue
        query = cypher.retire_relationships(relationship)
        while True:
            [record] = run(driver, query, cutoff=cutoff_us, page_size=WRITE_PAGE)
            if not record["id"]:
                break
            done.retired[relationship.type] = done.retired.get(relationship.type, 0) + len(record["id"])
            if relationship.end is not ACCOUNT:
                remove_unreferenced(driver, relationship.end, sorted(set(record["id"])), done)


# Write ----------------------------------------------------------------------------------------------


def _changed_nodes(driver: Driver, connection: Connection, node: Node, is_empty: bool) -> pa.Table:
    schema = full_node_schema(node)
    ids = [] if is_empty else _ids(connection, f"SELECT id FROM {node.label} ORDER BY 1")
    pages = list(read_columns(driver, cypher.read_nodes(node, node.properties), ids, schema))
    connection.register("old_nodes", pa.concat_tables(pages) if pages else schema.empty_table())
    # An identifier that only a removed relationship used is described anew if it stands, never made again.
    stands = "" if node is ACCOUNT else f"WHERE id IN ({reached_ids(node)} UNION SELECT id FROM old_nodes)"
    columns = ", ".join(schema.names)
    return connection.sql(
        f"SELECT {columns} FROM {node.label} {stands} EXCEPT SELECT {columns} FROM old_nodes ORDER BY id"
    ).to_arrow_table()


def _changed_relationships(connection: Connection, relationship: Relationship) -> Iterator[tuple[str, str, pa.Table]]:
    """Type, query and rows of those that do not stand yet, which need no looking for, and of those that do."""
    kind, columns = relationship.type, ", ".join(relationship_schema(relationship).names)
    changed = f"SELECT {columns} FROM {kind} EXCEPT SELECT {columns} FROM old_{kind}"
    # What starts at a touched account was read, all of it. Of addresses it was not, where the graph has no account.
    stands = f"(start_id, end_id) IN (SELECT (start_id, end_id) FROM old_{kind})"
    create, merge = cypher.create_relationships(relationship), cypher.merge_relationships(relationship)
    for query, which in ((create if relationship.start is ACCOUNT else merge, f"NOT {stands}"), (merge, stands)):
        sql = f"FROM ({changed}) WHERE {which} ORDER BY start_id, end_id"
        yield kind, query, connection.sql(sql).to_arrow_table()


def _ids(connection: Connection, sql: str) -> list[str]:
    return [row[0] for row in connection.execute(sql).fetchall()]
