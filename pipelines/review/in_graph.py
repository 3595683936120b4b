"""A night's work before analysts, in the graph: what to ask them, how rings grew, and labels that colour nodes."""

import pyarrow as pa
import pyarrow.compute as pc
from neo4j import Driver

from ringwatch.graph_schema.browser.marks import SAID, put_marks
from ringwatch.models.scoring.detection import Detection
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.graph.client import run, to_lists, write_table
from ringwatch.pipelines.review.queue import RING, first_questions
from ringwatch.pipelines.runs.store import Run, nights_up_to, read_run_table

_N_QUESTIONS = 200
_GROWTH = """
UNWIND range(0, size($ring_id) - 1) AS i MATCH (g:Ring {ring_id: $ring_id[i]})
SET g.history_nights = $nights[i], g.history_n_accounts = $n_accounts[i]
"""
# In one transaction, so that whoever looks sees one night's questions. What a person had decided when a question was
# asked is noted: once they decide anew, it is answered.
_QUESTIONS = """
CALL () { MATCH (former:ReviewQuestion) DETACH DELETE former }
UNWIND range(0, size($id) - 1) AS i
OPTIONAL MATCH (g:Ring {ring_id: $id[i]}) WHERE $kind[i] = $ring
OPTIONAL MATCH (a:Account {account_id: $id[i]}) WHERE $kind[i] <> $ring
WITH i, coalesce(g, a) AS about WHERE about IS NOT NULL
CREATE (q:ReviewQuestion {rank: i + 1, kind: $kind[i], id: $id[i], n_open: $n_open[i], worth: $worth[i],
    why: $why[i], asked_since: $asked_since[i], run_id: $run_id,
    reviewed_before: coalesce(toString(about.reviewed_at), '')})-[:ABOUT]->(about)
"""


def put_before_analysts(settings: Settings, driver: Driver, run_: Run, detection: Detection) -> None:
    """Write the questions, growth and marks of a run whose scores and rings are in the graph."""
    write_table(driver, _GROWTH, _growth(settings, run_, detection.rings["ring_id"]))
    _write_marks(driver, detection)
    asked = first_questions(read_run_table(settings, run_.date, "questions"), _N_QUESTIONS)
    run(driver, _QUESTIONS, **to_lists(asked), ring=RING, run_id=run_.run_id)


def _growth(settings: Settings, run_: Run, ring_ids: pa.ChunkedArray) -> pa.Table:
    """The size of each ring in the nights that knew it, of the last month, oldest first."""
    nights: dict[str, list[str]] = {ring_id: [] for ring_id in ring_ids.to_pylist()}
    n_accounts: dict[str, list[int]] = {ring_id: [] for ring_id in nights}
    for night in nights_up_to(settings, run_.date):
        rings = read_run_table(settings, night, "rings")
        for ring_id, n in zip(rings["ring_id"].to_pylist(), rings["n_accounts"].to_pylist(), strict=True):
            if ring_id in nights:
                nights[ring_id].append(str(night))
                n_accounts[ring_id].append(n)
    return pa.table({"ring_id": list(nights), "nights": list(nights.values()), "n_accounts": list(n_accounts.values())})


def _write_marks(driver: Driver, detection: Detection) -> None:
    for label, key, table in (("Account", "account_id", detection.accounts), ("Ring", "ring_id", detection.rings)):
        for mark in SAID:
            marked = table.filter(pc.equal(table["fraud_label"], mark.value)).select([key])
            mark_nodes = f"UNWIND ${key} AS key MATCH (n:{label} {{{key}: key}}) SET n:{mark.label}"
            write_table(driver, mark_nodes, marked)
        for statement in put_marks(label):
            run(driver, statement)
