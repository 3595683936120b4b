"""Numbered changes of the graph's schema. Each is applied once, in order, and never edited after release.

The database remembers them as (:SchemaMigration {number, name, applied_at}). A new node, relationship or
property needs no migration: writes follow the declaration. A migration is for what stands already.
"""

from dataclasses import dataclass

from ringwatch.graph_schema.cypher import constraints


@dataclass(frozen=True)
class Migration:
    """Statements that bring the graph from one version to the next."""

    number: int
    name: str
    statements: tuple[str, ...]


MIGRATIONS = (
    Migration(1, "keys are unique, dated relationships indexed", constraints()),
    Migration(
        2,
        "analysts find accounts and rings by score, decision and run",
        (
            "CREATE INDEX account_fraud_score IF NOT EXISTS FOR (n:Account) ON (n.fraud_score)",
            "CREATE INDEX account_review_decision IF NOT EXISTS FOR (n:Account) ON (n.review_decision)",
            "CREATE INDEX ring_fraud_score IF NOT EXISTS FOR (n:Ring) ON (n.fraud_score)",
            "CREATE INDEX ring_review_decision IF NOT EXISTS FOR (n:Ring) ON (n.review_decision)",
            "CREATE INDEX detection_run_date IF NOT EXISTS FOR (n:DetectionRun) ON (n.date)",
        ),
    ),
    Migration(
        3,
        "analysts find questions, newest decisions and grown rings without a scan",
        (
            "CREATE INDEX review_question_rank IF NOT EXISTS FOR (n:ReviewQuestion) ON (n.rank)",
            "CREATE INDEX account_reviewed_at IF NOT EXISTS FOR (n:Account) ON (n.reviewed_at)",
            "CREATE INDEX ring_reviewed_at IF NOT EXISTS FOR (n:Ring) ON (n.reviewed_at)",
            "CREATE INDEX ring_n_new_accounts IF NOT EXISTS FOR (n:Ring) ON (n.n_new_accounts)",
        ),
    ),
)
