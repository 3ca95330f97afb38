"""The measuring page in a real browser: by keyboard, mouse and finger, with a network that comes and goes."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING, Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.browser import page_in
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import BrowserContext, FilePayload, Page

    from tests.support.live import Live

MEASURE = "./measure?project=spirals"
SAVED = "All answers are saved."
STANDARDS = ".tile:not(.target)"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def rows(tmp_path: Path, count: int) -> list[tuple[Any, ...]]:
    """Wait for so many measurements in the database; return their inclinations, and whether they were taken back."""

    def found() -> list[tuple[Any, ...]]:
        with sqlite3.connect(tmp_path / "zoo.sqlite") as database:
            return database.execute(
                "SELECT inclination_deg, undone_at IS NOT NULL FROM measurements ORDER BY id"
            ).fetchall()

    # the page says that all is saved before an answer too
    wait_until(lambda: len(found()) >= count, f"{count} measurements in the database")
    return found()


def begin(page: Page) -> None:
    page.goto(MEASURE)
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#stage")).to_be_visible()


def saved(page: Page) -> None:
    expect(page.locator("#waiting")).to_have_text(SAVED)


def place(page: Page) -> float:
    return float(page.locator(".target").get_attribute("aria-valuenow") or "nan")


def test_a_galaxy_is_measured_by_keyboard_alone(page: Page, tmp_path: Path) -> None:
    begin(page)
    expect(page.locator(STANDARDS)).to_have_count(9)
    start = place(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("d")
    assert place(page) == pytest.approx(start + 10, abs=0.7)
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.locator(STANDARDS)).to_have_count(9)
    assert place(page) == pytest.approx(start + 5, abs=1.0)
    page.keyboard.press("ArrowLeft")
    meant = place(page)
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text(re.compile(r"You said \d+\.\d°; it is \d+\.\d°\."))
    saved(page)
    assert rows(tmp_path, 1) == [(pytest.approx(meant, abs=0.06), 0)]


def test_flags_stand_instead_of_an_inclination_and_not_sure_beside_one(page: Page, tmp_path: Path) -> None:
    begin(page)
    page.keyboard.press("1")
    expect(page.locator("#flag-face_on")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text("no inclination")
    page.keyboard.press("7")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#note")).to_contain_text("You said")
    saved(page)
    rows(tmp_path, 2)
    with sqlite3.connect(tmp_path / "zoo.sqlite") as database:
        said = database.execute("SELECT flag, inclination_deg FROM flags JOIN measurements ON id = measurement_id")
        assert [(flag, deg is None) for flag, deg in said] == [("face_on", True), ("not_sure", False)]


def test_an_answer_is_taken_back_and_its_galaxy_comes_again(page: Page, tmp_path: Path) -> None:
    begin(page)
    first = page.locator("#galaxy").get_attribute("src")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("#galaxy")).not_to_have_attribute("src", first or "")
    page.keyboard.press("u")
    expect(page.locator("#galaxy")).to_have_attribute("src", first or "")
    saved(page)
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    saved(page)
    expect(page.locator("#note")).to_contain_text("no inclination")
    assert [undone for _, undone in rows(tmp_path, 2)] == [1, 0]


def neighbours_are_shown(page: Page) -> bool:
    """Return whether the standards between which the galaxy is said to be are on the board."""
    said = re.findall(r"[\d.]+\u00b0", page.locator("#place").inner_text())
    return set(said) <= set(page.locator(f"{STANDARDS} .angle").all_inner_texts())


@pytest.mark.parametrize(("step", "degrees"), [(1, 5), (2, 1)])
def test_beyond_the_nine_standards_come_the_next_to_the_ends_of_the_range(page: Page, step: int, degrees: int) -> None:
    begin(page)
    if step == 2:
        page.keyboard.press("Enter")
    for key, sign in (("ArrowRight", 1), ("ArrowLeft", -1)):
        before = place(page)
        for _ in range(12):
            page.keyboard.press(key)
            expect(page.locator(STANDARDS)).to_have_count(9)
            assert neighbours_are_shown(page)
        assert place(page) == pytest.approx(min(90, max(0, before + sign * 12 * degrees)), abs=degrees)
    page.locator(STANDARDS).first.click(position={"x": 5, "y": 20})
    assert neighbours_are_shown(page)
    page.keyboard.press("Escape")
    expect(page.locator("#step")).to_contain_text("Step 1")


def test_other_standards_leave_the_galaxy_where_it_was_put(page: Page) -> None:
    begin(page)
    page.keyboard.press("Enter")
    before, shown = place(page), page.locator("#board").inner_text()
    # with few standards, another offset of the lattice may have the same ones nearest
    for _ in range(50):
        page.keyboard.press("r")
        assert place(page) == pytest.approx(before, abs=1.0)
        if page.locator("#board").inner_text() != shown:
            return
    pytest.fail("the same standards came fifty times")


def test_the_view_changes_and_the_answer_does_not(page: Page) -> None:
    begin(page)
    before = place(page)
    for key in ("i", "b", ".", "+", "]"):
        page.keyboard.press(key)
    shown = page.locator("#galaxy").evaluate("(one) => [getComputedStyle(one).filter, getComputedStyle(one).transform]")
    assert re.fullmatch(r'url\("#band-red"\) brightness\(1\.25\) invert\(1\)', shown[0])
    assert shown[1].startswith("matrix(1.2074")
    assert place(page) == before
    page.keyboard.press("0")
    expect(page.locator("#stage")).to_have_attribute("data-band", "colour")


def test_answers_wait_in_the_browser_while_the_zoo_is_away_and_are_counted_once(
    context: Callable[..., BrowserContext], live: Callable[..., Live], zoo: Live, tmp_path: Path
) -> None:
    with page_in(context(), zoo.url) as (page, _):
        begin(page)
        expect(page.locator("#waiting")).to_have_attribute("data-ahead", "3")
        zoo.__exit__(None, None, None)
        for _ in range(2):
            shown = page.locator("#galaxy").get_attribute("src") or ""
            page.keyboard.press("1")
            page.keyboard.press("Enter")
            expect(page.locator("#galaxy")).not_to_have_attribute("src", shown)
        expect(page.locator("#waiting")).to_contain_text("2 answers wait")
        with live(zoo.port):
            page.evaluate("dispatchEvent(new Event('online'))")
            saved(page)
            page.reload()
            expect(page.locator("#stage")).to_be_visible()
        assert len(rows(tmp_path, 2)) == 2


@pytest.mark.parametrize("lot", [0, 0.97])
def test_by_drag_and_by_tap_on_a_phone(context: Callable[..., BrowserContext], zoo: Live, lot: float) -> None:
    phone = context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    with page_in(phone, zoo.url) as (page, watch):
        page.add_init_script(f"Math.random = () => {lot}")
        page.goto(MEASURE)
        page.get_by_role("button", name="Begin").tap()
        expect(page.locator("#stage")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        expect(page.locator(STANDARDS)).to_have_count(9)
        page.locator(STANDARDS).nth(6).tap(position={"x": 5, "y": 20})
        assert neighbours_are_shown(page)
        before = place(page)
        # the last of the nine, and by it the next
        page.locator(STANDARDS).nth(8).tap(position={"x": 50, "y": 20})
        assert neighbours_are_shown(page)
        assert place(page) == pytest.approx(before + 15, abs=1)
        for _ in range(2):
            # where the lattice begins is drawn by lot, and with it how far away the first of the nine is
            first = float(page.locator(f"{STANDARDS} .angle").first.inner_text().rstrip("\u00b0"))
            start, end = page.locator(".target").bounding_box(), page.locator(STANDARDS).nth(0).bounding_box()
            assert start is not None
            assert end is not None
            page.mouse.move(start["x"] + 20, start["y"] + 20)
            page.mouse.down()
            page.mouse.move(end["x"] + 5, end["y"] + 20, steps=4)
            page.mouse.up()
            assert neighbours_are_shown(page)
            assert place(page) == pytest.approx(first - 2.5, abs=1)
        assert watch.complaints == []


def test_a_key_names_who_measures_and_a_forgotten_browser_begins_anew(page: Page) -> None:
    begin(page)
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    saved(page)
    page.goto("./me?project=spirals")
    expect(page.locator("#page")).to_contain_text("without a name")
    expect(page.get_by_role("row", name="Measurements")).to_contain_text("1")
    page.get_by_role("button", name="Forget me").click()
    expect(page.locator("#page")).to_have_text("You are forgotten.")
    page.reload()
    expect(page.get_by_role("row", name="Measurements")).to_contain_text("0")


def test_a_moderator_makes_a_project_and_adds_galaxies(page: Page) -> None:
    page.goto("./moderation?project=spirals")
    page.get_by_label("Key").fill("inclinet_moderator")
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("heading", name="Add galaxies")).to_be_visible()
    table: FilePayload = {"name": "t.csv", "mimeType": "text/csv", "buffer": b"pgc\n12\n13\nx\n"}
    page.locator("input[type=file]").first.set_input_files(table)
    page.get_by_role("button", name="Add them").first.click()
    expect(page.get_by_role("alert").first).to_contain_text(
        "2 galaxies were added, 0 were known, 1 can\u2019t be used."
    )
    real: FilePayload = {
        "name": "t.csv",
        "mimeType": "text/csv",
        "buffer": b"key,file,inclination_deg,stdev_deg\nmine,a.png,50,1.5\n",
    }
    page.locator("input[type=file]").nth(1).set_input_files(real)
    page.get_by_role("button", name="Add them").nth(1).click()
    expect(page.get_by_role("alert").nth(1)).to_contain_text("1 can\u2019t be used. Row 1: There is no picture a.png")
    page.get_by_label("Name", exact=True).fill("Faint ones")
    page.get_by_label("Short name").fill("faint")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/moderation?project=faint")


def test_axe_finds_nothing_serious_on_any_page_in_either_theme(
    context: Callable[..., BrowserContext], zoo: Live
) -> None:
    with page_in(context(reduced_motion="reduce"), zoo.url) as (page, _):
        page.goto("./")
        expect(page.get_by_role("heading", name="Spirals")).to_be_visible()
        found = {"projects": serious(page)}
        page.goto(MEASURE)
        expect(page.locator("#help")).to_be_visible()
        found["help"] = serious(page)
        page.keyboard.press("Enter")
        expect(page.locator("#stage")).to_be_visible()
        page.keyboard.press("1")
        found["measure"] = serious(page)
        for name in ("results", "me", "moderation"):
            page.goto(f"./{name}?project=spirals")
            expect(page.locator("#page > *").first).to_be_visible()
            found[name] = serious(page)
        assert {name: one for name, one in found.items() if one} == {}


def serious(page: Page) -> list[str]:
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        violations = Axe().run(page).response["violations"]
        found += [
            f"{scheme}, {one['id']}: {one['nodes'][0]['html'][:120]}"
            for one in violations
            if one["impact"] in {"serious", "critical"}
        ]
    return found
