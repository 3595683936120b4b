"""A few calls of Airflow's public API (version 2): health, runs, and the questions that runs put to people."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from ringwatch.pipelines.common.errors import RingwatchError

_TIMEOUT_S = 120  # a busy machine: its first answer to a task takes Airflow a long import
_POLL_S = 2.0
_PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
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
    """Whether the Airflow at `url` says that all its parts are well."""
    try:
        reply = httpx.get(f"{url}/api/v2/monitor/health", timeout=5, trust_env=False)
        parts = reply.json()
    except (httpx.HTTPError, ValueError):
        return False
    return reply.is_success and all((parts.get(part) or {}).get("status") == "healthy" for part in _PARTS)


class AirflowApi:
    """One Airflow, as one of its users."""

    def __init__(self, url: str, user: str, password: str) -> None:
        """Raises RingwatchError when Airflow does not answer or refuses the user."""
        # A proxy of the environment has no business between us and a local server.
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT_S, trust_env=False)
        token = self._call("POST", "/auth/token", {"username": user, "password": password})["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def wait_for_dag(self, dag_id: str, timeout_s: float = 120) -> None:
        """Wait until the dag processor has read a DAG.

        Raises:
            RingwatchError: it is not there in time; the message has the import errors.
        """
        deadline = time.monotonic() + timeout_s
        while self._http.get(f"/api/v2/dags/{dag_id}").status_code != httpx.codes.OK:
            if time.monotonic() > deadline:
                errors = self.get("/api/v2/importErrors")["import_errors"]
                raise RingwatchError(f"Airflow has no DAG {dag_id}; its import errors: {errors or 'none'}.")
            time.sleep(_POLL_S)

    def set_paused(self, dag_id: str, is_paused: bool) -> None:
        """Pause a DAG or let it run: a paused one is not started by assets or schedules."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": is_paused})

    def trigger(self, dag_id: str, conf: Mapping[str, Any]) -> str:
        """Start a run of a DAG; returns its run id."""
        body = {"logical_date": None, "conf": dict(conf)}
        return str(self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        """State of a run: queued, running, success or failed."""
        return str(self.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def runs(self, dag_id: str) -> dict[str, str]:
        """States of a DAG's runs, by run id, oldest first."""
        reply = self.get(f"/api/v2/dags/{dag_id}/dagRuns?order_by=run_after&limit=100")
        return {run["dag_run_id"]: run["state"] for run in reply["dag_runs"]}

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """States of a run's tasks, by task id, with the index of a mapped one: `stage[2]`."""
        reply = self.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=200")
        return {_task_name(task): task["state"] for task in reply["task_instances"]}

    def task_log(self, dag_id: str, run_id: str, task_id: str, *, map_index: int = -1, attempt: int = 1) -> str:
        """What a task wrote, as plain lines."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}?map_index={map_index}"
        return "\n".join(_text(line) for line in self.get(path)["content"])

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What a task returned."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self.get(f"/api/v2{path}?deserialize=true")["value"]

    def questions(self, dag_id: str = "~", run_id: str = "~") -> list[Question]:
        """Required actions that nobody has answered, of one run or (`~`) of all."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/hitlDetails?response_received=false"
        found = self.get(path)["hitl_details"]
        waiting = [q for q in found if q["task_instance"]["state"] in ("deferred", "awaiting_input")]
        return [
            Question(**{k: q["task_instance"][k] for k in ("dag_id", "task_id", "map_index")},
                     run_id=q["task_instance"]["dag_run_id"], subject=q["subject"], body=q["body"])
            for q in waiting
        ]  # fmt: skip

    def answer(self, question: Question, option: str) -> None:
        """Answer a required action, as this user.

        Raises:
            RingwatchError: it was answered already, or does not offer the option.
        """
        path = (
            f"/api/v2/dags/{question.dag_id}/dagRuns/{question.run_id}/taskInstances/{question.task_id}"
            f"/{question.map_index}/hitlDetails"
        )
        self._call("PATCH", path, {"chosen_options": [option], "params_input": {}})

    def get(self, path: str) -> Any:
        """What Airflow answers to a path."""
        return self._call("GET", path)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            reply = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise RingwatchError(f"Airflow at {self._http.base_url} does not answer: {error}.") from error
        if reply.is_error:
            raise RingwatchError(f"Airflow refuses {method} {path}: {reply.status_code} {reply.text[:300]}")
        return reply.json()


def _text(line: Any) -> str:
    """A line of a task's log, with the messages of the errors that it tells of."""
    if not isinstance(line, dict):
        return str(line)
    errors = [str(error["exc_value"]) for error in line.get("error_detail") or []]
    return " ".join([str(line.get("event", "")), *errors])


def _task_name(task: Mapping[str, Any]) -> str:
    return str(task["task_id"]) if task["map_index"] < 0 else f"{task['task_id']}[{task['map_index']}]"
