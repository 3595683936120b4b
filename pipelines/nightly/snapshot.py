"""Take the snapshot of a night: the graph as of its end, with the labels known by then.

The newest night stands in Neo4j. It is read from there, or taken from the copy kept beside the ledger, as long as
the two have as many nodes and relationships of each kind. An older night stands nowhere any more: it is computed from
the ledger, of which the graph is a function. All three give the same bytes (tests compare them).
"""

import hashlib
import logging
from datetime import date

import pyarrow as pa
from neo4j import Driver

from ringwatch.graph_schema import cypher
from ringwatch.graph_schema.graph import NODES, RELATIONSHIPS
from ringwatch.graph_schema.layout import node_schema, relationship_schema, snapshot_properties
from ringwatch.models.data.snapshot import Snapshot, counts_of, make_snapshot, write_snapshot
from ringwatch.pipelines.common.errors import NothingToLoadError
from ringwatch.pipelines.common.metering import metered
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.decisions.labels import known_labels
from ringwatch.pipelines.graph.client import READ_PAGE, read_columns, run
from ringwatch.pipelines.graph.load import seen_since
from ringwatch.pipelines.graph.mirror import GraphCopy, graph_counts
from ringwatch.pipelines.ledger import in_force
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.ledger.tables import create_accounts, create_identifiers, create_relationships

_log = logging.getLogger(__name__)


def take_snapshot(settings: Settings, driver: Driver, night: date) -> Snapshot:
    """Take and keep the snapshot of a night.

    Raises:
        NothingToLoadError: the night has not been loaded.
    """
    ledger = Ledger(settings)
    nights = ledger.nights()
    if night not in nights:
        loaded = f"the nights loaded are {nights[0]} to {nights[-1]}" if nights else "no night has been loaded"
        raise NothingToLoadError(f"{night} cannot be detected, for {loaded}: load it first (`ringwatch load`).")
    with metered("snapshot") as meter:
        if night == nights[-1]:
            snapshot = _take_newest(settings, driver, night)
        else:
            _log.info("computing the graph of %s from the ledger, for later nights are loaded", night)
            snapshot = compute_snapshot(settings, night)
            write_snapshot(snapshot, settings.snapshots_dir / f"date={night}")
        meter.rows = sum(counts_of(snapshot).values())
    return snapshot


def _take_newest(settings: Settings, driver: Driver, night: date) -> Snapshot:
    ledger = Ledger(settings)
    copy, labels = GraphCopy(ledger), _known_labels(settings, ledger, night)
    folder, is_current = settings.snapshots_dir / f"date={night}", copy.exists and not copy.is_behind()
    snapshot = _from_copy(settings, driver, copy, night, labels) if copy.exists else None
    if snapshot is None:
        snapshot, is_current = _from_graph(driver, night, labels), False
    write_snapshot(snapshot, folder, written=copy.folder if is_current else None)
    if not is_current:
        copy.replace_by(folder)
    return snapshot


def _from_copy(settings: Settings, driver: Driver, copy: GraphCopy, night: date, labels: pa.Table) -> Snapshot | None:
    """None where the graph has other counts than its copy."""
    _log.info("taking the graph from its copy")
    cutoff = seen_since(settings.retention_days, night)
    snapshot = make_snapshot(night, *copy.as_of(night, held_days=settings.held_days, seen_since=cutoff), labels)
    if graph_counts(driver).items() <= counts_of(snapshot).items():
        return snapshot
    _log.info("the graph is not what was loaded: other hands have changed it")
    return None


def _from_graph(driver: Driver, night: date, labels: pa.Table) -> Snapshot:
    _log.info("reading the graph from Neo4j")
    with metered("read graph") as meter:
        snapshot = make_snapshot(night, *_read_graph(driver), labels)
        meter.rows = sum(counts_of(snapshot).values())
    return snapshot


def _known_labels(settings: Settings, ledger: Ledger, night: date) -> pa.Table:
    with ledger.query(upto=night) as connection:
        in_force.create_known_accounts(connection)
        in_force.create_views(connection, held_days=settings.held_days, only={"labels": "true"})
        return known_labels(connection, ledger, night)


def compute_snapshot(settings: Settings, night: date) -> Snapshot:
    """The snapshot of a night from the ledger alone."""
    ledger = Ledger(settings)
    with ledger.query(upto=night) as connection:
        in_force.create_known_accounts(connection)
        in_force.create_views(connection, held_days=settings.held_days)
        labels = known_labels(connection, ledger, night)
        create_relationships(connection, seen_since=seen_since(settings.retention_days, night))
        create_accounts(connection)
        create_identifiers(connection)
        nodes = {node.label: connection.table(node.label).to_arrow_table() for node in NODES}
        relationships = {r.type: connection.table(r.type).to_arrow_table() for r in RELATIONSHIPS}
    return make_snapshot(night, nodes, relationships, labels)


def _read_graph(driver: Driver) -> tuple[dict[str, pa.Table], dict[str, pa.Table]]:
    keys = {node.label: _read_keys(driver, cypher.read_keys(node)) for node in NODES}
    nodes, relationships = {}, {}
    for node in NODES:
        query = cypher.read_nodes(node, snapshot_properties(node))
        nodes[node.label] = _concat(read_columns(driver, query, keys[node.label], node_schema(node)), node_schema(node))
    for relationship in RELATIONSHIPS:
        query = cypher.read_relationships(relationship, snapshot_properties(relationship))
        schema = relationship_schema(relationship)
        pages = read_columns(driver, query, keys[relationship.start.label], schema)
        relationships[relationship.type] = _concat(pages, schema)
    return nodes, relationships


def _concat(pages: object, schema: pa.Schema) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *pages])  # type: ignore[misc]


def _read_keys(driver: Driver, query: str) -> list[str]:
    keys: list[str] = []
    while True:
        [record] = run(driver, query, after=keys[-1] if keys else "", page_size=READ_PAGE * 20)
        keys += record["id"]
        if len(record["id"]) < READ_PAGE * 20:
            return keys


def snapshot_digest(settings: Settings, night: date) -> str:
    """SHA-256 over a kept snapshot's files: what a run's id is a function of."""
    folder = settings.snapshots_dir / f"date={night}"
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.parquet")):
        digest.update(str(file.relative_to(folder)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
