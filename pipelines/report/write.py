"""Write a night's report, and what the guide says of the newest night."""

from datetime import date
from pathlib import Path

from graph_schema.browser.glance import Asked, write_glance
from models.wording import count
from pipelines.report.facts import NightFacts, gather_facts
from pipelines.report.page import report_page
from pipelines.review.queue import AUDIT, read_queue
from pipelines.runs import run_nights
from pipelines.settings import Settings

_N_QUESTIONS = 20  # that the guide lists, to be clicked


def write_report(settings: Settings, night: date) -> Path:
    """Write the report of a night that has been detected, and the glance if it is the newest; returns where it is.

    Raises:
        RingwatchError: the night has not been detected.
    """
    facts, file = gather_facts(settings, night), settings.report_file(night)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(report_page(facts))
    partial.replace(file)
    if night == run_nights(settings)[-1]:
        asked = [Asked(each.kind, each.id, each.why) for each in read_queue(settings, limit=_N_QUESTIONS)]
        write_glance(settings.desk_dir, str(night), glance_facts(facts), asked)
    return file


def glance_facts(facts: NightFacts) -> list[str]:
    """A night in a few sentences."""
    counts, version = facts.run.counts, facts.run.model_version
    new = sum(each.was is None for each in facts.rings)
    gone = sum(each.n_accounts == 0 for each in facts.rings)
    grown = sum(each.was is not None and each.n_accounts > each.was for each in facts.rings)
    asked = [each for each in facts.questions if each["kind"] != AUDIT]
    since = f", the oldest since {min(each['asked_since'] for each in asked)}" if asked else ""
    return [
        f"{counts['n_accounts']:,} accounts scored by {version}: {counts['n_suspicious']:,} suspicious,"
        f" {counts['n_watch']:,} watched.",
        f"{count(facts.n_rings, 'ring')}: {new:,} new, {grown:,} grown, {gone:,} gone.",
        f"{count(len(asked), 'question')} for people{since}; {count(len(facts.questions) - len(asked), 'account')}"
        " drawn at random.",
        *(f"The ban list is held: {reason}." for reason in facts.held),
    ]
