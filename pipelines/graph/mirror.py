"""A copy of the graph as tables, kept beside the ledger: a snapshot is made of it and need not read the graph again.

LEDGER/graph/{nodes,relationships}/     by the snapshot's layout, as of some load
LEDGER/behind.parquet                   accounts that loads have touched since

A load notes whom it touches before it changes anything, so `behind` may name too many but never too few. Whoever wants
the copy has the part of those accounts computed anew from the ledger, by the SQL that the load itself wrote the graph
with; the rest is the same by construction. Hands that change the graph are told by its counts, which Neo4j keeps.
"""

import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from neo4j import Driver

from ringwatch.graph_schema import cypher
from ringwatch.graph_schema.graph import ACCOUNT, NODES, RELATIONSHIPS, RELATIONSHIPS_BY_TYPE
from ringwatch.graph_schema.layout import node_schema, relationship_schema
from ringwatch.graph_schema.vocabulary import Relationship
from ringwatch.models.common.atomic_folder import replace_folder
from ringwatch.models.data.snapshot import conform, link_graph_tables
from ringwatch.pipelines.common.sql import Connection
from ringwatch.pipelines.graph.client import run
from ringwatch.pipelines.ledger import in_force
from ringwatch.pipelines.ledger.store import UNWRITTEN_SCHEMA, Ledger
from ringwatch.pipelines.ledger.tables import IDENTIFIERS, create_accounts, create_relationships, describe_identifiers

Tables = dict[str, pa.Table]
_BEHIND = "behind"


class GraphCopy:
    """The copy of one installation. Changing it wants the writer lock."""

    def __init__(self, ledger: Ledger) -> None:
        """Open it; there need not be one yet."""
        self._ledger = ledger
        self.folder = ledger.folder / "graph"

    @property
    def exists(self) -> bool:
        """Whether there is one, of the graph as it is declared now."""
        return all(
            _file(self.folder, name).is_file() and pq.read_schema(_file(self.folder, name)).names == schema.names
            for name, schema in _SCHEMAS.items()
        )

    def note(self, touched: pa.Table) -> None:
        """Note accounts (UNWRITTEN_SCHEMA) whose part of the graph is about to change."""
        if not self.exists:
            shutil.rmtree(self.folder, ignore_errors=True)  # of another declaration: what it misses is noted nowhere
        else:
            known = pa.concat_tables([self._ledger.read_state(_BEHIND, UNWRITTEN_SCHEMA), touched])
            self._ledger.write_state(_BEHIND, known.group_by("account_id").aggregate([]))

    def is_behind(self) -> bool:
        """Whether accounts have changed since."""
        return bool(self._ledger.read_state(_BEHIND, UNWRITTEN_SCHEMA).num_rows)

    def replace_by(self, snapshot: Path) -> None:
        """Take over the nodes and relationships of a snapshot's folder, which is that of the ledger as it is."""
        partial = self._emptied()
        link_graph_tables(snapshot, partial)
        self._put_in_place(partial)

    def replace(self, tables: Iterable[tuple[str, pa.Table]]) -> None:
        """Replace it whole by tables, named by label or type, that come one after the other."""
        partial = self._emptied()
        for name, table in tables:
            file = _file(partial, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(conform(table, _SCHEMAS[name]), file)
        self._put_in_place(partial)

    def _emptied(self) -> Path:
        partial = self.folder.with_name(".graph.partial")
        shutil.rmtree(partial, ignore_errors=True)
        return partial

    def _put_in_place(self, partial: Path) -> None:
        replace_folder(partial, self.folder)
        # Last: as long as it names accounts, their part is computed anew, which never harms.
        self._ledger.write_state(_BEHIND, UNWRITTEN_SCHEMA.empty_table())

    def _read(self) -> tuple[Tables, Tables]:
        tables = {name: pq.read_table(_file(self.folder, name), partitioning=None) for name in _SCHEMAS}
        return {n.label: tables[n.label] for n in NODES}, {r.type: tables[r.type] for r in RELATIONSHIPS}

    def as_of(self, night: date, *, held_days: int, seen_since: date | None) -> tuple[Tables, Tables]:
        """Nodes by label and relationships by type, computed anew for the accounts touched since.

        Args:
            night: the newest that is loaded.
            held_days: how long rows may have waited for their account.
            seen_since: relationships last seen before this day are left out.
        """
        if not self.is_behind():
            return self._read()
        with self._ledger.query(upto=night) as connection:
            connection.register("touched", self._ledger.read_state(_BEHIND, UNWRITTEN_SCHEMA))
            in_force.create_known_accounts(connection)
            in_force.create_views(connection, held_days=held_days, only="account_id IN (FROM touched)")
            create_relationships(connection, seen_since=seen_since)
            create_accounts(connection)
            for relationship in RELATIONSHIPS:
                changed = _changed_starts(relationship)
                connection.execute(
                    f"CREATE TEMP TABLE old_{relationship.type} AS SELECT start_id, end_id"
                    f" FROM {self._sql(relationship.type)} WHERE start_id IN ({changed})"
                )
            describe_identifiers(connection, held_days=held_days)
            return self._merged(connection, seen_since)

    def _merged(self, connection: Connection, seen_since: date | None) -> tuple[Tables, Tables]:
        """Old rows but those that are computed anew, and the new ones; identifiers that nobody uses are left out."""
        accounts = self._merge(connection, ACCOUNT.label, "id NOT IN (FROM touched)", "true")
        nodes, relationships = {ACCOUNT.label: accounts}, Tables()
        for relationship in RELATIONSHIPS:
            kept, both = f"start_id NOT IN ({_changed_starts(relationship)})", "true"
            if relationship.is_dated and seen_since:
                kept += f" AND last_seen_at >= TIMESTAMPTZ '{seen_since} 00:00:00+00'"
            if relationship.start is not ACCOUNT:
                both = f"start_id IN ({_reached(relationship.start.label)})"
            table = self._merge(connection, relationship.type, kept, both)
            connection.register(f"merged_{relationship.type}", table)
            relationships[relationship.type] = table
        for node in IDENTIFIERS:
            kept, both = f"id NOT IN (FROM ids_{node.label})", f"id IN ({_reached(node.label)})"
            nodes[node.label] = self._merge(connection, node.label, kept, both)
        return nodes, relationships

    def _merge(self, connection: Connection, name: str, kept: str, both: str) -> pa.Table:
        names = _SCHEMAS[name].names
        columns, order = ", ".join(names), "id" if "id" in names else "start_id, end_id"
        return connection.sql(
            f"FROM (SELECT {columns} FROM {self._sql(name)} WHERE {kept} UNION ALL SELECT {columns} FROM {name})"
            f" WHERE {both} ORDER BY {order}"
        ).to_arrow_table()

    def _sql(self, name: str) -> str:
        path = str(_file(self.folder, name)).replace("'", "''")
        return f"read_parquet('{path}', hive_partitioning = false)"


_SCHEMAS = {node.label: node_schema(node) for node in NODES} | {r.type: relationship_schema(r) for r in RELATIONSHIPS}


def _file(folder: Path, name: str) -> Path:
    return folder / ("relationships" if name in RELATIONSHIPS_BY_TYPE else "nodes") / f"{name}.parquet"


def graph_counts(driver: Driver) -> dict[str, int]:
    """Nodes by label and relationships by type in Neo4j, which keeps their number and need not count."""
    return {record["name"]: record["n"] for record in run(driver, cypher.count_all())}


def _changed_starts(relationship: Relationship) -> str:
    """SQL of the ids at which relationships start that were computed anew."""
    return "FROM touched" if relationship.start is ACCOUNT else f"SELECT start_id FROM {relationship.type}"


def _reached(label: str) -> str:
    """SQL of the identifiers of a kind at which relationships end, all accounts' together."""
    return " UNION ".join(f"SELECT end_id FROM merged_{r.type}" for r in RELATIONSHIPS if r.end.label == label)
