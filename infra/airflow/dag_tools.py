"""What the DAG files share: which night a run is for, and which faults are worth another try."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException

GRAPH = Asset("ringwatch_graph", uri="ringwatch://graph")  # a night was loaded; extra: {"date": "2026-04-01"}
SCORES = Asset("ringwatch_scores", uri="ringwatch://scores")  # a night was detected; extra as above
BAN_LIST = Asset("ringwatch_ban_list", uri="ringwatch://ban_list")  # a list is out; extra as above

# Retries are for transient faults: everything else fails at once (see `only_transient_faults_are_retried`).
DEFAULT_ARGS: dict[str, Any] = {
    "owner": "ringwatch",
    "retries": 4,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=2),
}


def nights_of_run(context: Mapping[str, Any]) -> list[str]:
    """Nights that a run is for, ISO 8601, oldest first.

    By hand: `{"date": "2026-04-01"}` in the run's configuration. By assets: what their events say. By schedule: the
    day of the data interval.
    """
    run = context["dag_run"]
    if asked := (run.conf or {}).get("date"):
        return [str(asked)]
    events = context.get("triggering_asset_events") or {}
    if nights := {event.extra["date"] for asset in events for event in events[asset]}:
        return sorted(nights)
    if run.data_interval_start is not None and run.data_interval_start != run.data_interval_end:
        return [run.data_interval_start.date().isoformat()]
    raise AirflowFailException('say which night: trigger the run with the configuration {"date": "YYYY-MM-DD"}')


@contextmanager
def only_transient_faults_are_retried() -> Iterator[None]:
    """Fail a task at once, with one sentence, unless trying again may help: Neo4j away, or another writer at work."""
    from ringwatch.pipelines.common.errors import LockedError, Neo4jUnreachableError, RingwatchError

    try:
        yield
    except (Neo4jUnreachableError, LockedError):
        raise
    except RingwatchError as error:
        raise AirflowFailException(str(error)) from error
    except Exception as error:
        # Errors of the Neo4j driver know whether they are transient.
        if getattr(error, "is_retryable", lambda: False)():
            raise
        raise AirflowFailException(f"{type(error).__name__}: {error}") from error
