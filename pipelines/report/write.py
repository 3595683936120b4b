"""Write a night's report, and what the guide says of the newest night."""

from collections import Counter
from datetime import date
from pathlib import Path

from ringwatch.graph_schema.browser.glance import GLANCE_FILE
from ringwatch.models.explain.wording import count
from ringwatch.pipelines.common.atomic_file import write_json, write_text
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.report.facts import NightFacts, gather_facts
from ringwatch.pipelines.report.page import report_page
from ringwatch.pipelines.review.queue import AUDIT, read_queue
from ringwatch.pipelines.runs.store import run_nights

_N_QUESTIONS = 20  # that the guide lists, to be clicked


def write_report(settings: Settings, night: date) -> Path:
    """Write the report of a night that has been detected, and the glance if it is the newest; returns where it is.

    Raises:
        RingwatchError: the night has not been detected.
    """
    facts, file = gather_facts(settings, night), settings.report_file(night)
    write_text(report_page(facts), file)
    if night == run_nights(settings)[-1]:
        asked = [
            {"kind": each.kind, "id": each.id, "why": each.why} for each in read_queue(settings, limit=_N_QUESTIONS)
        ]
        kept = {"date": night, "facts": glance_facts(facts), "questions": asked}
        write_json(kept, settings.desk_dir / GLANCE_FILE)
    return file


def glance_facts(facts: NightFacts) -> list[str]:
    """A night in a few sentences."""
    counts, version = facts.run.counts, facts.run.model_version
    n = Counter(each.kind for each in facts.rings)
    asked = [each for each in facts.questions if each["kind"] != AUDIT]
    since = f", the oldest since {min(each['asked_since'] for each in asked)}" if asked else ""
    return [
        f"{counts['n_accounts']:,} accounts scored by {version}: {counts['n_suspicious']:,} suspicious,"
        f" {counts['n_watch']:,} watched.",
        f"{count(facts.n_rings, 'ring')}: {n['new']:,} new, {n['grown']:,} grown, {n['gone']:,} gone.",
        f"{count(len(asked), 'question')} for people{since}; {count(len(facts.questions) - len(asked), 'account')}"
        " drawn at random.",
        *(f"The ban list is held: {reason}." for reason in facts.held),
    ]
