"""The demo: real payments, their history loaded at once, the last nights through Airflow, a ban list at the end.

Called by the script infra/demo, which sets up first.
"""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from infra import airflow_server, neo4j_server
from infra.airflow_api import ENDED, AirflowApi
from infra.airflow_environment import PROJECT_DIR
from infra.demo_findings import print_findings
from pipelines.backfill import backfill
from pipelines.errors import RingwatchError
from pipelines.import_p2p import import_p2p
from pipelines.ledger import Ledger
from pipelines.neo4j_client import connect
from pipelines.settings import Settings, read_settings

SOURCE = PROJECT_DIR / "tests" / "data" / "p2p"
PERSON = "Demo Person"
_RUN_TIMEOUT_S = 420
_POLL_S = 1.0
_began = time.monotonic()
Found = TypeVar("Found")


def say(line: str) -> None:
    """Print a line with the time since the beginning."""
    print(f"[demo {time.monotonic() - _began:3.0f} s] {line}", flush=True)


def run() -> None:
    """Everything, from two servers that do not run to a published list."""
    # The embedded Neo4j, whatever else is configured; and payments years apart all count.
    settings = read_settings()
    settings = settings.model_copy(
        update={"neo4j_uri": None, "retention_days": 0, "signing_key": settings.signing_key or _own_key(settings)}
    )
    landing = settings.home_dir / "demo" / "landing"
    with ThreadPoolExecutor(1) as beside:
        airflow = beside.submit(airflow_server.start, settings)
        say("starting Neo4j, and Airflow beside it")
        neo4j_server.start(settings)
        _import_once(landing)
        *history, before_last, last = _nights(landing)
        _refuse_other_data(settings, [*history, before_last, last])
        say(f"loading {len(history)} nights of history, {history[0]} to {history[-1]}")
        with connect(settings) as driver:
            backfill(settings, driver, landing=landing, first=history[0], last=history[-1])
        say("waiting for Airflow")
        airflow.result()
    api = airflow_server.api(settings)
    conf = {"landing": str(landing)}
    _night_on_assets(api, {**conf, "date": str(before_last)})
    _night_with_training(api, {**conf, "date": str(last)}, last)
    say("done")
    print_findings(settings, last)


def _own_key(settings: Settings) -> SecretStr:
    """The key that signs the demo's ban lists: made once, in a file that only its owner reads."""
    file, name = settings.home_dir / "demo" / "env", "RINGWATCH_SIGNING_KEY="
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as env:
        env.write(f"{name}{secrets.token_hex(32)}\n")
    return SecretStr(file.read_text().strip().removeprefix(name))


def _import_once(landing: Path) -> None:
    """Make the landing zone, unless it is there: files written anew would all be loaded anew."""
    if landing.exists():
        return
    say(f"importing {SOURCE.relative_to(PROJECT_DIR)}")
    partial = landing.with_suffix(".tmp")
    import_p2p(SOURCE, partial)
    partial.rename(landing)


def _nights(landing: Path) -> list[date]:
    folders = {folder.name for folder in landing.glob("*/date=*")}
    return sorted(date.fromisoformat(name.removeprefix("date=")) for name in folders)


def _refuse_other_data(settings: Settings, nights: list[date]) -> None:
    others = set(Ledger(settings).nights()) - set(nights)
    if others:
        raise RingwatchError(
            f"{settings.home_dir} holds other data than the demo's (a night of {min(others)}):"
            " set RINGWATCH_HOME to an empty folder and call infra/demo again."
        )


def _night_on_assets(api: AirflowApi, conf: dict[str, str]) -> None:
    """One night as every night goes: the load's asset starts detection, whose asset starts the ban list."""
    say(f"night of {conf['date']} in Airflow: load, and what follows on it")
    followers = {dag: set(api.runs(dag)) for dag in ("ringwatch_detect", "ringwatch_ban_list")}
    _run_dag(api, "ringwatch_load", conf)
    for dag, known in followers.items():
        _follow(api, dag, _new_run(api, dag, known))


def _night_with_training(api: AirflowApi, conf: dict[str, str], night: date) -> None:
    """The last night: its labels are the first to train on, so detection waits for the model."""
    say(f"night of {night} in Airflow: load, train, detect, ban list")
    api.wait_for_dag("ringwatch_detect")
    api.set_paused("ringwatch_detect", True)
    try:
        _run_dag(api, "ringwatch_load", conf)
        _run_dag(api, "ringwatch_train", conf)
    finally:
        api.set_paused("ringwatch_detect", False)
    known = set(api.runs("ringwatch_ban_list"))
    _run_dag(api, "ringwatch_detect", conf)
    run_id = _new_run(api, "ringwatch_ban_list", known)
    _wait_for(
        lambda: api.questions("ringwatch_ban_list", run_id) or api.run_state("ringwatch_ban_list", run_id) in ENDED,
        "the question whether the ban list may go out",
    )
    for question in api.questions("ringwatch_ban_list", run_id):
        say(f"Airflow asks: {question.subject} You could answer on its Required Actions page; the demo does")
        say(f'  ringwatch ban-list approve --date {night} --by "{PERSON}"')
        command = [str(Path(sys.executable).with_name("ringwatch")), "ban-list", "approve", "--date", str(night)]
        subprocess.run([*command, "--by", PERSON], check=True, stdout=subprocess.DEVNULL)
    _follow(api, "ringwatch_ban_list", run_id)


def _run_dag(api: AirflowApi, dag: str, conf: dict[str, str]) -> None:
    api.wait_for_dag(dag)
    _follow(api, dag, api.trigger(dag, conf))


def _new_run(api: AirflowApi, dag: str, known: set[str]) -> str:
    """The run that an asset has started since `known` were all there were."""
    return _wait_for(lambda: set(api.runs(dag)) - known, f"a run of {dag}").pop()


def _follow(api: AirflowApi, dag: str, run_id: str) -> None:
    """Wait for a run's end, telling of each task that ends."""
    told: set[str] = set()

    def has_ended() -> bool:
        for task, state in api.task_states(dag, run_id).items():
            if state in ("success", "failed", "skipped", "up_for_retry") and task not in told:
                told.add(task)
                say(f"  {dag.removeprefix('ringwatch_')}.{task} {state}")
        return api.run_state(dag, run_id) in ENDED

    _wait_for(has_ended, f"the end of {dag}, run {run_id}")
    if api.run_state(dag, run_id) == "failed":
        failed = [task for task, state in api.task_states(dag, run_id).items() if state == "failed"]
        raise RingwatchError(f"{dag} failed in {', '.join(failed)}: look at its log in Airflow, run {run_id}.")


def _wait_for(look: Callable[[], Found], what: str) -> Found:
    deadline = time.monotonic() + _RUN_TIMEOUT_S
    while not (found := look()):
        if time.monotonic() > deadline:
            raise RingwatchError(f"{what} did not come within {_RUN_TIMEOUT_S} s: look at Airflow.")
        time.sleep(_POLL_S)
    return found


if __name__ == "__main__":
    try:
        run()
    except RingwatchError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
