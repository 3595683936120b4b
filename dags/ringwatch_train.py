"""Train the model, and promote it if it is not worse.

Every Sunday at 06:00 UTC: trains a model on the labels known at the newest night, and makes it the champion only if it
is not worse than the present one on accounts that neither has seen. Detection uses the champion from the next night
on.

**By hand**: trigger it without configuration, or with `{"date": "2026-04-01"}` for an older night. Do so once after the
first nights are loaded: until there is a champion, detection ranks by structure alone and lists nobody.

With too few labels nothing is trained: the task succeeds, and what it returns says what is missing.

**When it fails**

* Neo4j does not answer, or another writer is at work: it was tried five times. Look at `ringwatch neo4j status` and
  `ringwatch status`; then clear the task.
* A champion turns out bad: `ringwatch model rollback`.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, dag, get_current_context, task

from ringwatch.infra.airflow.dag_tools import DEFAULT_ARGS, only_transient_faults_are_retried
from ringwatch.pipelines.common.settings import read_settings


@dag(
    schedule=CronTriggerTimetable("0 6 * * 0", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    dagrun_timeout=timedelta(hours=8),
    tags=["ringwatch"],
    doc_md=__doc__,
)
def ringwatch_train() -> None:
    """Train on the labels known, and promote if not worse."""

    # Networks of a platform's own, which are trained up to 50,000 accounts, take an hour.
    @task(execution_timeout=timedelta(hours=6))
    def train() -> dict[str, Any]:
        """Train, compare, and promote if not worse."""
        from dataclasses import asdict
        from datetime import date

        from ringwatch.pipelines.graph.client import connect
        from ringwatch.pipelines.nightly.train import train as train_model

        asked = (get_current_context()["dag_run"].conf or {}).get("date")
        settings = read_settings()
        with only_transient_faults_are_retried(), connect(settings) as driver:
            return asdict(train_model(settings, driver, date=date.fromisoformat(asked) if asked else None))

    train()


ringwatch_train()
