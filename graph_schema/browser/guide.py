"""The guide that opens beside the graph in Neo4j Browser: the night at a glance, its questions, queries to click."""

from ringwatch.graph_schema.browser.decision import decision_query
from ringwatch.graph_schema.browser.glance import Glance
from ringwatch.graph_schema.browser.marks import DECIDED, SAID
from ringwatch.graph_schema.browser.queries import ACCOUNT, NIGHT, RING
from ringwatch.graph_schema.templates import render


def guide_html(glance: Glance | None) -> str:
    """The guide as it stands after a night; None before the first."""
    return render(
        "graph_schema/browser/guide.html.j2",
        glance=glance,
        night=NIGHT,
        ring=RING,
        account=ACCOUNT,
        ring_questions=_questions("ring", glance),
        account_questions=_questions("account", glance),
        choices=[{"value": mark.value, "command": _set("decision", mark.value)} for mark in DECIDED],
        decisions=_decisions(),
        said=SAID,
        decided=DECIDED,
    )


def saved_queries() -> str:
    """All queries as one .cypher file, each under its title, for those who keep queries of their own."""
    titled = [(query.title, query.cypher) for query in (*NIGHT, *RING, *ACCOUNT)]
    titled += [(f"Decide on the {label.lower()}", cypher) for label, cypher in _decisions()]
    return "\n".join(f"// {title}\n{cypher.strip()};\n" for title, cypher in titled)


def _questions(parameter: str, glance: Glance | None) -> list[dict[str, str]]:
    """The night's questions about rings, or about accounts, each with the command that sets the parameter to its id."""
    return [
        {"id": each.id, "why": each.why, "command": _set(parameter, each.id)}
        for each in (glance.questions if glance else ())
        if (each.kind == "ring") == (parameter == "ring")
    ]


def _decisions() -> list[tuple[str, str]]:
    return [(label, decision_query(label, overrule="false")) for label in ("Ring", "Account")]


def _set(parameter: str, text: str) -> str:
    """The command that sets a parameter to a Cypher string: ids are opaque, and may hold quotes."""
    literal = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'param {parameter} => "{literal}"'
