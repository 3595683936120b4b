"""What the demo and the tests ask of Airflow's public API, by Apache Airflow's own client: runs, tasks, questions."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from airflow_client.client import ApiClient, Configuration
from airflow_client.client.api.dag_api import DAGApi
from airflow_client.client.api.dag_run_api import DagRunApi
from airflow_client.client.api.import_error_api import ImportErrorApi
from airflow_client.client.api.monitor_api import MonitorApi
from airflow_client.client.api.task_instance_api import TaskInstanceApi
from airflow_client.client.api.x_com_api import XComApi
from airflow_client.client.exceptions import ApiException, NotFoundException
from airflow_client.client.models.dag_patch_body import DAGPatchBody
from airflow_client.client.models.task_instance_response import TaskInstanceResponse
from airflow_client.client.models.trigger_dag_run_post_body import TriggerDAGRunPostBody
from airflow_client.client.models.update_hitl_detail_payload import UpdateHITLDetailPayload
from urllib3.exceptions import HTTPError

from ringwatch.pipelines.common.errors import RingwatchError

_TIMEOUT_S = 120.0  # a busy machine: its first answer to a task takes Airflow a long import
_POLL_S = 2.0
ENDED = frozenset({"success", "failed"})


@dataclass(frozen=True)
class Question:
    """A required action: what a run asks a person."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    subject: str
    body: str | None


def is_healthy(url: str) -> bool:
    """Whether the Airflow at `url` reports all its parts healthy."""
    try:
        health = MonitorApi(_client(url)).get_health(_request_timeout=5.0)
    except (ApiException, HTTPError, ValueError):
        return False
    parts = (health.metadatabase, health.scheduler, health.triggerer, health.dag_processor)
    return all(part is not None and part.status == "healthy" for part in parts)


class AirflowApi:
    """One Airflow, as one of its users.

    Attributes:
        client: for what has no method here.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        """Raises RingwatchError when Airflow does not answer or refuses the user."""
        self.client = _client(url, _token(url, user, password))
        self._dags, self._runs, self._tasks = DAGApi(self.client), DagRunApi(self.client), TaskInstanceApi(self.client)

    def wait_for_dag(self, dag_id: str, timeout_s: float = 120) -> None:
        """Wait until the dag processor has read a DAG.

        Raises:
            RingwatchError: it is not there in time; the message has the import errors.
        """
        deadline = time.monotonic() + timeout_s
        while not self._has_dag(dag_id):
            if time.monotonic() > deadline:
                errors = self.import_errors()
                raise RingwatchError(f"Airflow has no DAG {dag_id}; its import errors: {errors or 'none'}.")
            time.sleep(_POLL_S)

    def import_errors(self) -> list[str]:
        """Why DAG files could not be read."""
        found = _call(ImportErrorApi(self.client).get_import_errors)
        return [f"{each.filename}: {each.stack_trace}" for each in found.import_errors]

    def set_paused(self, dag_id: str, is_paused: bool) -> None:
        """Pause a DAG or let it run: a paused one is not started by assets or schedules."""
        _call(self._dags.patch_dag, dag_id, DAGPatchBody(is_paused=is_paused))

    def trigger(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """Start a run of a DAG; returns its run id."""
        body = TriggerDAGRunPostBody(logical_date=None, conf=dict(conf))
        return str(_call(self._runs.trigger_dag_run, dag_id, body).dag_run_id)

    def run_state(self, dag_id: str, run_id: str) -> str:
        """State of a run: queued, running, success or failed."""
        return str(_call(self._runs.get_dag_run, dag_id, run_id).state.value)

    def runs(self, dag_id: str) -> dict[str, str]:
        """States of a DAG's runs, by run id, oldest first."""
        found = _call(self._runs.get_dag_runs, dag_id, order_by=["run_after"], limit=100)
        return {run.dag_run_id: run.state.value for run in found.dag_runs}

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """States of a run's tasks, by task id, with the index of a mapped one: `stage[2]`."""
        found = _call(self._tasks.get_task_instances, dag_id, run_id, limit=200)
        return {_task_name(task): _state(task) for task in found.task_instances}

    def task_log(self, dag_id: str, run_id: str, task_id: str, *, map_index: int = -1, attempt: int = 1) -> str:
        """What a task wrote, as plain lines."""
        # As it came: the client's own reading of it drops the errors.
        read = self._tasks.get_log_without_preload_content
        reply = _call(read, dag_id, run_id, task_id, attempt, map_index=map_index, accept="application/json")
        return "\n".join(_text(line) for line in json.loads(reply.data)["content"])

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What a task returned."""
        found = _call(XComApi(self.client).get_xcom_entry, dag_id, task_id, run_id, "return_value", deserialize=True)
        return found.actual_instance.value

    def questions(self, dag_id: str = "~", run_id: str = "~") -> list[Question]:
        """Required actions that nobody has answered, of one run or (`~`) of all."""
        found = _call(self._tasks.get_hitl_details, dag_id, run_id, response_received=False)
        waiting = [(q, q.task_instance) for q in found.hitl_details]
        return [
            Question(task.dag_id, task.dag_run_id, task.task_id, task.map_index, q.subject, q.body)
            for q, task in waiting
            if _state(task) in ("deferred", "awaiting_input")
        ]

    def answer(self, question: Question, option: str) -> None:
        """Answer a required action, as this user.

        Raises:
            RingwatchError: it was answered already, or does not offer the option.
        """
        where = (question.dag_id, question.run_id, question.task_id, question.map_index)
        payload = UpdateHITLDetailPayload(chosen_options=[option], params_input={})
        _call(self._tasks.update_hitl_detail, *where, payload)

    def _has_dag(self, dag_id: str) -> bool:
        try:
            self._dags.get_dag(dag_id, _request_timeout=_TIMEOUT_S)
        except NotFoundException:
            return False
        return True


def _client(url: str, token: str | None = None) -> ApiClient:
    configuration = Configuration(host=url, access_token=token)
    configuration.proxy = None  # one of the environment has no business between us and a local server
    return ApiClient(configuration)


def _token(url: str, user: str, password: str) -> str:
    """A token for the client, which has no call for it."""
    try:
        reply = httpx.post(
            f"{url}/auth/token", json={"username": user, "password": password}, timeout=_TIMEOUT_S, trust_env=False
        )
    except httpx.HTTPError as error:
        raise RingwatchError(f"Airflow at {url} does not answer: {error}.") from error
    if reply.is_error:
        raise RingwatchError(f"Airflow refuses {user}: {reply.status_code} {reply.text[:300]}")
    return str(reply.json()["access_token"])


def _call(ask: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a method of the client, with our time limit and errors of our own."""
    try:
        return ask(*args, **kwargs, _request_timeout=_TIMEOUT_S)
    except ApiException as error:
        raise RingwatchError(f"Airflow refuses {ask.__name__}: {error.status} {str(error.body)[:300]}") from error
    except HTTPError as error:
        raise RingwatchError(f"Airflow does not answer: {error}.") from error


def _text(line: Any) -> str:
    """A line of a task's log, with the messages of the errors that it reports."""
    if not isinstance(line, dict):
        return str(line)
    errors = [str(error["exc_value"]) for error in line.get("error_detail") or []]
    return " ".join([str(line.get("event", "")), *errors])


def _state(task: TaskInstanceResponse) -> str | None:
    return task.state.value if task.state else None


def _task_name(task: TaskInstanceResponse) -> str:
    return task.task_id if task.map_index < 0 else f"{task.task_id}[{task.map_index}]"
