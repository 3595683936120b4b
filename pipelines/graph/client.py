"""The way to Neo4j: one connection, one columnar write path, one columnar read path, migrations.

Writes are retried by the driver, for transient faults only (its managed transactions do just that).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from neo4j import Driver, GraphDatabase, ManagedTransaction
from neo4j.exceptions import AuthError, DriverError, ServiceUnavailable

from ringwatch.graph_schema.migrations import MIGRATIONS, Migration
from ringwatch.graph_schema.signals import Kind
from ringwatch.pipelines.common.errors import Neo4jUnreachableError, RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.embedded import embedded_neo4j

WRITE_PAGE = 20_000  # records in one transaction: larger gains nothing and holds memory in the server
READ_PAGE = 5_000  # nodes whose relationships come back in one record
_SEEN_MIGRATIONS = "MATCH (m:SchemaMigration) RETURN m.number AS number, m.digest AS digest"


@contextmanager
def connect(settings: Settings, *, migrates: bool = True) -> Iterator[Driver]:
    """A driver to the Neo4j of the settings, proven to answer and migrated to the newest schema.

    Args:
        settings: where it is.
        migrates: False leaves the database as it is, for who only looks.

    Raises:
        Neo4jUnreachableError: no server answers there, or it refuses the credentials.
    """
    uri, user, password = credentials(settings)
    # Its notices are for people who write queries by hand.
    driver = GraphDatabase.driver(uri, auth=(user, password), notifications_min_severity="OFF")
    try:
        try:
            driver.verify_connectivity()
        except AuthError as error:
            raise Neo4jUnreachableError(
                f"Neo4j at {uri} refuses user {user}: check RINGWATCH_NEO4J_USER and RINGWATCH_NEO4J_PASSWORD_FILE."
            ) from error
        except (ServiceUnavailable, DriverError, OSError, ValueError) as error:
            raise Neo4jUnreachableError(
                f"no Neo4j answers at {uri}: start it (`ringwatch neo4j start`) or mend RINGWATCH_NEO4J_URI."
            ) from error
        if migrates:
            migrate(driver)
        yield driver
    finally:
        driver.close()


def credentials(settings: Settings) -> tuple[str, str, str]:
    """Uri, user and password of the Neo4j of the settings.

    Raises:
        Neo4jUnreachableError: the embedded one does not run.
        RingwatchError: the password cannot be read.
    """
    if settings.neo4j_uri is None:
        embedded = embedded_neo4j().status(settings)
        if not embedded.running or embedded.uri is None:
            raise Neo4jUnreachableError(
                "the embedded Neo4j is not running: start it with `ringwatch neo4j start`,"
                " or set RINGWATCH_NEO4J_URI to one elsewhere."
            )
        return embedded.uri, embedded.user, _password(embedded.password_file)
    if settings.neo4j_password_file is None:
        raise RingwatchError(
            f"RINGWATCH_NEO4J_URI is {settings.neo4j_uri} but there is no password:"
            " set RINGWATCH_NEO4J_PASSWORD_FILE to a file that holds it."
        )
    return settings.neo4j_uri, settings.neo4j_user, _password(settings.neo4j_password_file)


def _password(path: Any) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError as error:
        raise RingwatchError(
            f"the password file {path} cannot be read ({error.strerror}): mend RINGWATCH_NEO4J_PASSWORD_FILE."
        ) from error


def pending_migrations(driver: Driver) -> list[Migration]:
    """The migrations that the database has not seen as they are now, in order."""
    with driver.session() as session:
        seen = {record["number"]: record["digest"] for record in session.run(_SEEN_MIGRATIONS)}
    return [migration for migration in MIGRATIONS if seen.get(migration.number) != migration.digest]


def migrate(driver: Driver) -> list[int]:
    """Apply the pending migrations in order; returns their numbers."""
    pending = pending_migrations(driver)
    with driver.session() as session:
        for migration in pending:
            for statement in migration.statements:
                session.run(statement).consume()
            session.run(
                "MERGE (m:SchemaMigration {number: $number})"
                " SET m.name = $name, m.digest = $digest, m.applied_at = $applied_at",
                number=migration.number,
                name=migration.name,
                digest=migration.digest,
                applied_at=datetime.now(UTC),
            ).consume()
    return [migration.number for migration in pending]


def write_table(driver: Driver, query: str, table: pa.Table, **constants: Any) -> int:
    """Write a table's rows by a query of parallel lists, one list a column; returns the number of rows."""
    n_rows: int = table.num_rows
    with driver.session() as session:
        for begin in range(0, n_rows, WRITE_PAGE):
            columns = to_lists(table.slice(begin, WRITE_PAGE))
            session.execute_write(_consume, query, {**columns, **constants})
    return n_rows


def read_columns(driver: Driver, query: str, keys: Sequence[str], schema: pa.Schema) -> Iterator[pa.Table]:
    """Read, page by page of keys, what a query of parallel lists returns."""
    with driver.session() as session:
        for begin in range(0, len(keys), READ_PAGE):
            record = session.execute_read(_single, query, {"keys": keys[begin : begin + READ_PAGE]})
            yield to_table(record, schema)


def run(driver: Driver, query: str, **parameters: Any) -> list[dict[str, Any]]:
    """Run one small query in a transaction of its own; returns its records."""
    with driver.session() as session:
        records: list[dict[str, Any]] = session.execute_write(_records, query, parameters)
    return records


def run_in_batches(driver: Driver, query: str, **parameters: Any) -> None:
    """Run a query that makes transactions of its own (CALL … IN TRANSACTIONS), and that can be run again as it is."""
    with driver.session() as session:
        session.run(query, parameters).consume()


def to_lists(table: pa.Table) -> dict[str, list[Any]]:
    """Columns as the lists that travel: times become whole microseconds."""
    return {
        name: (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def to_table(record: Mapping[str, list[Any]], schema: pa.Schema) -> pa.Table:
    """The reverse of `to_lists`."""
    arrays = []
    for field in schema:
        if field.type == Kind.TIMESTAMP.arrow_type:
            arrays.append(pa.array(record[field.name], pa.int64()).cast(field.type))
        else:
            arrays.append(pa.array(record[field.name], field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def _consume(transaction: ManagedTransaction, query: str, parameters: dict[str, Any]) -> None:
    transaction.run(query, parameters).consume()


def _single(transaction: ManagedTransaction, query: str, parameters: dict[str, Any]) -> dict[str, list[Any]]:
    record = transaction.run(query, parameters).single(strict=True)
    return record.data()


def _records(transaction: ManagedTransaction, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    return transaction.run(query, parameters).data()
