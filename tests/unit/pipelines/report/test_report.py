"""What the report of a night says, and the glance that the guide has of it."""

from datetime import date

import pyarrow as pa
import pytest
from tests.builders.nights import Judged, detected_night

from ringwatch.graph_schema.browser.glance import read_glance
from ringwatch.models.registry.drift import SCORE
from ringwatch.models.rings.identity import RINGS_SCHEMA
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.ledger.store import write_parquet
from ringwatch.pipelines.report import write_report
from ringwatch.pipelines.report.facts import RingChange, gather_facts

pytestmark = pytest.mark.unit
NIGHTS = [date(2026, 4, 1), date(2026, 4, 2)]


@pytest.fixture
def settings(tmp_path):
    """Two nights: of three rings one stays, one grows, one goes, and one is new; a lawful group is no ring."""
    settings = Settings(_env_file=None, home=tmp_path, audits_per_night=1)
    sizes = [{"stays": 5, "grows": 5, "goes": 4}, {"stays": 5, "grows": 9, "new": 6}]
    for night, rings in zip(NIGHTS, sizes, strict=True):
        detected_night(settings, night, {"a": Judged(0.9), "b": Judged(0.2)}, drift={SCORE: 0.4, "n_requests": 0.1})
        rows = [(ring_id, n, "suspicious") for ring_id, n in rings.items()] + [("lawful", 7, "clear")]
        write_parquet(pa.Table.from_pylist([ring(*row) for row in rows], RINGS_SCHEMA), _file(settings, night))
    return settings


def ring(ring_id, n_accounts, fraud_label):
    return {"ring_id": ring_id, "n_accounts": n_accounts, "fraud_label": fraud_label, "fraud_score": 0.9, "reasons": []}


def _file(settings, night):
    return settings.runs_dir / f"date={night}" / "rings.parquet"


def test_rings_are_new_grown_or_gone_since_the_night_before(settings):
    facts = gather_facts(settings, NIGHTS[1])
    assert set(facts.rings) == {
        RingChange("grows", 0.9, "suspicious", 5, 9),
        RingChange("goes", 0.9, "suspicious", 4, 0),
        RingChange("new", 0.9, "suspicious", None, 6),
    }
    assert facts.n_rings == 3
    assert {each.was for each in gather_facts(settings, NIGHTS[0]).rings} == {None}


def test_a_question_has_waited_since_it_was_first_asked(settings):
    asked = {each["kind"]: each["asked_since"] for each in gather_facts(settings, NIGHTS[1]).questions}
    assert asked == {"account": NIGHTS[0], "audit": NIGHTS[1]}


def test_the_page_says_what_holds_the_list_and_is_the_same_each_time(settings):
    page = write_report(settings, NIGHTS[1]).read_bytes()
    assert b"The ban list is held" in page
    assert b"PSI 0.40, over 0.25" in page
    assert write_report(settings, NIGHTS[1]).read_bytes() == page
    assert page.count(b"<svg") >= 6


def test_ids_cannot_write_into_the_page(settings):
    rings = pa.Table.from_pylist([ring("<script>alert(1)</script>", 3, "watch")], RINGS_SCHEMA)
    write_parquet(rings, _file(settings, NIGHTS[1]))
    assert "<script" not in write_report(settings, NIGHTS[1]).read_text()


def test_the_guide_keeps_the_newest_night_when_an_older_one_is_reported_again(settings):
    for night in reversed(NIGHTS):
        write_report(settings, night)
    glance = read_glance(settings.desk_dir, None)
    assert glance.date == str(NIGHTS[1])
    assert "3 rings: 1 new, 1 grown, 1 gone." in glance.facts
    assert {each.kind for each in glance.questions} == {"account", "audit"}
    assert f"1 question for people, the oldest since {NIGHTS[0]}; 1 account drawn at random." in glance.facts
