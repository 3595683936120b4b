"""Load a night of signals into the ledger and the graph.

Checks each signal of the night in the landing zone (one task a signal, in parallel), then loads what was accepted into
the ledger and the graph. Runs at 02:00 UTC for the day before, if `RINGWATCH_LANDING` names the landing zone.

**By hand**: trigger it with the configuration `{"date": "2026-04-01"}`, and `"landing": "/path"` for another landing
zone. Any night can be loaded again, in any order: the graph comes out the same.

**When it fails**

* `stage` says that too many rows fail: the message names the expectation, the file and sample rows. The graph was not
  touched. Have the delivery corrected, or raise `RINGWATCH_QUARANTINE_LIMIT`; then clear the task.
* `load_graph` says that the night has no partition: is the export late? Clear the task when it has arrived.
* `load_graph` says that Neo4j does not answer, or that another writer is at work: it was tried five times. Look at
  `ringwatch neo4j status` and `ringwatch status`; then clear the task.

A load that broke off half-way is finished by clearing `load_graph`: nothing adds up twice.
"""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

from airflow.sdk import CronDataIntervalTimetable, Metadata, dag, get_current_context, task

from ringwatch.graph_schema.signals import SIGNALS
from ringwatch.infra.airflow.dag_tools import (
    DEFAULT_ARGS,
    GRAPH,
    nights_of_run,
    only_transient_faults_are_retried,
)
from ringwatch.infra.airflow.environment import WRITER_POOL
from ringwatch.pipelines.common.settings import read_settings


@dag(
    schedule=CronDataIntervalTimetable("0 2 * * *", timezone="UTC") if read_settings().landing else None,
    catchup=False,
    max_active_runs=1,  # nights one after the other, for there is one graph writer
    default_args=DEFAULT_ARGS,
    dagrun_timeout=timedelta(hours=6),
    tags=["ringwatch"],
    doc_md=__doc__,
)
def ringwatch_load() -> None:
    """Check the signals in parallel, then load them."""

    @task(execution_timeout=timedelta(minutes=5))
    def choose_night() -> dict[str, str]:
        """The night and the landing zone of this run."""
        context = get_current_context()
        landing = (context["dag_run"].conf or {}).get("landing") or read_settings().landing
        with only_transient_faults_are_retried():
            if landing is None:
                raise ValueError("no landing zone: set RINGWATCH_LANDING and start Airflow again")
        return {"date": nights_of_run(context)[0], "landing": str(landing)}

    @task(map_index_template="{{ signal }}")
    def stage(signal: str, night: dict[str, str]) -> dict[str, Any]:
        """Check one signal and keep its accepted rows."""
        from datetime import date
        from pathlib import Path

        from ringwatch.pipelines.nightly.load import stage_signal

        get_current_context()["signal"] = signal  # type: ignore[typeddict-unknown-key]  # names the mapped task
        with only_transient_faults_are_retried():
            return stage_signal(
                read_settings(),
                landing=Path(night["landing"]),
                date=date.fromisoformat(night["date"]),
                signal=signal,
            )

    @task(outlets=[GRAPH], pool=WRITER_POOL)
    def load_graph(night: dict[str, str]) -> Generator[Metadata, None, dict[str, Any]]:
        """Put the night into the ledger and the graph."""
        from datetime import date
        from pathlib import Path

        from ringwatch.pipelines.graph.client import connect
        from ringwatch.pipelines.nightly.load import load_staged

        settings = read_settings()
        with only_transient_faults_are_retried(), connect(settings) as driver:
            counts = load_staged(
                settings, driver, landing=Path(night["landing"]), date=date.fromisoformat(night["date"])
            )
        yield Metadata(GRAPH, extra={"date": night["date"]})
        return counts

    night = choose_night()
    stage.partial(night=night).expand(signal=[signal.name for signal in SIGNALS]) >> load_graph(night)  # type: ignore[arg-type]  # stands for the value until the task runs


ringwatch_load()
