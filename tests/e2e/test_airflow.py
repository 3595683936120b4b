"""Nights through a real Airflow into a real Neo4j, and the ways in which a ban list's approval can come."""

import csv
import time
from datetime import date
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow_client.client.api.dag_api import DAGApi
from airflow_client.client.api.task_api import TaskApi
from tests.builders.deliveries import at, deliver
from tests.builders.nights import Judged, detected_night

from ringwatch.infra.airflow import server as airflow_server
from ringwatch.infra.airflow.api import ENDED
from ringwatch.infra.airflow.record import read_record
from ringwatch.infra.process.sessions import members
from ringwatch.models.data.snapshot import read_snapshot
from ringwatch.models.registry.drift import SCORE
from ringwatch.models.registry.store import Registry
from ringwatch.models.scoring.scoring import score
from ringwatch.pipelines.ban_list import approve, read_decision, reject
from ringwatch.pipelines.ban_list.published import read_published
from ringwatch.pipelines.ban_list.rules.policy import POLICY
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.evaluation.benchmarks.import_p2p import import_p2p
from ringwatch.pipelines.graph.client import connect
from ringwatch.pipelines.nightly.backfill import backfill

pytestmark = pytest.mark.timeout(900)

CUT = Path(__file__).resolve().parents[1] / "data" / "p2p"
DAGS = ("ringwatch_load", "ringwatch_detect", "ringwatch_train", "ringwatch_ban_list")
RING = {f"fake-{i}": Judged(ring_id="ring-1", cards=("card-a",)) for i in range(3)}


@pytest.fixture(scope="module")
def settings(tmp_path_factory, neo4j_server):
    """One home for all tests of this file: starting Airflow takes half a minute."""
    return Settings(
        _env_file=None,
        home=tmp_path_factory.mktemp("airflow") / "home",
        retention_days=0,
        signing_key="secret",
        neo4j_uri=neo4j_server.uri,
        neo4j_password_file=Path(neo4j_server.password_file),
    )


@pytest.fixture(scope="module")
def airflow(settings, session_driver):
    session_driver.execute_query("MATCH (n) DETACH DELETE n")
    try:
        airflow_server.start(settings)
        yield settings
    finally:
        airflow_server.stop(settings)


@pytest.fixture
def api(airflow):
    return airflow_server.api(airflow)


def wait_for(look, what, timeout_s=400):
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.5)
    return found


def end_of(api, dag, run_id):
    """The state in which a run ended, and those of its tasks."""
    state = wait_for(lambda: (now := api.run_state(dag, run_id)) in ENDED and now, f"the end of {dag} {run_id}")
    return state, api.task_states(dag, run_id)


def question_of(api, run_id):
    return wait_for(lambda: api.questions("ringwatch_ban_list", run_id), "the question")[0]


def new_run(api, dag, known):
    return wait_for(lambda: set(api.runs(dag)) - known, f"a run of {dag}").pop()


def test_every_dag_meets_the_policy(api):
    for dag in DAGS:
        api.wait_for_dag(dag)
    assert api.import_errors() == []
    dags, tasks = DAGApi(api.client), TaskApi(api.client)
    for dag in DAGS:
        facts = dags.get_dag_details(dag)
        assert facts.owners == ["ringwatch"]
        assert {tag.name for tag in facts.tags} == {"ringwatch"}
        assert not facts.is_paused
        assert not facts.catchup
        assert facts.dag_run_timeout
        assert "**" in facts.doc_md
        for task in tasks.get_tasks(dag).tasks:
            assert task.owner == "ringwatch"
            assert task.execution_timeout or task.task_id == "ask"  # which waits for a person, seven days


def test_it_listens_on_this_machine_only(airflow):
    record = read_record(airflow)
    listening = {
        connection.laddr.ip
        for session in record.sessions
        for process in members(session)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_starting_again_leaves_what_runs_alone(airflow):
    assert airflow_server.start(airflow) == airflow_server.status(airflow)


def agree(landing, night):
    """A second person finds fake whom one found so: against a model that knows nothing of the platform it takes two."""
    files = sorted((landing / "labels").glob("date=*/*.parquet"))
    labels = pa.concat_tables([pq.read_table(file, partitioning=None) for file in files]).to_pylist()
    fakes = [row for row in labels if row["label"] == "fake" and row["source"] == "manual_review"]
    again = [{**row, "source": "audit_sample", "labelled_at": at(night)} for row in fakes]
    deliver(landing, "labels", night, again, name="part-1.jsonl")


def likeliest_of_the_rest(settings, night, listed):
    """Whom the model that was trained for a night scores highest of those neither labelled nor listed."""
    registry, snapshot = Registry(settings.models_dir), read_snapshot(settings.snapshots_dir / f"date={night}")
    scores = score(registry.load(registry.champion_as_of(night)), snapshot).fake
    ids, known = snapshot.accounts["id"].to_pylist(), {*snapshot.labels["account_id"].to_pylist(), *listed}
    found, account_id = max((value, id_) for value, id_ in zip(scores, ids, strict=True) if id_ not in known)
    assert found > POLICY.contested_below
    return account_id


def test_a_night_goes_from_its_files_to_a_published_ban_list(api, settings):
    landing = settings.home_dir / "landing"
    import_p2p(CUT, landing)
    *history, last = sorted({folder.name.removeprefix("date=") for folder in landing.glob("*/date=*")})
    agree(landing, date.fromisoformat(last))
    with connect(settings) as driver:
        backfill(
            settings,
            driver,
            landing=landing,
            first=date.fromisoformat(history[0]),
            last=date.fromisoformat(history[-1]),
        )
    night = date.fromisoformat(last)
    known = {dag: set(api.runs(dag)) for dag in DAGS}

    load = api.trigger("ringwatch_load", {"date": last, "landing": str(landing)})
    state, tasks = end_of(api, "ringwatch_load", load)
    assert state == "success", tasks
    assert {task.split("[")[0] for task in tasks} == {"choose_night", "stage", "load_graph"}
    detect = new_run(api, "ringwatch_detect", known["ringwatch_detect"])
    assert end_of(api, "ringwatch_detect", detect)[0] == "success"
    first = new_run(api, "ringwatch_ban_list", known["ringwatch_ban_list"])
    question = question_of(api, first)
    assert last in question.subject
    api.answer(question, "Approve")
    assert end_of(api, "ringwatch_ban_list", first)[0] == "success"
    published = read_published(settings, night)
    assert published.manifest["approved_by"] == "admin"
    assert published.manifest["approved_via"] == "airflow"
    assert published.manifest["hmac"]

    # A model is trained and a reviewer decides in the graph: the list changes, and this time a command approves it.
    train = api.trigger("ringwatch_train", {"date": last})
    assert end_of(api, "ringwatch_train", train)[0] == "success"
    account_id = likeliest_of_the_rest(settings, night, {entry.account_id for entry in published.entries()})
    with connect(settings) as driver:
        driver.execute_query(
            "MATCH (a:Account {account_id: $account_id})"
            " SET a.review_decision = 'fake', a.reviewed_by = 'Grace', a.reviewed_at = datetime($at)",
            account_id=account_id,
            at=f"{last}T23:59:00Z",
        )
    detect = api.trigger("ringwatch_detect", {"date": last})
    assert end_of(api, "ringwatch_detect", detect)[0] == "success"
    second = new_run(api, "ringwatch_ban_list", known["ringwatch_ban_list"] | {first})
    question_of(api, second)
    approve(settings, date=night, by="Ada")
    assert end_of(api, "ringwatch_ban_list", second)[0] == "success"
    assert api.questions() == []
    published = read_published(settings, night)
    assert published.manifest["approved_by"] == "Ada"
    decided_by = {entry.account_id: entry.decided_by for entry in published.entries()}
    assert decided_by[account_id] == "person: Grace"
    with (published.folder / "delta.csv").open(newline="") as file:
        assert (account_id, "ban") in {(row["account_id"], row["action"]) for row in csv.DictReader(file)}


def test_a_night_without_files_fails_once_and_says_why(api, settings, tmp_path):
    run_id = api.trigger("ringwatch_load", {"date": "1999-01-01", "landing": str(tmp_path / "nowhere")})
    state, tasks = end_of(api, "ringwatch_load", run_id)
    assert state == "failed"
    assert tasks["stage[0]"] == "failed"
    assert "nowhere" in api.task_log("ringwatch_load", run_id, "stage", map_index=0)


def test_a_decision_ends_the_wait_wherever_it_was_made(api, settings):
    """Rejected in Airflow; rejected by command; approved by command while Airflow was down."""
    nights = [date(2031, 4, day) for day in (1, 2, 3)]
    runs, hashes = [], []
    for night in nights:
        detected_night(settings, night, {**RING, f"fake-{night}": RING["fake-0"]})
        runs.append(api.trigger("ringwatch_ban_list", {"date": str(night)}))
    questions = [question_of(api, run_id) for run_id in runs]
    assert "| changes |" in questions[0].body
    hashes = [api.xcom("ringwatch_ban_list", run_id, "propose")["content_sha256"] for run_id in runs]

    api.answer(questions[0], "Reject")
    reject(settings, date=nights[1], by="Ada")
    for night, run_id, sha, via in zip(nights, runs, hashes, ("airflow", "command"), strict=False):
        state, tasks = end_of(api, "ringwatch_ban_list", run_id)
        assert (state, tasks["publish"]) == ("success", "skipped")
        assert read_decision(settings, night, sha).via == via
        assert read_published(settings, night) is None

    airflow_server.stop(settings)
    approve(settings, date=nights[2], by="Ada")
    airflow_server.start(settings)
    api = airflow_server.api(settings)
    assert end_of(api, "ringwatch_ban_list", runs[2])[0] == "success"
    assert read_published(settings, nights[2]).manifest["approved_by"] == "Ada"


def test_a_held_list_is_told_to_be_so_and_goes_out_when_a_person_approves_all_the_same(api, settings):
    night = date(2031, 4, 4)
    detected_night(settings, night, {**RING, "fake-more": RING["fake-0"]}, drift={SCORE: 0.4})
    run_id = api.trigger("ringwatch_ban_list", {"date": str(night)})
    question = question_of(api, run_id)
    assert "**Held**: scores have moved" in question.body
    assert "report.html" in question.body
    api.answer(question, "Approve")
    assert end_of(api, "ringwatch_ban_list", run_id)[0] == "success"
    assert read_published(settings, night).manifest["held"]


def test_a_list_that_changes_nothing_goes_out_without_asking(api, settings):
    night = date(2031, 4, 5)
    detected_night(settings, night, {})
    run_id = api.trigger("ringwatch_ban_list", {"date": str(night)})
    assert end_of(api, "ringwatch_ban_list", run_id)[0] == "success"
    assert read_published(settings, night).manifest["approved_via"] == "policy"


def test_stopping_leaves_nothing_running(airflow):
    record = read_record(airflow)
    assert airflow_server.stop(airflow)
    assert not airflow_server.status(airflow).running
    assert [process for session in record.sessions for process in members(session)] == []
    assert not airflow_server.stop(airflow)
