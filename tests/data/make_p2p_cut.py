"""Cuts a few hundred users out of the P2P payment data: `python -m tests.data.make_p2p_cut SOURCE`.

Whole connected components over cards and devices, so that no ring is cut; of transfers and referrals those between
the users chosen. Frauds are many times more common in the cut than in the data: it is for tests, not for measuring.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

HERE = Path(__file__).parent / "p2p"
N_FRAUD_PAIRS, N_LONE_FRAUDS, N_HONEST_TRIPLES, N_ORDINARY = 20, 15, 20, 200
HONEST_RING_SIZES = (20, 25)


def main(source: Path) -> None:
    tables = {path.stem: pq.read_table(path) for path in sorted(source.glob("*.parquet"))}
    chosen = choose_users(tables)
    devices = tables["USED"].filter(is_among(tables["USED"]["from_user_id"], chosen))["to_device_id"]
    both = [
        pc.and_(is_among(tables[name]["from_user_id"], chosen), is_among(tables[name]["to_user_id"], chosen))
        for name in ("P2P", "REFERRED")
    ]
    keep = {
        "User": is_among(tables["User"]["id"], chosen),
        "HAS_CC": is_among(tables["HAS_CC"]["from_user_id"], chosen),
        "USED": is_among(tables["USED"]["from_user_id"], chosen),
        "Device": is_among(tables["Device"]["id"], devices.to_pylist()),
        "P2P": both[0],
        "REFERRED": both[1],
    }
    HERE.mkdir(exist_ok=True)
    for name, mask in keep.items():
        cut = tables[name].filter(mask).replace_schema_metadata(None)
        pq.write_table(cut, HERE / f"{name}.parquet", compression="zstd")
        print(f"{name}: {cut.num_rows} of {tables[name].num_rows} rows")


def choose_users(tables: dict[str, pa.Table]) -> set[int]:
    components = components_of_users(tables)
    users = tables["User"]
    frauds = set(users.filter(pc.equal(users["fraudMoneyTransfer"], 1))["id"].to_pylist())
    with_fraud = [members for members in components if frauds & set(members)]
    without = [members for members in components if not frauds & set(members)]
    groups = [
        *(members for members in with_fraud if len(members) >= 3),
        *of_size(with_fraud, 2)[:N_FRAUD_PAIRS],
        *of_size(with_fraud, 1)[:N_LONE_FRAUDS],
        *of_size(without, 3)[:N_HONEST_TRIPLES],
        *(members for size in HONEST_RING_SIZES for members in of_size(without, size)[:1]),
    ]
    chosen = {user for members in groups for user in members}
    return chosen | ordinary_users(tables["P2P"], of_size(without, 1), chosen)


def ordinary_users(transfers: pa.Table, alone: list[list[int]], chosen: set[int]) -> set[int]:
    """Users who share nothing, those with the most transfers to and from the chosen first."""
    candidates = {members[0] for members in alone}
    n_transfers: dict[int, int] = {}
    for payer, payee in zip(*(transfers[end].to_pylist() for end in ("from_user_id", "to_user_id")), strict=True):
        for user, other in ((payer, payee), (payee, payer)):
            if user in candidates and other in chosen:
                n_transfers[user] = n_transfers.get(user, 0) + 1
    return set(sorted(n_transfers, key=lambda user: (-n_transfers[user], user))[:N_ORDINARY])


def components_of_users(tables: dict[str, pa.Table]) -> list[list[int]]:
    """Users linked by cards and devices, each component ascending, the components by their first user."""
    users = np.sort(tables["User"]["id"].to_numpy())
    ends = [(tables["HAS_CC"], "to_card_id"), (tables["USED"], "to_device_id")]
    rows, columns, n_nodes = [], [], len(users)
    for table, end in ends:
        things, of_row = np.unique(table[end].to_numpy(), return_inverse=True)
        rows.append(np.searchsorted(users, table["from_user_id"].to_numpy()))
        columns.append(n_nodes + of_row)
        n_nodes += len(things)
    edges = (np.concatenate(rows), np.concatenate(columns))
    graph = sp.coo_matrix((np.ones(len(edges[0]), dtype=bool), edges), shape=(n_nodes, n_nodes))
    component = connected_components(graph, directed=False)[1][: len(users)]
    members: dict[int, list[int]] = {}
    for user, number in zip(users.tolist(), component.tolist(), strict=True):
        members.setdefault(number, []).append(user)
    return sorted(members.values())


def of_size(components: list[list[int]], size: int) -> list[list[int]]:
    return [members for members in components if len(members) == size]


def is_among(column: pa.ChunkedArray, values: Iterable[int]) -> pa.ChunkedArray:
    return pc.is_in(column, pa.array(sorted(values), pa.int64()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
