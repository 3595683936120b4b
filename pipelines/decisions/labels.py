"""Which label of an account holds at a night, of those known by then."""

from datetime import date

import pyarrow as pa

from ringwatch.graph_schema.layout import LABELS_SCHEMA
from ringwatch.graph_schema.signals import PEOPLE_SOURCES
from ringwatch.pipelines.common.sql import Connection
from ringwatch.pipelines.decisions.store import read_reviews
from ringwatch.pipelines.ledger.store import Ledger


def known_labels(connection: Connection, ledger: Ledger, night: date) -> pa.Table:
    """One label an account: the newest of the people's if there is any, else the newest of the others.

    With how many people found the same: a delivered label names nobody, so each counts as another person's; of
    decisions made in the graph each reviewer counts once.

    Args:
        connection: has the view `labels` of rows in force, of partitions up to the night.
        ledger: holds the decisions made in the graph, which count as people's.
        night: what became known after its end is left out.

    Returns:
        Table of LABELS_SCHEMA.
    """
    connection.register("reviews", read_reviews(ledger))
    people = ", ".join(f"'{source}'" for source in PEOPLE_SOURCES)
    return (
        connection.sql(
            f"""
        WITH decided AS (
            SELECT account_id, label, coalesce(label_confidence, 1.0) AS label_confidence, source, labelled_at,
                NULL::TIMESTAMPTZ AS reviewed_at, greatest(labelled_at, partition::TIMESTAMPTZ) AS known_at, precedence,
                CASE WHEN source IN ({people}) THEN source || labelled_at END AS person
            FROM labels
            UNION ALL
            SELECT account_id, decision, 1.0, coalesce(source, 'manual_review'), known_at,
                reviewed_at, known_at, 9223372036854775807, coalesce(reviewed_by, '')
            FROM reviews WHERE decision <> 'needs_more'
        )
        SELECT account_id, label, label_confidence, source, known_at,
            count(DISTINCT person) OVER (PARTITION BY account_id, label) AS n_people
        FROM decided
        WHERE known_at < DATE '{night}' + INTERVAL 1 DAY
        QUALIFY row_number() OVER (
            PARTITION BY account_id
            ORDER BY source IN ({people}) DESC, labelled_at DESC, precedence DESC, reviewed_at DESC
        ) = 1
        ORDER BY account_id
        """
        )
        .to_arrow_table()
        .cast(LABELS_SCHEMA)
    )
