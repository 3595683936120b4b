"""The truth about a world: who is fake, in which campaign and group, and since when."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringwatch.pipelines.simulate.events.landing import account_ids, times_of, words_of
from ringwatch.pipelines.simulate.population.state import NEVER, State
from ringwatch.pipelines.simulate.population.world import World

TRUTH_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("is_fake", pa.bool_()),
        ("campaign", pa.string()),  # null for ordinary people
        ("group", pa.string()),  # who acts, shares and was set up together; null for who is alone
        ("kind", pa.string()),
        ("first_active_at", pa.timestamp("us", tz="UTC")),  # as what it is: a bought account's after the sale
    ]
)


def truth_table(world: World, state: State, until: int) -> pa.Table:
    """The truth about every account that has signed up by then, TRUTH_SCHEMA, sorted by account_id."""
    rows = np.flatnonzero(state.accounts.created < until)
    accounts, groups = state.accounts.take(rows), state.groups.take(state.accounts.group[rows])
    names = [kind.name for kind in world.kinds]
    is_active = accounts.first_active < NEVER
    table = pa.table(
        {
            "account_id": account_ids(world, rows),
            "is_fake": pa.array(world.of("is_fake")[accounts.kind]),
            "campaign": _numbered(names, groups.kind, groups.campaign, groups.campaign > 0),
            "group": _numbered(names, groups.kind, groups.number, groups.is_group),
            "kind": words_of(names, accounts.kind),
            "first_active_at": pc.if_else(pa.array(is_active), times_of(accounts.first_active), None),
        }
    )
    return table.cast(TRUTH_SCHEMA).sort_by("account_id")


def _numbered(names: list[str], kind: np.ndarray, number: np.ndarray, is_one: np.ndarray) -> pa.Array:
    text = pc.binary_join_element_wise(words_of(names, kind), pa.array(number).cast(pa.string()), "-")
    return pc.if_else(pa.array(is_one), text, None)


def campaigns_of(world: World, state: State, truth: pa.Table) -> dict[str, dict[str, object]]:
    """Kind, size so far and budget of each campaign."""
    groups = state.groups
    found: dict[str, dict[str, object]] = {}
    sizes = {row["values"]: row["counts"] for row in pc.value_counts(truth["campaign"]).to_pylist()}
    for row in np.flatnonzero(groups.campaign > 0):
        kind = world.kinds[groups.kind[row]].name
        name = f"{kind}-{groups.campaign[row]}"
        if name in sizes:
            found[name] = {"kind": kind, "n_accounts": sizes[name], "budget": round(float(groups.budget[row]), 4)}
    return found


def read_truth(folder: Path) -> pa.Table:
    """The truth of a world, TRUTH_SCHEMA."""
    return pq.read_table(folder / "truth.parquet")
