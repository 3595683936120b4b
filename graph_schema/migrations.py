"""Numbered changes of the graph's schema, applied in order. All but the first are never edited after release.

The database remembers them as (:SchemaMigration {number, name, digest, applied_at}). The first is generated from the
declaration: when a node or a dated relationship is declared, its digest changes, and it is applied again. Statements
are therefore safe to run again. Writes follow the declaration too; a further migration is for what is in the graph
already.
"""

import hashlib
from dataclasses import dataclass

from ringwatch.graph_schema.cypher import constraints


@dataclass(frozen=True)
class Migration:
    """Statements that bring the graph from one version to the next."""

    number: int
    name: str
    statements: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the statements."""
        return hashlib.sha256("\n".join(self.statements).encode()).hexdigest()


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
