"""The guide as HTML, the style sheet and the saved queries: all of it is there, and ids cannot break out."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwatch.graph_schema.browser.glance import GLANCE_FILE, Asked, Glance, read_glance
from ringwatch.graph_schema.browser.guide import guide_html, saved_queries
from ringwatch.graph_schema.browser.marks import DECIDED, SAID
from ringwatch.graph_schema.browser.queries import QUERIES
from ringwatch.graph_schema.browser.style import grass
from ringwatch.graph_schema.graph import NODES
from ringwatch.pipelines.common.atomic_file import write_json

pytestmark = pytest.mark.unit


class Guide(HTMLParser):
    """What a browser makes of a guide: commands behind links, texts that run, links out."""

    def __init__(self, html):
        super().__init__()
        self.commands, self.runnable, self.links, self.tags, self._in_pre = [], [], [], [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        if "exec-topic" in found:
            self.commands.append(found["exec-topic"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag == "pre":
            self._in_pre = True
            self.runnable.append("")

    def handle_endtag(self, tag):
        self._in_pre = self._in_pre and tag != "pre"

    def handle_data(self, data):
        if self._in_pre:
            self.runnable[-1] += data


def glance(*questions, report_url=None):
    return Glance("2026-04-01", ("20 accounts scored.",), questions, report_url)


def test_every_query_is_there_to_be_clicked_as_it_will_run():
    runnable = Guide(guide_html(glance())).runnable
    assert {query.cypher for query in QUERIES} <= set(runnable)
    assert sum(text.startswith("MATCH (n:Ring {ring_id: $ring})") for text in runnable) == 1


def test_a_click_on_a_question_sets_the_parameter_of_its_section():
    guide = Guide(guide_html(glance(Asked("ring", "ring-1", "new"), Asked("audit", "a1", "at random"))))
    assert 'param ring => "ring-1"' in guide.commands
    assert 'param account => "a1"' in guide.commands


@given(st.text(min_size=1, max_size=128))
def test_no_id_breaks_out_of_its_place(id_):
    guide = Guide(guide_html(glance(Asked("account", id_, id_))))
    plain = Guide(guide_html(glance(Asked("account", "plain", "plain"))))
    assert guide.tags == plain.tags
    [command] = [each for each in guide.commands if each.startswith("param account")]
    literal = command.removeprefix("param account => ")
    assert literal[0] == literal[-1] == '"'
    assert literal[1:-1].replace("\\\\", "").replace('\\"', "").count('"') == 0


def test_the_report_is_linked_where_it_is_served():
    assert Guide(guide_html(glance(report_url="http://127.0.0.1:1/x/report.html"))).links == [
        "http://127.0.0.1:1/x/report.html"
    ]
    assert Guide(guide_html(glance())).links == []


def test_before_the_first_night_it_says_what_to_run():
    assert "ringwatch nightly" in guide_html(None)


def test_a_glance_is_read_as_it_was_written(tmp_path):
    assert read_glance(tmp_path, None) is None
    questions = [{"kind": "ring", "id": "r", "why": "why"}]
    write_json({"date": "2026-04-01", "facts": ["one"], "questions": questions}, tmp_path / GLANCE_FILE)
    found = read_glance(tmp_path, "http://127.0.0.1:1/x")
    assert found == Glance(
        "2026-04-01", ("one",), (Asked("ring", "r", "why"),), "http://127.0.0.1:1/x/reports/date=2026-04-01/report.html"
    )


def test_every_kind_of_node_and_every_mark_has_its_look():
    sheet = grass()
    for label in [*(node.label for node in NODES), *(mark.label for mark in (*SAID, *DECIDED)), "Ring"]:
        assert f"node.{label} {{" in sheet


def test_saved_queries_are_titled_and_end():
    saved = saved_queries().split("\n\n")
    assert len(saved) == len(QUERIES) + 2
    assert all(each.startswith("// ") and each.rstrip().endswith(";") for each in saved)
