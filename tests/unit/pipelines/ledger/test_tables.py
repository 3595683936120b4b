"""The SQL that computes a node's properties."""

import duckdb
import pytest

from ringwatch.graph_schema.graph import ACCOUNT
from ringwatch.graph_schema.signals import Kind
from ringwatch.graph_schema.vocabulary import Node, Property
from ringwatch.pipelines.ledger.tables import _description_sql

pytestmark = pytest.mark.unit


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute(
            """
            CREATE TABLE accounts AS FROM (VALUES ('a', TIMESTAMPTZ '2026-04-01', 'active', 'NL', 'free'),
                ('b', TIMESTAMPTZ '2026-04-02', NULL, NULL, NULL)) t(account_id, created_at, status, country, plan);
            CREATE TABLE usage_events AS FROM (VALUES ('a', TIMESTAMP '2026-04-01 01:00', 3, 5, NULL),
                ('a', TIMESTAMP '2026-04-01 02:00', 4, NULL, NULL)
            ) t(account_id, hour_start_at, n_requests, n_input_tokens, n_output_tokens);
            CREATE TABLE payments AS FROM (VALUES ('a', 1.0), ('a', 2.0), ('a', 4.0)) t(account_id, amount);
            """
        )
        yield connection


def test_a_second_signal_of_facts_does_not_multiply_the_sums_of_the_first(connection):
    paid = Property("n_paid", Kind.INTEGER, "sum(amount)", "payments", "0")
    node = Node("Account", "account_id", (*ACCOUNT.properties, paid), ACCOUNT.described_by)
    names = "id, n_requests, n_input_tokens, n_output_tokens, n_usage_hours, n_paid"
    rows = connection.sql(f"SELECT {names} FROM ({_description_sql(node)}) ORDER BY id").fetchall()
    assert rows == [("a", 7, 5, 0, 2, 7), ("b", 0, 0, 0, 0, 0)]
