"""The demo: a simulated world, its history loaded at once, then nights through Airflow, each with a ban list.

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
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr

from ringwatch.infra.airflow import server as airflow_server
from ringwatch.infra.airflow.api import ENDED, AirflowApi
from ringwatch.infra.demo_findings import print_findings
from ringwatch.infra.neo4j import server as neo4j_server
from ringwatch.pipelines.ban_list.published import published_folder
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings, read_settings
from ringwatch.pipelines.graph.client import connect
from ringwatch.pipelines.ledger.store import Ledger
from ringwatch.pipelines.nightly.backfill import backfill
from ringwatch.pipelines.simulate import Arguments, continue_world, nights_of, simulate

PERSON = "Demo Person"
# A desk of reviewers larger than the simulator's own, so that three nights are enough to see a model at work.
WORLD = Arguments(20_000, 1, 30, 1, "disclosure", knobs={"desk.reviews_per_day": 80})
_N_NIGHTS = 3
_RUN_TIMEOUT_S = 420
_POLL_S = 1.0
_began = time.monotonic()
Found = TypeVar("Found")


def say(line: str) -> None:
    """Print a line with the time since the beginning."""
    print(f"[demo {time.monotonic() - _began:3.0f} s] {line}", flush=True)


def run() -> None:
    """Everything, from two servers that do not run to published lists."""
    # The embedded Neo4j, whatever else is configured.
    settings = read_settings()
    settings = settings.model_copy(
        update={"neo4j_uri": None, "signing_key": settings.signing_key or _own_key(settings)}
    )
    world = settings.home_dir / "demo" / "world"
    landing = world / "landing"
    with ThreadPoolExecutor(1) as beside:
        airflow = beside.submit(airflow_server.start, settings)
        say("starting Neo4j, and Airflow beside it")
        neo4j_server.start(settings)
        _make_world_once(world)
        first_day, first_night, _ = nights_of(world)
        _refuse_other_data(settings, first_day)
        eve = first_night - timedelta(days=1)
        say(f"loading the history, {first_day} to {eve}")
        with connect(settings) as driver:
            backfill(settings, driver, landing=landing, first=first_day, last=eve)
        say("waiting for Airflow")
        airflow.result()
    api = airflow_server.api(settings)
    _night_with_training(api, landing, first_night)
    night = first_night
    for _ in range(1, _N_NIGHTS):
        night += timedelta(days=1)
        _live_on(settings, world, night)
        _night_on_assets(api, landing, night)
    say("done")
    print_findings(settings, world, night)


def _own_key(settings: Settings) -> SecretStr:
    """The key that signs the demo's ban lists: made once, in a file that only its owner reads."""
    file, name = settings.home_dir / "demo" / "env", "RINGWATCH_SIGNING_KEY="
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as env:
        env.write(f"{name}{secrets.token_hex(32)}\n")
    return SecretStr(file.read_text().strip().removeprefix(name))


def _make_world_once(world: Path) -> None:
    """Simulate, unless it is done: a world made anew would begin again at its first night."""
    if (world / "world.json").exists():
        return
    say(f"simulating {WORLD.n_accounts:,} accounts, {WORLD.history_days} days, scenario {WORLD.scenario}")
    simulate(WORLD, world)


def _live_on(settings: Settings, world: Path, night: date) -> None:
    """Let the world go on by a night, under the ban list of the night before; unless it has."""
    if nights_of(world)[2] >= night:
        return
    before = published_folder(settings, night - timedelta(days=1)) / "ban_list.csv"
    say(f"the world lives on to {night}: who was banned falls silent, and campaigns answer")
    continue_world(world, before if before.exists() else None)


def _refuse_other_data(settings: Settings, first_day: date) -> None:
    others = [night for night in Ledger(settings).nights() if night < first_day]
    if others:
        raise RingwatchError(
            f"{settings.home_dir} holds other data than the demo's (a night of {min(others)}):"
            " set RINGWATCH_HOME to an empty folder and call infra/demo again."
        )


def _night_on_assets(api: AirflowApi, landing: Path, night: date) -> None:
    """One night as every night goes: the load's asset starts detection, whose asset starts the ban list."""
    say(f"night of {night} in Airflow: load, and what follows on it")
    followers = {dag: set(api.runs(dag)) for dag in ("ringwatch_detect", "ringwatch_ban_list")}
    _run_dag(api, "ringwatch_load", {"landing": str(landing), "date": str(night)})
    _follow(api, "ringwatch_detect", _new_run(api, "ringwatch_detect", followers["ringwatch_detect"]))
    _decide(api, _ban_list_run(api, followers["ringwatch_ban_list"], night), night)


def _night_with_training(api: AirflowApi, landing: Path, night: date) -> None:
    """The first night: there is no model yet, so detection waits for one."""
    say(f"night of {night} in Airflow: load, train, detect, ban list")
    conf = {"landing": str(landing), "date": str(night)}
    api.wait_for_dag("ringwatch_detect")
    api.set_paused("ringwatch_detect", True)
    try:
        _run_dag(api, "ringwatch_load", conf)
        _run_dag(api, "ringwatch_train", conf)
    finally:
        api.set_paused("ringwatch_detect", False)
    known = set(api.runs("ringwatch_ban_list"))
    _run_dag(api, "ringwatch_detect", conf)
    _decide(api, _ban_list_run(api, known, night), night)


def _decide(api: AirflowApi, run_id: str, night: date) -> None:
    """Answer the question whether the ban list may go out, as the person of the demo, and wait until it is."""
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


def _ban_list_run(api: AirflowApi, known: set[str], night: date) -> str:
    """The new run that proposes a night's list: a detection that caught up on several nights has started others."""
    dag = "ringwatch_ban_list"

    def found() -> str | None:
        proposed = (run for run in set(api.runs(dag)) - known if api.task_states(dag, run).get("propose") == "success")
        return next((run for run in proposed if api.xcom(dag, run, "propose")["date"] == str(night)), None)

    return str(_wait_for(found, f"the proposal of {night}"))


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
