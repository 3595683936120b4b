"""Any labelled table as a graph: one row an account, and columns whose equal values tie rows together."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch_geometric.data import HeteroData

from ringwatch.models.evaluation.public.public_tables import PublicTable, Split
from ringwatch.models.features.account import Columns
from ringwatch.models.training.splits import assign_folds
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.evaluation.benchmarks.public_tables import put_edges, table_graph

_MAX_LARGEST_SHARE = 0.5
_S_PER_DAY = 86_400.0


@dataclass(frozen=True)
class TableColumns:
    """What the columns of a table are.

    Attributes:
        label: 1 for a fake, 0 for a legitimate account, empty where it is not known.
        shared: whose equal values tie rows together; empty ties nobody.
        numbers: numbers of the account.
        times: of its acts; the days between them are numbers too, and those since an identifier's use before.
        categories: words; how frequent each is counts.
    """

    label: str
    shared: Sequence[str]
    numbers: Sequence[str] = ()
    times: Sequence[str] = ()
    categories: Sequence[str] = ()

    @property
    def every(self) -> list[str]:
        """All of them."""
        return [self.label, *self.shared, *self.numbers, *self.times, *self.categories]


def read_table(file: Path, columns: TableColumns, *, n_folds: int, seed: int) -> PublicTable:
    """A table with folds of whole components over what is shared: no two rows that are tied lie in different folds.

    Raises:
        RingwatchError: the file cannot be read, lacks a column, or its labels are not 0 and 1 with enough of each; or
            nearly all of it hangs together, so that it has no such folds.
    """
    rows = _read(file, columns)
    target = _labels(rows[columns.label], columns.label)
    times = {name: _seconds(rows[name], name) for name in columns.times}
    data = table_graph(_numbers(rows, columns, times))
    codes = {name: pd.factorize(rows[name])[0] for name in columns.shared}  # -1 where empty
    for name, code in codes.items():
        _put_shared(data, name, code, next(iter(times.values()), None))
    is_known, is_fake = target >= 0, target == 1
    component = _components(codes, len(rows))
    largest = np.bincount(component).max() / len(rows)
    if largest > _MAX_LARGEST_SHARE:
        raise RingwatchError(
            f"{largest:.0%} of the rows of {file} hang together over {', '.join(columns.shared)}: there are no folds of"
            " whole components. Leave out the column that nearly all share, or empty its frequent values."
        )
    fold = assign_folds(component, is_fake, n_folds=n_folds, seed=seed)
    splits = [Split(is_known & (fold != held), is_known & (fold == held)) for held in range(n_folds)]
    if not all(is_fake[split.is_test].any() and (~is_fake[split.is_test]).any() for split in splits):
        raise RingwatchError(
            f"{is_fake.sum()} fakes of {file} are in too few components for {n_folds} folds: give fewer --folds."
        )
    return PublicTable(data, is_fake, splits, {}, component)


def _read(file: Path, columns: TableColumns) -> pd.DataFrame:
    try:
        rows = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file, dtype=str)
    except (OSError, ValueError) as error:
        raise RingwatchError(f"{file} cannot be read as a table (.parquet, .csv or .csv.gz): {error}") from None
    missing = [name for name in columns.every if name not in rows.columns]
    if missing:
        raise RingwatchError(f"{file} lacks {', '.join(missing)}; its columns are {', '.join(rows.columns)}.")
    rows = rows.dropna(how="all").reset_index(drop=True)
    if rows.empty:
        raise RingwatchError(f"{file} has no rows.")
    return rows


def _labels(column: pd.Series, name: str) -> np.ndarray:
    """1 fake, 0 legitimate, -1 not known, `[n_rows] int8`."""
    values = pd.to_numeric(column, errors="coerce")
    is_odd = (values.isna() & column.notna()) | ~values.dropna().isin([0, 1]).reindex(values.index, fill_value=True)
    if is_odd.any():
        raise RingwatchError(f"{name} holds {column[is_odd].iloc[0]!r}: a label is 1, 0, or empty if not known.")
    return np.asarray(values.fillna(-1), dtype=np.int8)


def _seconds(column: pd.Series, name: str) -> np.ndarray:
    times = pd.to_datetime(column, errors="coerce", utc=True, format="mixed")
    if times.isna().all():
        raise RingwatchError(f"{name} holds no time that can be read, such as {column.dropna().iloc[:1].to_list()}.")
    seconds = times.dt.tz_localize(None).to_numpy().astype("datetime64[s]").astype(np.float64)
    return np.where(times.isna(), np.nan, seconds)


def _numbers(rows: pd.DataFrame, columns: TableColumns, times: dict[str, np.ndarray]) -> Columns:
    """Numbers of every row: its own, days between its times, how frequent its words and identifiers are."""
    values = {name: _number(rows[name], name) for name in columns.numbers}
    for one, other in combinations(times, 2):
        values[f"{other} after {one}"] = (times[other] - times[one]) / _S_PER_DAY
    for name in (*columns.categories, *columns.shared):
        values[f"n of {name}"] = rows[name].map(rows[name].value_counts()).to_numpy(np.float64)
    return Columns(tuple(values), np.column_stack(list(values.values())).astype(np.float32))


def _number(column: pd.Series, name: str) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce")
    if values.isna().all():
        raise RingwatchError(f"{name} holds no number: give a column of words as --category.")
    return np.asarray(values, dtype=np.float64)


def _put_shared(data: HeteroData, name: str, code: np.ndarray, seconds: np.ndarray | None) -> None:
    n_on = np.bincount(code[code >= 0], minlength=1)
    account = np.flatnonzero((code >= 0) & (n_on[code] > 1))
    _, identifier = np.unique(code[account], return_inverse=True)
    columns = {}
    if seconds is not None:
        order = np.lexsort((seconds[account], identifier))
        gap = np.full(order.size, np.nan)
        is_same = np.diff(identifier[order]) == 0
        gap[1:] = np.where(is_same, np.diff(seconds[account][order]), np.nan)
        columns["days_after_previous"] = np.empty(order.size)
        columns["days_after_previous"][order] = np.log1p(gap / _S_PER_DAY)
    data[name].x, data[name].inputs = torch.zeros(int(identifier.max(initial=-1)) + 1, 0), ()
    put_edges(data, name, f"SHARES_{name}", np.stack([identifier, account]), columns)


def _components(codes: dict[str, np.ndarray], n_rows: int) -> np.ndarray:
    """Component of every row over what is shared, `[n_rows] int64`."""
    n_nodes, starts, ends = n_rows, [], []
    for code in codes.values():
        account = np.flatnonzero(code >= 0)
        starts.append(account)
        ends.append(n_nodes + code[account])
        n_nodes += int(code.max(initial=-1)) + 1
    edges = (np.concatenate(starts), np.concatenate(ends))
    graph = coo_array((np.ones(edges[0].size, dtype=np.int8), edges), shape=(n_nodes, n_nodes))
    part = connected_components(graph, directed=False)[1][:n_rows]
    return np.asarray(np.unique(part, return_inverse=True)[1])
