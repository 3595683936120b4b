"""Write a run's scores and rings into the graph, as properties and nodes that analysts read.

`review_*` is never written. A ring that is gone leaves the graph, unless a person has decided on it.

Every score moves a little each night, for accounts grow older. In the graph it has three digits, so that most accounts'
properties stay as the run before left them: only the others' are sent, and the server itself puts the run's name on
the rest. The run that the graph shows is marked as standing once all of it is there; what it said is read where it is
kept.
"""

import logging
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from neo4j import Driver

from ringwatch.graph_schema.cypher import to_neo4j
from ringwatch.graph_schema.signals import Kind
from ringwatch.models.scoring.detection import Detection
from ringwatch.pipelines.common.clock import end_of
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.common.sql import open_connection
from ringwatch.pipelines.graph.client import WRITE_PAGE, run, run_in_batches, write_table
from ringwatch.pipelines.review.in_graph import put_before_analysts
from ringwatch.pipelines.runs.store import Run, read_run, read_run_table, run_nights

_log = logging.getLogger(__name__)

_TIME = Kind.TIMESTAMP

_DIGITS = 3
_STANDING = "MATCH (r:DetectionRun {stands: true}) RETURN r.run_id AS run_id, r.date AS date"
_NONE_STANDS = "MATCH (r:DetectionRun {stands: true}) REMOVE r.stands"
_UNSCORED = "MATCH (a:Account) WHERE a.fraud_score IS NULL RETURN collect(a.account_id) AS account_id"
_RUN_FACTS = (
    "a.fraud_run_id = $run_id, a.fraud_model_version = $model_version,"
    f" a.fraud_scored_at = {to_neo4j(_TIME, '$scored_at')}"
)
_ACCOUNTS = f"""
UNWIND range(0, size($account_id) - 1) AS i MATCH (a:Account {{account_id: $account_id[i]}})
SET a.fraud_score = $fraud_score[i], a.fraud_label = $fraud_label[i], a.fraud_ring_id = $ring_id[i],
    a.fraud_reasons = $reasons[i], {_RUN_FACTS}
"""
_RUN_OF_THE_OTHERS = f"""
MATCH (a:Account) WHERE a.fraud_run_id <> $run_id
CALL (a) {{ SET {_RUN_FACTS} }} IN TRANSACTIONS OF {WRITE_PAGE} ROWS
"""
_RINGS = f"""
UNWIND range(0, size($ring_id) - 1) AS i MERGE (g:Ring {{ring_id: $ring_id[i]}})
SET g.n_accounts = $n_accounts[i], g.n_new_accounts = $n_new_accounts[i], g.fraud_score = $fraud_score[i],
    g.fraud_label = $fraud_label[i], g.fraud_reasons = $reasons[i], g.fraud_run_id = $run_id,
    g.first_seen_at = {to_neo4j(_TIME, "$first_seen_at[i]")}, g.last_seen_at = {to_neo4j(_TIME, "$last_seen_at[i]")}
"""
_MEMBERS = """
UNWIND range(0, size($ring_id) - 1) AS i
MATCH (a:Account {account_id: $account_id[i]}) MATCH (g:Ring {ring_id: $ring_id[i]})
MERGE (a)-[m:MEMBER_OF_RING]->(g) SET m.run_id = $run_id, m.membership = $membership[i]
"""
# Members that this run does not name: another run's, or this run's before a part of it was corrected.
_FORMER_MEMBERS = """
MATCH ()-[m:MEMBER_OF_RING]->() WHERE m.run_id <> $run_id WITH m LIMIT $page_size DELETE m RETURN count(*) AS n
"""
_FORMER_RINGS = """
MATCH (g:Ring) WHERE g.fraud_run_id <> $run_id AND g.review_decision IS NULL
WITH g LIMIT $page_size DETACH DELETE g RETURN count(*) AS n
"""
_RUN = """
OPTIONAL MATCH (former:DetectionRun {date: $date}) WHERE former.run_id <> $run_id
DETACH DELETE former
WITH count(*) AS n
MERGE (r:DetectionRun {run_id: $run_id})
SET r += $facts, r.date = $date, r.stands = true
"""


def scored_at(run: Run) -> datetime:
    """The time of a run: the end of its night, so that a night run again gives the same."""
    return end_of(run.date)


def write_back(settings: Settings, driver: Driver, run_: Run, detection: Detection) -> int:
    """Put a run in the place of the one that stands; the DetectionRun node comes last and says that this one does.

    Returns:
        Records sent.
    """
    changed = _changed_accounts(settings, driver, detection.accounts)
    _log.info(
        "writing %s scores that changed and %s rings back", f"{changed.num_rows:,}", f"{detection.rings.num_rows:,}"
    )
    run(driver, _NONE_STANDS)
    facts = {"run_id": run_.run_id}
    of_account = {
        **facts,
        "model_version": run_.model_version,
        "scored_at": int(scored_at(run_).timestamp()) * 1_000_000,
    }
    write_table(driver, _ACCOUNTS, changed, **of_account)
    run_in_batches(driver, _RUN_OF_THE_OTHERS, **of_account)
    write_table(driver, _RINGS, detection.rings, **facts)
    write_table(driver, _MEMBERS, detection.members, **facts)
    for query in (_FORMER_MEMBERS, _FORMER_RINGS):
        while run(driver, query, **facts, page_size=WRITE_PAGE)[0]["n"]:
            pass
    put_before_analysts(settings, driver, run_, detection)
    run(driver, _RUN, **facts, date=run_.date, facts=_run_properties(run_))
    return int(changed.num_rows + detection.rings.num_rows + detection.members.num_rows)


def _changed_accounts(settings: Settings, driver: Driver, accounts: pa.Table) -> pa.Table:
    """Those of a run's accounts whose properties in the graph are not what they are to be, scores rounded."""
    shown = _as_shown(accounts)
    stood = _what_stands(settings, driver)
    if stood is None:
        return shown
    [unscored] = run(driver, _UNSCORED)
    with open_connection() as connection:
        connection.register("shown", shown)
        connection.register("stood", _as_shown(stood))
        connection.register("unscored", pa.table({"account_id": pa.array(unscored["account_id"], pa.string())}))
        return connection.sql(
            "FROM (FROM shown EXCEPT FROM stood UNION FROM shown WHERE account_id IN (FROM unscored))"
            " ORDER BY account_id"
        ).to_arrow_table()


def _as_shown(accounts: pa.Table) -> pa.Table:
    position = accounts.column_names.index("fraud_score")
    return accounts.set_column(position, "fraud_score", pc.round(accounts["fraud_score"], _DIGITS))


def _what_stands(settings: Settings, driver: Driver) -> pa.Table | None:
    """What the run that the graph shows said of accounts; None where none stands, or it is not kept any more."""
    for standing in run(driver, _STANDING):
        night = standing["date"].to_native()
        if night in run_nights(settings) and read_run(settings, night).run_id == standing["run_id"]:
            return read_run_table(settings, night, "accounts")
    return None


def _run_properties(run_: Run) -> dict[str, object]:
    return {
        "model_version": run_.model_version,
        "is_default": run_.is_default,
        "threshold_suspicious": run_.thresholds.suspicious,
        "threshold_watch": run_.thresholds.watch,
        **run_.counts,
    }


def count_labels(table: pa.Table) -> dict[str, int]:
    """Rows of an accounts or rings table by fraud label."""
    return {
        label: pc.sum(pc.equal(table["fraud_label"], label)).as_py() or 0 for label in ("suspicious", "watch", "clear")
    }
