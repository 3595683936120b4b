"""An analyst's evening in a real Neo4j Browser: the guide opens, a ring is decided on, and the next night heeds it.

Screenshots are kept in `test-artefacts/`.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright
from tests.builders.about_now import NIGHTS, find_the_ring, play
from tests.builders.deliveries import RING, deliver_a_ring

from ringwatch.infra.browser import HOW_TO_INSTALL, find_browser
from ringwatch.infra.neo4j import server as embedded
from ringwatch.pipelines.ban_list.rules.candidates import find_candidates
from ringwatch.pipelines.ban_list.rules.policy import POLICY

pytestmark = pytest.mark.timeout(600)

ARTEFACTS = Path(__file__).resolve().parents[2] / "test-artefacts"
# No sandbox: root has none. No background traffic: there may be no network.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a headless Chromium; without one the test is skipped, but where everything must be tested it fails."""
    found = find_browser()
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(HOW_TO_INSTALL)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        yield page
        page.screenshot(path=ARTEFACTS / "last.png")
        browser.close()


@pytest.fixture
def settings(server_settings, driver):
    """Settings of the run's own server: its desk serves what nights of the same home leave."""
    return server_settings


@pytest.fixture
def ring_id(settings, driver, tmp_path):
    """The ring that the first of two nights found; the second is delivered, and not loaded."""
    deliver_a_ring(tmp_path / "landing", NIGHTS)
    return find_the_ring(settings, driver, tmp_path / "landing")


def connect(page: Page, server: embedded.Neo4jStatus) -> None:
    page.goto(server.browser_url)
    page.get_by_test_id("password").fill(Path(server.password_file).read_text())
    page.get_by_test_id("connect").click()


def turn_to(page: Page, slide: str) -> None:
    while not page.get_by_role("heading", name=slide, exact=True).last.is_visible():
        page.get_by_text("Next", exact=True).last.click()


def click_query(page: Page, title: str, answer: str) -> Locator:
    """Click a query of the guide by its title, and wait for the part of its frame, the newest, that is the answer."""
    page.locator(f'h4:text-is("{title}") ~ pre.runnable').first.locator("i").click()
    found = page.get_by_test_id("frame").first.locator(answer)
    expect(found).not_to_have_count(0, timeout=30_000)
    return found


def set_parameter(page: Page, name: str, value: str) -> None:
    page.locator(f'input[value-for="{name}"]:visible').press_sequentially(value)
    page.locator(f'pre.runnable:has(span[value-key="{name}"]):visible').locator("i").click()
    expect(page.get_by_test_id("frame").first).to_contain_text(value)


def test_an_analyst_sees_the_night_looks_at_a_ring_and_decides(page, neo4j_server, settings, driver, ring_id, tmp_path):
    ARTEFACTS.mkdir(exist_ok=True)
    connect(page, neo4j_server)
    expect(page.get_by_role("heading", name="Tonight").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text(f"Night of {NIGHTS[0]}")).to_be_visible()
    with page.expect_popup() as popup:
        page.get_by_text("The night's report").click()
    expect(popup.value.get_by_role("heading", name=f"Night of {NIGHTS[0]}")).to_be_visible()
    popup.value.screenshot(path=ARTEFACTS / "report.png", full_page=True)
    click_query(page, "What to look at first", f"td:has-text('{ring_id}')")
    page.screenshot(path=ARTEFACTS / "guide.png")

    turn_to(page, "A ring")
    page.locator(f'a[exec-topic*="{ring_id}"]').click()
    assert click_query(page, "The ring, as a picture", "svg g.node").count() > len(RING)
    page.screenshot(path=ARTEFACTS / "ring.png")

    turn_to(page, "Decide")
    set_parameter(page, "by", "Kim")
    set_parameter(page, "reason", "one device and one template")
    page.locator("a[exec-topic]:visible", has_text="fake").click()
    click_query(page, "Decide on $ring", "td:has-text('fake is decided by Kim')")
    page.screenshot(path=ARTEFACTS / "decided.png")

    play(settings, driver, tmp_path / "landing", 1)
    listed = find_candidates(settings, night=NIGHTS[1], policy=POLICY).listed
    assert {account_id: entry.decided_by for account_id, entry in listed.items()} == dict.fromkeys(RING, "person: Kim")
