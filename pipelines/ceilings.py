"""What the graph's server can do at most, and what it does the way that tutorials do: figures to hold a step against.

Each is measured on relationships and nodes of the night that stands in the graph, in the run that the steps are
measured in. It leaves records of its own behind, so it is for graphs that are thrown away.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
from neo4j import Driver

from graph_schema import cypher
from graph_schema.graph import RELATIONSHIPS_BY_TYPE
from graph_schema.layout import relationship_schema
from models.snapshot import Snapshot
from pipelines.graph_load import Say
from pipelines.neo4j_client import run, to_table, write_table

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
        read: relationships read with five properties, as lists in one record.
        merge_rows: relationships by a loop of MERGE over row maps, as most tutorials write.
        read_rows: relationships read a record each.
    """

    create_nodes: float
    create_relationships: float
    set_properties: float
    read: float
    merge_rows: float
    read_rows: float


def measure_ceilings(driver: Driver, snapshot: Snapshot, say: Say) -> Ceilings:
    """Measure all of them, with the night of a snapshot in the graph."""
    accounts = snapshot.accounts.select(["id", "created_at"]).slice(0, _MOST)
    used = snapshot.relationships["USED_IP"].slice(0, _MOST)
    bare = replace(_USED_IP, type="BENCHMARK_USED_IP")
    create = cypher.merge_relationships(bare).replace("MERGE", "CREATE")
    say("measuring the server's ceilings")
    return Ceilings(
        create_nodes=_rate(lambda: write_table(driver, _CREATE_NODES, accounts)),
        create_relationships=_rate(lambda: write_table(driver, create, used)),
        set_properties=_rate(lambda: write_table(driver, _SET, accounts.select(["id"]))),
        read=_rate(lambda: _read(driver, used.num_rows)),
        merge_rows=_rate(lambda: _merge_rows(driver, used.slice(0, _MOST_BY_ROW))),
        read_rows=_rate(lambda: len(run(driver, _READ_ROWS, n=min(used.num_rows, _MOST_BY_ROW)))),
    )


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
