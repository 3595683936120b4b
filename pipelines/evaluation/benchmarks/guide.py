"""What the guide's queries cost on the graph that is there, asked about its busiest accounts and largest rings."""

import logging
import statistics
from dataclasses import dataclass
from typing import Any

from neo4j import Driver, Result, Session

from ringwatch.graph_schema.browser.queries import ACCOUNT, NIGHT, RING, GuideQuery
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.graph.client import run

_log = logging.getLogger(__name__)

_N_RUNS = 5
_LARGEST_RINGS = "MATCH (g:Ring) RETURN g.ring_id AS id ORDER BY g.n_accounts DESC, id LIMIT $n"
_BUSIEST = """
MATCH (a:Account) WITH a, COUNT { (a)-->() } AS n ORDER BY n DESC, a.account_id LIMIT $n RETURN a.account_id AS id
"""
_BUSIEST_MEMBERS = """
MATCH (a:Account)-[:MEMBER_OF_RING]->() WITH a, COUNT { (a)-->() } AS n ORDER BY n DESC, a.account_id LIMIT $n
RETURN a.account_id AS id
"""


@dataclass(frozen=True)
class QueryCost:
    """What one query cost at its dearest, over everything it was asked about.

    Attributes:
        name: of the query.
        n_asked: rings or accounts that it was asked about.
        n_rows: in its longest answer.
        n_widest: most rows that any step of its plan passed on.
        n_db_hits: most hits.
        first_ms: of the slowest that was asked for the first time.
        again_ms: of the slowest, the median of `_N_RUNS` runs.
        starts: operators that its plans begin with.
    """

    name: str
    n_asked: int
    n_rows: int
    n_widest: int
    n_db_hits: int
    first_ms: float
    again_ms: float
    starts: list[str]


def measure_guide(driver: Driver, *, n_asked: int) -> list[QueryCost]:
    """Measure every query of the guide.

    Args:
        driver: to a graph in which a night stands.
        n_asked: how many of the largest rings, of the busiest accounts, and of the busiest members to ask about.

    Raises:
        RingwatchError: there is no ring in the graph.
    """
    rings = [record["id"] for record in run(driver, _LARGEST_RINGS, n=n_asked)]
    if not rings:
        raise RingwatchError("there is no ring in the graph to ask about: run `ringwatch nightly` first.")
    accounts = [record["id"] for query in (_BUSIEST, _BUSIEST_MEMBERS) for record in run(driver, query, n=n_asked)]
    asked: tuple[tuple[tuple[GuideQuery, ...], list[dict[str, str]]], ...] = (
        (NIGHT, [{}]),
        (RING, [{"ring": ring} for ring in rings]),
        (ACCOUNT, [{"account": account} for account in accounts]),
    )
    costs = []
    with driver.session() as session:
        for queries, parameters in asked:
            for query in queries:
                _log.info("%s", query.title)
                costs.append(_measure(session, query, parameters))
    return costs


def _measure(session: Session, query: GuideQuery, parameters: list[dict[str, str]]) -> QueryCost:
    first_ms, again_ms, profiles, n_rows = [], [], [], []
    session.run(f"EXPLAIN {query.cypher}", parameters[0]).consume()  # its plan is kept, as on every evening but one
    for each in parameters:
        first_ms.append(_ms(session.run(query.cypher, each)))
        again_ms.append(statistics.median(_ms(session.run(query.cypher, each)) for _ in range(_N_RUNS)))
        result = session.run(f"PROFILE {query.cypher}", each)
        n_rows.append(len(list(result)))
        profiles.append(_operators(result.consume().profile or {}))
    return QueryCost(
        query.name,
        len(parameters),
        max(n_rows),
        max(operator["rows"] for profile in profiles for operator in profile),
        max(sum(operator["dbHits"] for operator in profile) for profile in profiles),
        round(max(first_ms), 1),
        round(max(again_ms), 1),
        sorted({_name(operator) for profile in profiles for operator in profile if not operator.get("children")}),
    )


def _ms(result: Result) -> float:
    """Milliseconds until the last record was there, by the server's own word."""
    summary = result.consume()
    return float((summary.result_available_after or 0) + (summary.result_consumed_after or 0))


def _operators(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(operator for child in plan.get("children", ()) for operator in _operators(child))]


def _name(operator: dict[str, Any]) -> str:
    return str(operator["operatorType"]).removesuffix("@neo4j")
