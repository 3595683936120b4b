"""The graph as it stood at the end of one night, in memory: typed tables and the integer codes of their keys.

The layout is graph_schema's. Rows follow the sorted keys, so that an account's row number is its code everywhere.
"""

import datetime as dt
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringwatch.graph_schema.graph import ACCOUNT, NODES, RELATIONSHIPS, RELATIONSHIPS_BY_TYPE
from ringwatch.graph_schema.layout import LABELS_SCHEMA, node_schema, relationship_schema
from ringwatch.models.common.atomic_folder import replace_folder
from ringwatch.models.common.errors import SnapshotError

_KEYS = ("id", "start_id", "end_id", "account_id")


class Ends(NamedTuple):
    """Codes of the two ends of each relationship of a type: row numbers of the node tables, `[n_relationships]`."""

    start: np.ndarray
    end: np.ndarray


@dataclass(frozen=True)
class Snapshot:
    """One night's graph: every table of the layout is there, if only empty, and sorted by its keys."""

    date: dt.date
    nodes: dict[str, pa.Table]  # by label
    relationships: dict[str, pa.Table]  # by type
    labels: pa.Table

    @property
    def accounts(self) -> pa.Table:
        """Table of the accounts; scores and features follow its order."""
        return self.nodes[ACCOUNT.label]

    @property
    def n_accounts(self) -> int:
        """Number of accounts."""
        return int(self.accounts.num_rows)

    @property
    def end_of_day(self) -> np.datetime64:
        """The instant up to which the snapshot knows anything: midnight that ends its date, UTC."""
        return np.datetime64(self.date + dt.timedelta(days=1), "us")

    @cached_property
    def ends(self) -> dict[str, Ends]:
        """Integer codes of both ends of every relationship, by type."""
        return {type_: self._ends(type_) for type_ in self.relationships}

    def account_codes(self, account_ids: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """Row numbers of accounts, `[n]` int64; -1 for an account that the snapshot does not know."""
        return codes_of(account_ids, self.accounts["id"])

    def _ends(self, type_: str) -> Ends:
        relationship, table = RELATIONSHIPS_BY_TYPE[type_], self.relationships[type_]
        start = codes_of(table["start_id"], self.nodes[relationship.start.label]["id"])
        end = codes_of(table["end_id"], self.nodes[relationship.end.label]["id"])
        n_dangling = int(((start < 0) | (end < 0)).sum())
        if n_dangling:
            raise SnapshotError(
                f"snapshot of {self.date}: {n_dangling} rows of relationships/{type_}.parquet name a node"
                " that its node table lacks. Delete the folder and run `detect` for that date again."
            )
        return Ends(start, end)


def codes_of(ids: pa.Array | pa.ChunkedArray, keys: pa.ChunkedArray) -> np.ndarray:
    """Position of each id among the keys, `[n]` int64; -1 where it is not one of them."""
    found = pc.index_in(ids, value_set=keys.combine_chunks())
    return np.asarray(found.fill_null(-1).to_numpy()).astype(np.int64)


def make_snapshot(
    date: dt.date,
    nodes: Mapping[str, pa.Table | None],
    relationships: Mapping[str, pa.Table | None],
    labels: pa.Table | None = None,
) -> Snapshot:
    """A snapshot in the exact layout: tables not given are empty, columns are cast, rows sorted by key.

    Raises:
        SnapshotError: a table lacks a column of its schema, or a column cannot be cast.
    """
    return Snapshot(
        date=date,
        nodes={node.label: conform(nodes.get(node.label), node_schema(node)) for node in NODES},
        relationships={r.type: conform(relationships.get(r.type), relationship_schema(r)) for r in RELATIONSHIPS},
        labels=conform(labels, LABELS_SCHEMA),
    )


def read_snapshot(folder: Path) -> Snapshot:
    """The snapshot that `write_snapshot` left in a folder.

    Raises:
        SnapshotError: there is none, or a table cannot be read or differs from what snapshot.json says.
    """
    try:
        about = json.loads((folder / "snapshot.json").read_text())
        snapshot = make_snapshot(
            dt.date.fromisoformat(about["date"]),
            {node.label: _read(folder, "nodes", node.label) for node in NODES},
            {r.type: _read(folder, "relationships", r.type) for r in RELATIONSHIPS},
            _read(folder, ".", "labels"),
        )
    except FileNotFoundError:
        raise SnapshotError(f"{folder} holds no snapshot. Run `detect` for that date to make it.") from None
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise SnapshotError(f"cannot read the snapshot {folder}: {error}. Delete it and run `detect` again.") from None
    # A kind that was declared after the snapshot was taken has no rows in it.
    if dict.fromkeys(counts_of(snapshot), 0) | about.get("counts", {}) != counts_of(snapshot):
        raise SnapshotError(f"the tables in {folder} differ from its snapshot.json. Delete it and run `detect` again.")
    return snapshot


def write_snapshot(snapshot: Snapshot, folder: Path, *, written: Path | None = None) -> None:
    """Write a snapshot as a folder that appears whole; one already there is replaced.

    Args:
        snapshot: what to write.
        folder: where.
        written: a folder that holds the same nodes and relationships, written so before: their files are linked.
    """
    staging = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(staging, ignore_errors=True)
    if written is None:
        for kind, tables in (("nodes", snapshot.nodes), ("relationships", snapshot.relationships)):
            (staging / kind).mkdir(parents=True)
            for name, table in tables.items():
                pq.write_table(table, staging / kind / f"{name}.parquet")
    else:
        link_graph_tables(written, staging)
    pq.write_table(snapshot.labels, staging / "labels.parquet")
    about = {"date": snapshot.date.isoformat(), "counts": counts_of(snapshot)}
    (staging / "snapshot.json").write_text(json.dumps(about, indent=2) + "\n")
    replace_folder(staging, folder)


def link_graph_tables(source: Path, target: Path) -> None:
    """Let another folder hold the same files of nodes and relationships, without a second copy where that can be."""
    for kind in ("nodes", "relationships"):
        shutil.copytree(source / kind, target / kind, copy_function=_link, dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one that knows no links
        shutil.copyfile(source, target)


def counts_of(snapshot: Snapshot) -> dict[str, int]:
    """Rows of every table, by label, type, and `labels`."""
    tables = {**snapshot.nodes, **snapshot.relationships, "labels": snapshot.labels}
    return {name: table.num_rows for name, table in tables.items()}


def _read(folder: Path, kind: str, name: str) -> pa.Table | None:
    path = folder / kind / f"{name}.parquet"
    return pq.read_table(path) if path.exists() else None


def conform(table: pa.Table | None, schema: pa.Schema) -> pa.Table:
    """A table as the layout has it: its columns, cast, and rows sorted by the keys, which come first in each schema.

    Raises:
        SnapshotError: a column is missing.
    """
    if table is None:
        return schema.empty_table()
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise SnapshotError(f"a snapshot's table lacks {missing}; its columns are {table.column_names}.")
    cast = table.select(schema.names).cast(schema).combine_chunks()
    keys = [name for name in schema.names if name in _KEYS]
    return cast if _is_sorted(cast, keys) else cast.sort_by([(key, "ascending") for key in keys]).combine_chunks()


def _is_sorted(table: pa.Table, keys: list[str]) -> bool:
    """Whether rows come in the order of their keys: a look takes a tenth of the time that sorting does."""
    if table.num_rows < 2:
        return True
    is_tied = None  # rows that equal the one before in all keys so far
    for key in keys:
        column = table[key].combine_chunks()
        before, after = column[:-1], column[1:]
        is_wrong = pc.greater(before, after)
        if pc.any(is_wrong if is_tied is None else pc.and_(is_wrong, is_tied)).as_py():
            return False
        is_equal = pc.equal(before, after)
        is_tied = is_equal if is_tied is None else pc.and_(is_tied, is_equal)
    return True
