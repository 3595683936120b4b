"""What the graph's server can do at most, and what it does the way that tutorials do: figures to hold a step against.

Each is measured on relationships and nodes of the night that stands in the graph, in the run that the steps are
measured in. It leaves records of its own behind, so it is for graphs that are thrown away.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from neo4j import Driver

from ringwatch.graph_schema import cypher
from ringwatch.graph_schema.graph import NODES, RELATIONSHIPS, RELATIONSHIPS_BY_TYPE
from ringwatch.graph_schema.layout import full_node_schema, relationship_schema
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.pipelines.graph.client import read_columns, run, to_table, write_table

_log = logging.getLogger(__name__)

_MOST = 300_000  # records that a ceiling is measured on
_MOST_BY_ROW = 30_000  # and what goes row by row
_ROWS_A_BATCH = 1_000  # as in most tutorials
_USED_IP = RELATIONSHIPS_BY_TYPE["USED_IP"]
_CREATE_NODES = "UNWIND range(0, size($id) - 1) AS i CREATE (:BenchmarkNode {id: $id[i], at: $created_at[i]})"
_SET = (
    "UNWIND range(0, size($id) - 1) AS i MATCH (a:Account {account_id: $id[i]})"
    " SET a.b1 = 0.5, a.b2 = 'clear', a.b3 = 'ring', a.b4 = ['why'], a.b5 = 'model', a.b6 = 'run', a.b7 = 1"
)
_READ = (
    "MATCH (a:Account)-[r:USED_IP]->(b:IpAddress) WITH a, r, b LIMIT $n RETURN collect(a.account_id) AS start_id,"
    " collect(b.ip) AS end_id, collect(r.first_seen_at.epochSeconds * 1000000) AS first_seen_at,"
    " collect(r.last_seen_at.epochSeconds * 1000000) AS last_seen_at, collect(r.n_events) AS n_events,"
    " collect(r.n_days) AS n_days, collect(r.signup) AS signup"
)
_MERGE_ROWS = """
UNWIND $rows AS row MERGE (a:BenchmarkStart {id: row.start_id}) MERGE (b:BenchmarkEnd {id: row.end_id})
MERGE (a)-[r:BENCHMARK_ROW]->(b) SET r += row.properties
"""
_READ_ROWS = (
    "MATCH (a:Account)-[r:USED_IP]->(b:IpAddress) WITH a, r, b LIMIT $n"
    " RETURN a.account_id AS start_id, b.ip AS end_id,"
    " r.first_seen_at AS first_seen_at, r.last_seen_at AS last_seen_at, r.n_events AS n_events, r.n_days AS n_days"
)


@dataclass(frozen=True)
class Ceilings:
    """Records a second.

    Attributes:
        create_nodes: nodes created by parallel lists, of a key and a property.
        create_relationships: relationships created by parallel lists between nodes found by key.
        set_properties: nodes found by key of which seven properties are set by parallel lists.
        create_alike: nodes and relationships created by parallel lists, of each kind as many as a night wrote.
        read: relationships read with five properties, as lists in one record.
        merge_rows: relationships by a loop of MERGE over row maps, as most tutorials write.
        read_rows: relationships read a record each.
    """

    create_nodes: float
    create_relationships: float
    set_properties: float
    create_alike: float
    read: float
    merge_rows: float
    read_rows: float


def measure_ceilings(driver: Driver, snapshot: Snapshot, written: Mapping[str, int]) -> Ceilings:
    """Measure all of them.

    Args:
        driver: to the graph.
        snapshot: the night that stands in the graph.
        written: nodes and relationships that the night wrote, by label or type.
    """
    accounts = snapshot.accounts.select(["id", "created_at"]).slice(0, _MOST)
    used = snapshot.relationships["USED_IP"].slice(0, _MOST)
    bare = replace(_USED_IP, type="BENCHMARK_USED_IP")
    create, alike = cypher.create_relationships(bare), _records_alike(driver, snapshot, written)
    _log.info("measuring the server's ceilings")
    _create_all(driver, alike)  # once before, for Neo4j had compiled the queries of the night, too
    return Ceilings(
        create_nodes=_rate(lambda: write_table(driver, _CREATE_NODES, accounts)),
        create_relationships=_rate(lambda: write_table(driver, create, used)),
        set_properties=_rate(lambda: write_table(driver, _SET, accounts.select(["id"]))),
        create_alike=_rate(lambda: _create_all(driver, alike)),
        read=_rate(lambda: _read(driver, used.num_rows)),
        merge_rows=_rate(lambda: _merge_rows(driver, used.slice(0, _MOST_BY_ROW))),
        read_rows=_rate(lambda: len(run(driver, _READ_ROWS, n=min(used.num_rows, _MOST_BY_ROW)))),
    )


def _records_alike(driver: Driver, snapshot: Snapshot, written: Mapping[str, int]) -> list[tuple[str, pa.Table]]:
    """Queries that create as many records of each kind, with the same properties, and tables of what they create."""
    alike = []
    for node in NODES:
        ids = _spread(snapshot.nodes[node.label].select(["id"]), written.get(node.label, 0))["id"].to_pylist()
        schema = full_node_schema(node)
        found = [schema.empty_table(), *read_columns(driver, cypher.read_nodes(node, node.properties), ids, schema)]
        query = cypher.create_nodes(replace(node, label=f"Benchmark{node.label}"))
        alike.append((query, pa.concat_tables(found)))
    for relationship in RELATIONSHIPS:
        kind = relationship.type
        query = cypher.create_relationships(replace(relationship, type=f"BENCHMARK_{kind}"))
        alike.append((query, _spread(snapshot.relationships[kind], written.get(kind, 0))))
    return alike


def _spread(table: pa.Table, n: int) -> pa.Table:
    """So many rows, from all over a table, as a night's accounts are from all over."""
    return table.take(np.linspace(0, table.num_rows - 1, min(n, table.num_rows)).astype(np.int64))


def _create_all(driver: Driver, alike: list[tuple[str, pa.Table]]) -> int:
    return sum(write_table(driver, query, table) for query, table in alike)


def _rate(do: Callable[[], int]) -> float:
    began = time.monotonic()
    n = do()
    return n / (time.monotonic() - began)


def _read(driver: Driver, n: int) -> int:
    [record] = run(driver, _READ, n=n)
    return int(to_table(record, relationship_schema(_USED_IP)).num_rows)


def _merge_rows(driver: Driver, used: pa.Table) -> int:
    for label in ("BenchmarkStart", "BenchmarkEnd"):
        run(driver, f"CREATE INDEX {label} IF NOT EXISTS FOR (n:{label}) ON (n.id)")
    run(driver, "CALL db.awaitIndexes()")
    for rows in _batches(used):
        run(driver, _MERGE_ROWS, rows=rows)
    return int(used.num_rows)


def _batches(used: pa.Table) -> Iterator[list[dict[str, object]]]:
    for begin in range(0, used.num_rows, _ROWS_A_BATCH):
        yield [
            {"start_id": row.pop("start_id"), "end_id": row.pop("end_id"), "properties": row}
            for row in used.slice(begin, _ROWS_A_BATCH).to_pylist()
        ]
