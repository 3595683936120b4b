"""What the models see of each account: its own activity, from one snapshot and nothing newer.

Columns follow from graph_schema's declaration, so a new signal brings its own. Left out on purpose: ids and anything
learnt per id (tomorrow's accounts are scored by what they touch), absolute times (all are relative to the snapshot's
night or the account's birth), and what chargebacks leave behind: labels are made from them, so their number, and the
net amount paid with an instrument, would hand the answer over. Events are counted without them for the same reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.graph import ACCOUNT, RELATIONSHIPS
from ringwatch.graph_schema.layout import snapshot_properties
from ringwatch.graph_schema.signals import Kind
from ringwatch.graph_schema.vocabulary import Node, Property, Relationship
from ringwatch.models.data.snapshot import Snapshot

# A word is one of the most frequent on training rows and not rare: a rare value would name people, not describe them.
_MAX_WORDS, _MIN_WORD_ROWS = 16, 20
_US_PER_DAY = 86_400e6
RECEIVED = ".received"  # in the names of columns of what others did to an account


@dataclass(frozen=True)
class Columns:
    """Named columns of numbers; NaN where nothing is known."""

    names: tuple[str, ...]
    values: np.ndarray  # [n_rows, n_columns] float32


Vocabulary = Mapping[str, tuple[str, ...]]  # words in use, by `Label.property`


def account_columns(snapshot: Snapshot) -> Columns:
    """Numbers of each account's own activity: `[n_accounts, n_features] float32`, log-scaled, NaN where unknown.

    For every relationship an account starts, or receives from another account: how many there are, the totals of its
    counts and amounts, and its first and last day.
    """
    born = _days_before_end(snapshot, snapshot.accounts["created_at"])
    columns = {"age_days": np.log1p(born)}
    for property in _numbers(ACCOUNT):
        columns[property.name] = _log(_numpy(snapshot.accounts[property.name]))
    for relationship in RELATIONSHIPS:
        if relationship.start is ACCOUNT:
            columns |= _activity(snapshot, relationship, born, received=False)
        if relationship.end is ACCOUNT:
            columns |= _activity(snapshot, relationship, born, received=True)
    return _stack(columns, snapshot.n_accounts)


def edge_columns(snapshot: Snapshot, relationship: Relationship) -> Columns:
    """Numbers of each relationship, `[n_relationships, n_columns] float32`, in the order of its table."""
    table, start = snapshot.relationships[relationship.type], snapshot.ends[relationship.type].start
    columns = {p.name: _log(_amounts(table, p)) for p in _numbers(relationship)}
    if relationship.is_dated:
        first = _days_before_end(snapshot, table["first_seen_at"])
        last = _days_before_end(snapshot, table["last_seen_at"])
        born = _days_before_end(snapshot, snapshot.accounts["created_at"])[start]
        columns |= {
            "since_last_days": np.log1p(last),
            "lasted_days": np.log1p(first - last),
            "started_after_birth_days": np.log1p(np.maximum(born - first, 0)),
            "co_use_gap_days": np.log1p(_gap_to_previous(snapshot.ends[relationship.type].end, first)),
        }
    for property in snapshot_properties(relationship.end):
        if property.kind is Kind.COUNTRY and relationship.start is ACCOUNT:
            abroad = pc.not_equal(
                snapshot.accounts["country"].take(pa.array(start)),
                snapshot.nodes[relationship.end.label][property.name].take(
                    pa.array(snapshot.ends[relationship.type].end)
                ),
            )
            columns["abroad"] = _numpy(abroad.cast(pa.float64()))
    return _stack(columns, table.num_rows)


def fit_vocabulary(snapshot: Snapshot, node: Node, rows: np.ndarray) -> Vocabulary:
    """The most frequent words of each categorical property of a node among the training `rows`, sorted."""
    table, words = snapshot.nodes[node.label].take(pa.array(rows)), {}
    for property in _categories(node):
        counts = pc.value_counts(table[property.name].drop_null()).to_pylist()
        common = [(-entry["counts"], entry["values"]) for entry in counts if entry["counts"] >= _MIN_WORD_ROWS]
        words[f"{node.label}.{property.name}"] = tuple(sorted(word for _, word in sorted(common)[:_MAX_WORDS]))
    return words


def category_columns(snapshot: Snapshot, node: Node, vocabulary: Vocabulary) -> Columns:
    """One column a word, then "other" (a value, but in no vocabulary) and "missing": `[n_nodes, n_columns]`, 0 or 1."""
    table = snapshot.nodes[node.label]
    columns: dict[str, np.ndarray] = {}
    for property in _categories(node):
        words = vocabulary[f"{node.label}.{property.name}"]
        code = _numpy(pc.index_in(table[property.name], value_set=pa.array(words, pa.string())).fill_null(-1))
        missing = _numpy(table[property.name].is_null()) > 0
        columns |= {f"{property.name}={word}": code == position for position, word in enumerate(words)}
        columns[f"{property.name}=other"] = (code < 0) & ~missing
        columns[f"{property.name}=missing"] = missing
    return _stack(columns, table.num_rows)


def _activity(
    snapshot: Snapshot, relationship: Relationship, born: np.ndarray, *, received: bool
) -> dict[str, np.ndarray]:
    table, ends = snapshot.relationships[relationship.type], snapshot.ends[relationship.type]
    account, n_accounts = (ends.end if received else ends.start), snapshot.n_accounts
    prefix = f"{relationship.type}{RECEIVED if received else ''}"
    count = np.bincount(account, minlength=n_accounts)
    columns = {f"{prefix}.count": np.log1p(count)}
    for property in _numbers(relationship):
        total = np.bincount(account, np.nan_to_num(_amounts(table, property)), minlength=n_accounts)
        columns[f"{prefix}.{property.name}"] = _log(total)
        columns[f"{prefix}.{property.name}_mean"] = _log(_ratio(total, count))
    if relationship.is_dated:
        first = _extreme(np.maximum, account, _days_before_end(snapshot, table["first_seen_at"]), n_accounts)
        last = _extreme(np.minimum, account, _days_before_end(snapshot, table["last_seen_at"]), n_accounts)
        columns[f"{prefix}.since_last_days"] = np.log1p(last)
        columns[f"{prefix}.lasted_days"] = np.log1p(first - last)
        columns[f"{prefix}.started_after_birth_days"] = np.log1p(np.maximum(born - first, 0))
        columns[f"{prefix}.per_day"] = _log(_ratio(count, 1 + first - last))
    return columns


def _numbers(kind: Node | Relationship) -> list[Property]:
    kinds = (Kind.INTEGER, Kind.NUMBER, Kind.FLAG)
    return [p for p in snapshot_properties(kind) if p.kind in kinds and p.is_feature]


def _categories(node: Node) -> list[Property]:
    return [p for p in snapshot_properties(node) if p.kind in (Kind.TEXT, Kind.COUNTRY)]


def _amounts(table: pa.Table, property: Property) -> np.ndarray:
    values = _numpy(table[property.name])
    if property.name == "n_events" and "n_chargebacks" in table.column_names:
        values = values - _numpy(table["n_chargebacks"])
    return values


def _days_before_end(snapshot: Snapshot, times: pa.ChunkedArray) -> np.ndarray:
    micros = _numpy(times.cast(pa.int64()))
    return np.asarray(np.maximum(snapshot.end_of_day.astype(np.int64) - micros, 0) / _US_PER_DAY)


def _gap_to_previous(identifier: np.ndarray, first_days: np.ndarray) -> np.ndarray:
    """Days from the newest earlier first use of an identifier by another account; NaN for the first to use it."""
    order = np.lexsort((-first_days, identifier))  # days count back from the night
    gap = np.full(order.size, np.nan)
    is_same = np.diff(identifier[order]) == 0
    gap[1:] = np.where(is_same, first_days[order][:-1] - first_days[order][1:], np.nan)
    out = np.empty(order.size)
    out[order] = gap
    return out


def _extreme(ufunc: np.ufunc, account: np.ndarray, values: np.ndarray, n_accounts: int) -> np.ndarray:
    start = -np.inf if ufunc is np.maximum else np.inf
    out = np.full(n_accounts, start)
    ufunc.at(out, account, np.where(np.isnan(values), start, values))
    return np.where(np.isfinite(out), out, np.nan)


def _ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=np.asarray(count) > 0))


def _log(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))  # net amounts may be negative


def _numpy(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _stack(columns: dict[str, np.ndarray], n_rows: int) -> Columns:
    values = np.column_stack(list(columns.values())) if columns else np.empty((n_rows, 0))
    return Columns(tuple(columns), values.astype(np.float32))
