"""Encoding of columns as network inputs, by rules that are the same for every platform and night: nothing is fitted.

A network that is trained on one platform and scores another must not depend on how active a typical account is there,
so an account's numbers become ranks among all accounts of the night. Edge attributes are counts and times, which mean
the same everywhere; they keep their size.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import rankdata

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.graph_schema.layout import snapshot_properties
from ringwatch.graph_schema.signals import SIGNALS, Kind
from ringwatch.graph_schema.vocabulary import Node
from ringwatch.models.data.snapshot import Snapshot
from ringwatch.models.features.account import RECEIVED, Columns, account_columns

_EDGE_SCALE, _EDGE_CLIP = 0.25, 3.0  # of log1p of counts and days
_DECLARED_WORDS = {field.name: field.one_of for signal in SIGNALS for field in signal.fields if field.one_of}


def encode_accounts(snapshot: Snapshot) -> Columns:
    """Rank of each number within the night, `[n_accounts, n_numbers] float32` in 0..1, NaN where unknown.

    What others do to an account is left out: payments it received, and accounts that name it as their referrer.
    """
    numbers, words = account_columns(snapshot), _word_shares(snapshot)
    own = [position for position, name in enumerate(numbers.names) if RECEIVED not in name]
    values = np.column_stack([numbers.values[:, own], *words.values()])
    return ranked(Columns((*(numbers.names[position] for position in own), *words), values))


def ranked(columns: Columns) -> Columns:
    """Ranks within each column, of the same shape."""
    ranks = np.empty(columns.values.shape, dtype=np.float32)
    for position, column in enumerate(columns.values.T):
        ranks[:, position] = _ranks(column)
    return Columns(columns.names, ranks)


def encode_columns(columns: Columns) -> Columns:
    """Inputs of edges, `[n_edges, n_inputs] float32`: numbers on a fixed scale, then which are unknown.

    Columns of edges are logarithms of counts and times.
    """
    names, values = columns.names, columns.values
    scaled = np.clip(np.nan_to_num(values) * _EDGE_SCALE, -_EDGE_CLIP, _EDGE_CLIP)
    unknown = ~np.isfinite(values)
    return Columns(
        (*names, *(f"{name}=unknown" for name in names)), np.concatenate([scaled, unknown], axis=1).astype(np.float32)
    )


def encode_identifiers(snapshot: Snapshot, node: Node, rows: np.ndarray) -> Columns:
    """Inputs of the identifiers at `rows`, `[n_rows, n_inputs] float32`: one a word that the signals declare."""
    table, columns = snapshot.nodes[node.label].take(pa.array(rows)), {}
    for property in snapshot_properties(node):
        for word in _DECLARED_WORDS.get(property.name, ()):
            is_word = pc.fill_null(pc.equal(table[property.name], word), False)
            columns[f"{property.name}={word}"] = is_word.to_numpy().astype(np.float32)
    values = np.column_stack(list(columns.values())) if columns else np.empty((rows.size, 0), dtype=np.float32)
    return Columns(tuple(columns), values)


def _word_shares(snapshot: Snapshot) -> dict[str, np.ndarray]:
    """For each word of an account the share of accounts that have the same: names of plans differ by platform."""
    shares = {}
    for property in snapshot_properties(ACCOUNT):
        if property.kind in (Kind.TEXT, Kind.COUNTRY):
            words = snapshot.accounts[property.name].combine_chunks().dictionary_encode()
            code = words.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            n_same = np.bincount(code[code >= 0], minlength=1)[code].astype(np.float64)
            shares[property.name] = np.where(code >= 0, n_same / code.size, np.nan)
    return shares


def _ranks(column: np.ndarray) -> np.ndarray:
    """Mean rank of each value of a column, as a share of the known ones, `[n]`; NaN stays."""
    ranks = np.full(column.size, np.nan)
    known = np.isfinite(column)
    if known.any():
        ranks[known] = (rankdata(column[known]) - 0.5) / known.sum()
    return ranks
