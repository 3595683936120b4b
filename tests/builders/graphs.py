"""A whole graph as sets of tuples, to compare and to read."""

import json
from typing import Any

from neo4j import Driver

from ringwatch.graph_schema.graph import NODES
from ringwatch.pipelines.graph.client import run

Graph = tuple[set[tuple[str, ...]], set[tuple[str, ...]]]

_SIGNAL_NODES = "WHERE n:" + "|".join(node.label for node in NODES)
_KIND = "[label IN labels(n) WHERE label IN $kinds]"  # an account bears marks of what is thought of it besides


def signal_graph(driver: Driver) -> Graph:
    """Nodes (label, properties) and relationships (start, type, end, properties) made from signals."""
    kinds = [node.label for node in NODES]
    nodes = run(driver, f"MATCH (n) {_SIGNAL_NODES} RETURN {_KIND} AS label, properties(n) AS properties", kinds=kinds)
    relationships = run(
        driver,
        "MATCH (a)-[r]->(b) WHERE NOT b:Ring AND NOT a:ReviewQuestion"
        " RETURN properties(a) AS a, type(r) AS type, properties(b) AS b, properties(r) AS properties",
    )
    return (
        {(str(n["label"]), _text(n["properties"])) for n in nodes},
        {(_text(r["a"]), r["type"], _text(r["b"]), _text(r["properties"])) for r in relationships},
    )


def pairs(driver: Driver, type_: str) -> set[tuple[str, str]]:
    """Both keys of every relationship of a type."""
    query = f"MATCH (a)-[r:{type_}]->(b) RETURN a, b"
    return {(_key(record["a"]), _key(record["b"])) for record in run(driver, query)}


def _key(node: dict[str, Any]) -> str:
    names = [declared.key for declared in NODES]
    return next(str(node[name]) for name in names if name in node)


def _text(properties: dict[str, Any]) -> str:
    signal = {name: value for name, value in properties.items() if not name.startswith("fraud_")}
    return json.dumps(signal, sort_keys=True, default=str)
