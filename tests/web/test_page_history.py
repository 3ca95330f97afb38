"""The history of this browser's questions."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from astropy.io.votable import parse
from playwright.sync_api import expect

from tests.web.steps import ask, upload

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page


@pytest.fixture
def page(tab: Page) -> Page:
    return tab


@pytest.fixture
def asked(page: Page, picture: Path) -> Page:
    """A browser that asked about two galaxies and a picture, the latest last."""
    for name in ("NGC 7331", "NGC 4565"):
        ask(page, name)
    upload(page, picture)
    page.get_by_role("link", name="History").click()
    expect(page.locator("#history tbody tr")).to_have_count(3)
    return page


def names(page: Page) -> list[str]:
    return [row.locator("td").nth(1).inner_text() for row in page.locator("#history tbody tr").all()]


def test_nothing_asked_yet_is_said_in_words(page: Page) -> None:
    page.goto("./")
    page.get_by_role("link", name="History").click()
    expect(page.locator("#history")).to_contain_text("Nothing yet.")


def test_questions_are_kept_over_a_reload_the_latest_first_and_one_asked_again_moves_up(asked: Page) -> None:
    assert names(asked) == ["disc.png", "NGC 4565", "NGC 7331"]
    asked.reload()
    expect(asked.locator("#history tbody tr")).to_have_count(3)
    assert names(asked) == ["disc.png", "NGC 4565", "NGC 7331"]
    expect(asked.locator("#history img.thumb")).to_have_count(3)
    asked.locator("#history").get_by_role("link", name="NGC 7331").click()
    expect(asked.locator("#answer-title")).to_have_text("NGC 7331")
    asked.get_by_role("link", name="History").click()
    expect(asked.locator("#history tbody tr").first).to_contain_text("NGC 7331")
    assert names(asked) == ["NGC 7331", "disc.png", "NGC 4565"]


def test_the_history_is_sorted_exported_in_the_order_shown_and_forgotten(asked: Page) -> None:
    for shown in (["disc.png", "NGC 4565", "NGC 7331"], ["NGC 7331", "NGC 4565", "disc.png"]):
        asked.get_by_role("columnheader", name="Galaxy").get_by_role("button").click()
        assert names(asked) == shown
    with asked.expect_download() as caught:
        asked.get_by_role("button", name="Export CSV").click()
    table = list(csv.DictReader(io.StringIO(caught.value.path().read_text(encoding="utf-8"))))
    assert [row["question"] for row in table] == ["?name=NGC+7331", "?name=NGC+4565", "disc.png"]
    assert [row["pgc"] for row in table] == ["69327", "42038", ""]
    with asked.expect_download() as caught:
        asked.get_by_role("button", name="Export VOTable").click()
    exported = parse(caught.value.path()).get_first_table().array
    assert [str(row["inclination_deg"]) for row in exported] == [row["inclination_deg"] for row in table]
    with asked.expect_download() as caught:
        asked.get_by_role("button", name="Export JSON").click()
    kept = json.loads(caught.value.path().read_text(encoding="utf-8"))
    assert [f"{row['inclination_deg']}" for row in kept] == [row["inclination_deg"] for row in table]
    asked.get_by_role("button", name="Remove NGC 4565").click()
    assert names(asked) == ["NGC 7331", "disc.png"]
    asked.once("dialog", lambda dialog: dialog.dismiss())
    asked.get_by_role("button", name="Clear").click()
    expect(asked.locator("#history tbody tr")).to_have_count(2)
    asked.once("dialog", lambda dialog: dialog.accept())
    asked.get_by_role("button", name="Clear").click()
    expect(asked.locator("#history")).to_contain_text("Nothing yet.")
    assert json.loads(asked.evaluate("localStorage.getItem('inclinet.history.1')")) == []


def test_a_browser_without_storage_still_answers(page: Page) -> None:
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } });")
    ask(page)
    page.get_by_role("link", name="History").click()
    expect(page.locator("#history tbody tr")).to_have_count(1)


def test_entries_that_something_else_wrote_do_not_break_the_page(page: Page) -> None:
    page.goto("./")
    page.evaluate("""localStorage.setItem('inclinet.history.1', '[null, 3, {"title": "x"}, {"row": null}]')""")
    page.reload()
    page.get_by_role("link", name="History").click()
    expect(page.locator("#history")).to_contain_text("Nothing yet.")
