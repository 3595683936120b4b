"""Detect rings: score every account, find who belongs together, write both back.

Follows on each night loaded: takes the snapshot, scores every account with the champion model, finds rings, writes
scores and rings to the graph and to the exports. Writes the night's report: its path is in the task's XCom, and the
guide in Neo4j Browser links to it. Without a trained model it ranks by structure and says so.

**By hand**: trigger it with the configuration `{"date": "2026-04-01"}`. An older night gets its exports; the newer
scores in the graph stay.

**When it fails**

* "has not been loaded": run `ringwatch_load` for that night first.
* Neo4j does not answer, or another writer is at work: it was tried five times. Look at `ringwatch neo4j status` and
  `ringwatch status`; then clear the task.
* The model cannot be read: `ringwatch model list`, `ringwatch model rollback`; then clear the task.
"""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

from airflow.sdk import Metadata, dag, get_current_context, task

from ringwatch.infra.airflow.dag_tools import (
    DEFAULT_ARGS,
    GRAPH,
    SCORES,
    nights_of_run,
    only_transient_faults_are_retried,
)
from ringwatch.infra.airflow.environment import WRITER_POOL
from ringwatch.pipelines.common.settings import read_settings


@dag(
    schedule=[GRAPH],
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    dagrun_timeout=timedelta(hours=12),
    tags=["ringwatch"],
    doc_md=__doc__,
)
def ringwatch_detect() -> None:
    """Detect the nights loaded."""

    @task(execution_timeout=timedelta(minutes=5))
    def choose_nights() -> list[str]:
        """The nights of this run: several where nights were loaded faster than they are detected."""
        return nights_of_run(get_current_context())

    @task(outlets=[SCORES], pool=WRITER_POOL, map_index_template="{{ night }}", max_active_tis_per_dag=1)
    def detect(night: str) -> Generator[Metadata, None, dict[str, Any]]:
        """Score one night and find its rings."""
        from dataclasses import asdict
        from datetime import date

        from ringwatch.pipelines.graph.client import connect
        from ringwatch.pipelines.nightly.detect import detect as detect_night

        get_current_context()["night"] = night  # type: ignore[typeddict-unknown-key]  # names the mapped task
        settings = read_settings()
        with only_transient_faults_are_retried(), connect(settings) as driver:
            result = asdict(detect_night(settings, driver, date=date.fromisoformat(night)))
        yield Metadata(SCORES, extra={"date": night})
        return result

    detect.expand(night=choose_nights())


ringwatch_detect()
