"""Published tables as graphs, with the splits and figures that were published for them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch_geometric.data import HeteroData

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.models.evaluation.public.public_tables import PublicTable, Split
from ringwatch.models.features.account import Columns
from ringwatch.models.features.encoding import encode_columns, ranked
from ringwatch.models.gnn.hetero import PAIR
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.sql import SqlError, open_connection

_S_FFSD_KEYS = ("Source", "Target", "Location", "Type")
_WINDOWS = (50, 500, 5_000)  # in the table's unit of time, in which transactions are 1 apart
_UNLABELLED = 2
_PUBLISHED_SEED = 2


def read_tolokers(file: Path, n_splits: int) -> PublicTable:
    """Crowd workers who worked on the same task, and which of them were banned (Platonov et al., arXiv 2302.11640).

    Ten splits are published, half of the workers for training. The validation quarter is left alone.
    """
    with _opened(file) as table:
        features, edges, banned = table["node_features"], table["edges"].T, table["node_labels"] == 1
        splits = [Split(*masks) for masks in zip(table["train_masks"], table["test_masks"], strict=True)]
    n_together = np.bincount(edges.ravel(), minlength=banned.size)
    columns = np.column_stack([features, n_together])
    data = table_graph(Columns((*(f"feature_{n}" for n in range(features.shape[1])), "n_worked_with"), columns))
    both_ways = np.concatenate([edges, edges[::-1]], axis=1)
    put_edges(data, ACCOUNT.label, "WORKED_WITH", both_ways, {})
    published = {
        "GCN": {"auroc": 0.8364}, "GraphSAGE": {"auroc": 0.8243}, "GAT": {"auroc": 0.8370},
        "GAT-sep": {"auroc": 0.8378}, "graph transformer": {"auroc": 0.8323},
        "CGADM": {"average_precision": 0.4602},
    }  # fmt: skip
    return PublicTable(data, banned, splits[:n_splits], published)


def read_s_ffsd(file: Path, n_splits: int) -> PublicTable:
    """Simulated card transactions, most of them unlabelled (Xiang et al., AAAI 2023, arXiv 2412.18287, and RGTAN).

    Columns are the amount and, by source, target, location and type, how many transactions there were in the time
    before and how the amount compares with theirs. As published, the split is random, unlabelled rows included, two
    fifths for training; more splits differ in the seed.
    """
    rows = _transactions(file)
    target = rows.pop("Labels").to_numpy()
    keys = {key: rows.pop(key).to_numpy() for key in _S_FFSD_KEYS}
    gaps = {key: np.log1p(rows[f"{key}.gap"].to_numpy(dtype=np.float64)) for key in _S_FFSD_KEYS}
    data = table_graph(Columns(tuple(rows.columns), rows.to_numpy(dtype=np.float64, na_value=np.nan)))
    for key, words in keys.items():
        names, code = np.unique(words, return_inverse=True)
        is_shared = np.bincount(code)[code] > 1
        edges = np.stack([code, np.arange(code.size)])[:, is_shared]
        data[key].x, data[key].inputs = torch.zeros(names.size, 0), ()
        put_edges(data, key, f"BY_{key}", edges, {"gap": gaps[key][is_shared]})
    is_labelled = target != _UNLABELLED
    splits = []
    for seed in range(_PUBLISHED_SEED, _PUBLISHED_SEED + n_splits):
        told, judged = train_test_split(np.arange(target.size), stratify=target, test_size=0.6, random_state=seed)
        masks = (np.isin(np.arange(target.size), part) & is_labelled for part in (told, judged))
        splits.append(Split(*masks))
    published = {
        "GTAN": {"auroc": 0.829, "f1": 0.734, "average_precision": 0.659},
        "RGTAN": {"auroc": 0.846, "f1": 0.751, "average_precision": 0.694},
    }
    return PublicTable(data, target == 1, splits, published)


def _transactions(file: Path) -> pd.DataFrame:
    """One row a transaction, in order of time: keys, label, amount and what went before by each key."""
    columns = []
    for key in _S_FFSD_KEYS:
        columns.append(f'"{key}", count(*) OVER (PARTITION BY "{key}") AS "{key}.n"')
        columns.append(f'"Time" - lag("Time") OVER (PARTITION BY "{key}" ORDER BY "Time") AS "{key}.gap"')
        for window in (*_WINDOWS, "UNBOUNDED"):
            over = f'OVER (PARTITION BY "{key}" ORDER BY "Time" RANGE BETWEEN {window} PRECEDING AND CURRENT ROW)'
            columns.append(f'count(*) {over} AS "{key}.{window}.n", avg("Amount") {over} AS "{key}.{window}.mean"')
            columns.append(f'"Amount" / avg("Amount") {over} AS "{key}.{window}.relative"')
    query = f'SELECT "Labels", "Amount", {", ".join(columns)} FROM read_csv(?) ORDER BY "Time"'
    try:
        return open_connection().execute(query, [str(file)]).df()
    except SqlError as error:
        raise RingwatchError(
            f"{file} is not the S-FFSD table (S-FFSD.csv, gzip or not): {str(error).splitlines()[0]}"
        ) from None


@contextmanager
def _opened(file: Path) -> Iterator[Mapping[str, np.ndarray]]:
    try:
        with np.load(file) as table:
            yield table
    except (OSError, ValueError, KeyError) as error:
        raise RingwatchError(f"{file} is not the Tolokers table (tolokers.npz): {error}") from None


def table_graph(columns: Columns) -> HeteroData:
    """Rows of a table as accounts, and no pair of them that may have one operator."""
    data, ranks = HeteroData(), ranked(columns)
    data[ACCOUNT.label].x, data[ACCOUNT.label].inputs = torch.from_numpy(ranks.values), ranks.names
    data[PAIR].edge_index, data[PAIR].edge_attr, data[PAIR].inputs = torch.zeros(2, 0).long(), torch.zeros(0, 0), ()
    return data


def put_edges(data: HeteroData, source: str, name: str, edges: np.ndarray, columns: Mapping[str, np.ndarray]) -> None:
    """Edges, `[2, n_edges]`, from the source of a message to its target."""
    values = np.stack(list(columns.values()), axis=1) if columns else np.empty((edges.shape[1], 0))
    encoded = encode_columns(Columns(tuple(columns), values))
    store = data[source, name, ACCOUNT.label]
    store.edge_index = torch.from_numpy(np.ascontiguousarray(edges))
    store.edge_attr, store.inputs = torch.from_numpy(encoded.values), encoded.names
