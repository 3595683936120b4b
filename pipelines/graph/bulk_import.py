"""Fill an empty graph by one import: Neo4j's offline import, from the tables that the ledger gives.

It takes 100,000 records a second and more where transactions take a tenth, but the server has to pause for it, and half
a minute goes by before the first record. So it is for a server that is ours, holds nothing yet, and is to hold much.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from neo4j import Driver

from ringwatch.graph_schema.graph import NODES, RELATIONSHIPS
from ringwatch.graph_schema.signals import Kind
from ringwatch.graph_schema.vocabulary import Property
from ringwatch.pipelines.common.metering import metered
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.sql import Connection
from ringwatch.pipelines.graph.client import migrate, run
from ringwatch.pipelines.graph.embedded import embedded_neo4j
from ringwatch.pipelines.graph.mirror import GraphCopy
from ringwatch.pipelines.ledger.store import Ledger

WORTH_RECORDS = 500_000  # below, transactions are done before the server would be up again
_KINDS = {Kind.TIMESTAMP: "datetime", Kind.INTEGER: "long", Kind.NUMBER: "double", Kind.FLAG: "boolean"}


def can_import(settings: Settings, driver: Driver, connection: Connection) -> bool:
    """Whether the server is ours, holds nothing, and the tables in the connection hold enough."""
    if settings.neo4j_uri is not None or sum(count_records(connection).values()) < WORTH_RECORDS:
        return False
    return not run(driver, "MATCH (n) WHERE NOT n:SchemaMigration RETURN 1 AS one LIMIT 1")


def count_records(connection: Connection) -> dict[str, int]:
    """Rows of every table, by label and type."""
    names = [*(node.label for node in NODES), *(relationship.type for relationship in RELATIONSHIPS)]
    return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in names}


def import_graph(settings: Settings, driver: Driver, connection: Connection, ledger: Ledger) -> dict[str, int]:
    """Put the tables of a whole graph into the server's database, and into the copy beside the ledger.

    Args:
        settings: whose server; it is stopped and started again, and the driver stays good.
        driver: to it.
        connection: has a table for each label and type.
        ledger: whose copy of the graph is replaced.

    Returns:
        Records imported, by label and type.
    """
    folder = ledger.folder / "import"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    counts = count_records(connection)
    try:
        sources = _write_sources(connection, folder)
        with metered("offline import") as meter:
            embedded_neo4j().import_database(settings, "--input-type=parquet", *sources)
            meter.rows = sum(counts.values())
    finally:
        shutil.rmtree(folder)
    run(driver, "RETURN 1")  # its connections ended with the server: this is tried again until there is a new one
    with metered("constraints"):
        migrate(driver)
        run(driver, "CALL db.awaitIndexes(3600)")
    GraphCopy(ledger).replace(_sorted_tables(connection))
    return counts


def _write_sources(connection: Connection, folder: Path) -> list[str]:
    """Write a file a label and type, columns named as the tool wants them; returns the options that name the files."""
    sources = []
    for node in NODES:
        columns = [f'id AS "{node.key}:ID({node.label})"', *map(_column, node.properties)]
        sources.append(f"--nodes={node.label}={_write(connection, folder, node.label, columns)}")
    for relationship in RELATIONSHIPS:
        ends = [
            f'start_id AS ":START_ID({relationship.start.label})"',
            f'end_id AS ":END_ID({relationship.end.label})"',
        ]
        columns = [*ends, *map(_column, relationship.properties)]
        sources.append(f"--relationships={relationship.type}={_write(connection, folder, relationship.type, columns)}")
    return sources


def _column(property: Property) -> str:
    value = property.name
    if property.kind is Kind.TIMESTAMP:
        value = f"strftime({value}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f'{value} AS "{property.name}:{_KINDS.get(property.kind, "string")}"'


def _write(connection: Connection, folder: Path, name: str, columns: list[str]) -> Path:
    file = folder / f"{name}.parquet"
    path = str(file).replace("'", "''")
    connection.execute(f"COPY (SELECT {', '.join(columns)} FROM {name}) TO '{path}' (FORMAT parquet)")
    return file


def _sorted_tables(connection: Connection) -> Iterator[tuple[str, pa.Table]]:
    """The tables by name, one after the other, in a snapshot's order."""
    for node in NODES:
        yield node.label, connection.sql(f"FROM {node.label} ORDER BY id").to_arrow_table()
    for relationship in RELATIONSHIPS:
        yield relationship.type, connection.sql(f"FROM {relationship.type} ORDER BY start_id, end_id").to_arrow_table()
