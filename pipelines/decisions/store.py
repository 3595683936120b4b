"""People's decisions as the ledger keeps them. Read here without the graph, in which they are made."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ringwatch.graph_schema.signals import Kind
from ringwatch.pipelines.common.clock import end_of
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.ledger.store import Ledger

LIFTED = "appeal"  # the source of a lift, which is a decision as well
REVIEWS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("decision", pa.string()),
        ("reason", pa.string()),
        ("reviewed_by", pa.string()),
        ("reviewed_at", Kind.TIMESTAMP.arrow_type),
        ("ring_id", pa.string()),  # null: decided on the account itself
        ("source", pa.string()),  # of the label that it is: manual_review, audit_sample, appeal
        ("known_at", Kind.TIMESTAMP.arrow_type),  # null: at reviewed_at
    ]
)


def read_reviews(ledger: Ledger) -> pa.Table:
    """The decisions that the ledger keeps, by REVIEWS_SCHEMA, each with the time from which it counts."""
    reviews = ledger.read_state("reviews", REVIEWS_SCHEMA)
    known_at = pc.coalesce(reviews["known_at"], reviews["reviewed_at"])
    return reviews.set_column(reviews.column_names.index("known_at"), "known_at", known_at)


def add_decisions(ledger: Ledger, rows: list[dict[str, Any]], nights: Sequence[date] = ()) -> None:
    """Add decisions to those that the ledger keeps, by REVIEWS_SCHEMA without `known_at`."""
    kept = ledger.read_state("reviews", REVIEWS_SCHEMA)
    if newest := max([*ledger.nights(), *nights], default=None):
        rows = [{**row, "known_at": min(row["reviewed_at"], end_of(newest))} for row in rows]
    table = pa.concat_tables([kept, pa.Table.from_pylist(rows, REVIEWS_SCHEMA)])
    ledger.write_state("reviews", table.sort_by([("reviewed_at", "ascending"), ("account_id", "ascending")]))


def decisions_on(settings: Settings, *, ring: str | None, account: str | None) -> list[dict[str, Any]]:
    """Decisions that nights have taken in, the oldest first; of a ring each once.

    Raises:
        RingwatchError: asked about both or neither.
    """
    label, id_ = ring_or_account(ring=ring, account=account)
    reviews = Ledger(settings).read_state("reviews", REVIEWS_SCHEMA).sort_by("reviewed_at")
    found = reviews.filter(pc.equal(reviews[f"{label.lower()}_id"], id_)).to_pylist()
    return found if label == "Account" else list({each["reviewed_at"]: each for each in found}.values())


def ring_or_account(*, ring: str | None, account: str | None) -> tuple[str, str]:
    """The node label and the id of what is asked about.

    Raises:
        RingwatchError: both, or neither.
    """
    if ring is not None and account is None:
        return "Ring", ring
    if account is not None and ring is None:
        return "Account", account
    raise RingwatchError("give either --ring or --account: a decision is about one of them.")
