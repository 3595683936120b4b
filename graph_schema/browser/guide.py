"""The guide that opens beside the graph in Neo4j Browser: the night at a glance, its questions, queries to click.

A guide is HTML of Neo4j Browser's own kind: slides; `pre.runnable` has an icon that runs it, an `exec-topic` is a
command that runs when clicked, and what is typed into an input of `value-for` appears in the `value-key` of that name.
"""

from html import escape

from ringwatch.graph_schema.browser.decision import decision_query
from ringwatch.graph_schema.browser.glance import Glance
from ringwatch.graph_schema.browser.marks import DECIDED, SAID, Mark
from ringwatch.graph_schema.browser.queries import ACCOUNT, NIGHT, RING, GuideQuery


def guide_html(glance: Glance | None) -> str:
    """The guide as it stands after a night; None before the first."""
    slides = (
        _slide("Tonight", _tonight(glance)),
        _slide("A ring", _choose("ring", glance), *map(_query, RING)),
        _slide("An account", _choose("account", glance), *map(_query, ACCOUNT)),
        _slide("Decide", _deciding()),
        _slide("Colours", _colours()),
    )
    deck = "".join(slides)
    return f'<article class="guide"><carousel class="deck container-fluid">{deck}</carousel></article>\n'


def saved_queries() -> str:
    """All queries as one .cypher file, each under its title, for those who keep queries of their own."""
    titled = [(query.title, query.cypher) for query in (*NIGHT, *RING, *ACCOUNT)]
    titled += [(f"Decide on the {label.lower()}", _decision(label)) for label in ("Ring", "Account")]
    return "\n".join(f"// {title}\n{cypher.strip()};\n" for title, cypher in titled)


def _tonight(glance: Glance | None) -> str:
    if glance is None:
        return "<p>No night has been detected yet. Run <code>ringwatch nightly</code>, and connect again.</p>"
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in glance.facts)
    head = f"<p>Night of {escape(glance.date)}.</p><ul>{facts}</ul>"
    if glance.report_url:
        head += f'<p><a href="{escape(glance.report_url)}" target="_blank">The night\'s report</a></p>'
    return head + "".join(map(_query, NIGHT)) + "<p>To the ring in question: <em>Next</em>.</p>"


def _choose(parameter: str, glance: Glance | None) -> str:
    """How to set a parameter: by a click on one of the night's questions, or by typing an id."""
    questions = [
        each for each in (glance.questions if glance else ()) if (each.kind == "ring") == (parameter == "ring")
    ]
    listed = "".join(
        f"<li><a exec-topic={_attribute(f'param {parameter} => {_literal(each.id)}')}>{escape(each.id)}</a>"
        f" {escape(each.why)}</li>"
        for each in questions
    )
    chosen = f"<p>Click one of the night's questions to set <code>${parameter}</code>:</p><ul>{listed}</ul>"
    typed = (
        f"<p>Or type any {parameter}'s id, then run the line below it:</p>"
        f'<input type="text" value-for="{parameter}" placeholder="{parameter} id">'
        + _runnable(f':param {parameter} => "<span value-key="{parameter}">ID</span>"')
        + f"<p>Each query below asks about <code>${parameter}</code>. Its round arrow runs it.</p>"
    )
    return (chosen if listed else "") + typed


def _deciding() -> str:
    inputs = "".join(
        f'<p>{says}</p><input type="text" value-for="{name}" placeholder="{name}">'
        + _runnable(f':param {name} => "<span value-key="{name}"></span>"')
        for name, says in (
            ("by", "Your name, as <code>$by</code>. Type it, and run the line below."),
            ("reason", "Why, as <code>$reason</code>, in words that the account's owner may read in an appeal."),
        )
    )
    chosen = "".join(
        f"<li><a exec-topic={_attribute(f'param decision => {_literal(mark.value)}')}>{mark.value}</a></li>"
        for mark in DECIDED
    )
    return (
        "<p>All of it is written or nothing, and the answer says why. A decision on a ring holds for the members it has"
        " now; it counts from the next night on, outranks every score, and is a label for the next training.</p>"
        f"{inputs}<p>What you decide, as <code>$decision</code>:</p><ul>{chosen}</ul>"
        + "".join(
            f"<h4>Decide on ${label.lower()}</h4>" + _runnable(escape(_decision(label)))
            for label in ("Ring", "Account")
        )
        + "<p>To decide against another person, talk to them; then"
        " <code>ringwatch review decide … --overrule</code>.</p>"
    )


def _colours() -> str:
    says = "".join(f"<li>{_dot(mark, 'background')} {mark.says}</li>" for mark in SAID)
    rims = "".join(f"<li>{_dot(mark, 'border')} {mark.says}</li>" for mark in DECIDED)
    return (
        "<p>Large: a ring. Middle: an account, blue when it is clear. Small and grey: what accounts use.</p>"
        f'<ul style="list-style: none; padding: 0">{says}{rims}</ul>'
        "<p>Labels repeat <code>fraud_label</code> and <code>review_decision</code>, for colours go by label.</p>"
    )


def _dot(mark: Mark, part: str) -> str:
    look = f"background: {mark.colour}" if part == "background" else f"border: 4px solid {mark.colour}"
    return (
        f'<span style="display: inline-block; box-sizing: border-box; width: 16px; height: 16px; border-radius: 50%;'
        f' {look}"></span>'
    )


def _decision(label: str) -> str:
    return decision_query(label, overrule="false")


def _query(query: GuideQuery) -> str:
    return f"<h4>{escape(query.title)}</h4><p>{escape(query.says)}</p>" + _runnable(escape(query.cypher))


def _runnable(html: str) -> str:
    return f'<pre class="pre-scrollable code runnable" style="max-height: 6.5em">{html}</pre>'


def _slide(title: str, *parts: str) -> str:
    return f'<slide class="row-fluid"><div class="col-sm-12"><h3>{title}</h3>{"".join(parts)}</div></slide>'


def _literal(text: str) -> str:
    """A Cypher string: ids are opaque, and may hold quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _attribute(text: str) -> str:
    return f'"{escape(text, quote=True)}"'
