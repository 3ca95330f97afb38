"""Usable by keyboard, by screen reader, on a phone and in either theme: axe-core on every state."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.support.browser import page_in
from tests.support.pictures import disc, encoded
from tests.support.starfields import starfield
from tests.web.steps import ask, upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, FilePayload, Page, ViewportSize

    from tests.support.browser import GatewayServer

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
DESK: ViewportSize = {"width": 1200, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}


def start(page: Page) -> None:
    page.goto("./")
    expect(page.locator("#release")).not_to_be_empty()


def start_with_coordinates(page: Page) -> None:
    start(page)
    page.get_by_text("Coordinates", exact=True).click()
    page.get_by_text("Options").click()
    page.get_by_role("button", name="Measure").click()
    expect(page.locator("#ask-note")).to_be_visible()


def target(page: Page) -> None:
    ask(page, "NGC 4565")
    page.get_by_text("The numbers of the plot").click()
    page.locator(".take").get_by_role("button", name="curl").click()


def framed(page: Page) -> None:
    page.goto("./")
    stamp = starfield(disc(96, 0.4), np.random.default_rng(1), wider=4.5, place=(0.3, 0.65)).rgb
    picture: FilePayload = {"name": "field.png", "mimeType": "image/png", "buffer": encoded(stamp, "PNG")}
    page.set_input_files("#ask input[type=file]", picture)
    expect(page.locator(".region")).to_be_visible()
    page.locator(".region").focus()


def failure(page: Page) -> None:
    page.goto("./?name=NGC 73311")
    expect(page.locator(".failure")).to_be_visible()


def many(page: Page) -> None:
    page.goto("./#many")
    page.get_by_label("Or one galaxy per line").fill("NGC 5055\nNGC 73311\nNGC 4565")
    page.get_by_role("button", name="Measure all").click()
    expect(page.locator(".counts")).to_contain_text("Done")


def history(page: Page) -> None:
    ask(page, "NGC 5055")
    page.get_by_role("link", name="History").click()
    expect(page.locator("#history tbody tr")).to_have_count(1)


STATES = (start, start_with_coordinates, target, framed, failure, many, history)


@pytest.fixture
def opened(context: Callable[..., BrowserContext], gateway: GatewayServer) -> Iterator[Callable[..., Page]]:
    """Open pages with options of the browser's own."""
    with ExitStack() as pages:

        def open_page(**options: Any) -> Page:
            kept = context(base_url=gateway.url, **options)
            return pages.enter_context(page_in(kept, gateway.url))[0]

        yield open_page


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_phone_shows_everything_without_scrolling_sideways_and_axe_finds_nothing_in_either_theme(
    opened: Callable[..., Page], state: Callable[[Page], None]
) -> None:
    # axe is injected as an inline script, which the page's own policy rightly forbids; colours must not be on their way
    page = opened(viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce", bypass_csp=True)
    state(page)
    wide: list[int] = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] == wide[1] == PHONE["width"]
    page.set_viewport_size(DESK)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.response["violations"] == [], f"{scheme}: {found.generate_report()}"


def test_on_a_phone_the_answer_comes_before_the_picture(opened: Callable[..., Page]) -> None:
    page = opened(viewport=PHONE)
    ask(page)
    median, frame = page.locator(".median").bounding_box(), page.locator(".frame").bounding_box()
    assert median is not None
    assert frame is not None
    assert median["y"] < frame["y"]


def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the question")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="Name")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="PGC")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("69327")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Measure")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#answer-title")).to_have_text("NGC 7331")
    expect(page.get_by_role("button", name="Measure")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.get_by_label("Rotate").evaluate("(input) => input === document.activeElement"):
            break
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".picture .note")).to_have_text("These are the numbers of the picture rotated by 2°.")
    expect(page.get_by_label("Rotate")).to_have_attribute("aria-valuetext", "2°")


def test_what_has_the_focus_can_be_seen(page: Page) -> None:
    for _ in range(16):
        page.keyboard.press("Tab")
        outlined: bool = page.evaluate(
            """() => {
              const shown = (element) => element && getComputedStyle(element).outlineStyle !== "none";
              const { activeElement: active } = document;
              const around = [active, active.nextElementSibling, active.parentElement];
              return active === document.body || around.some(shown);
            }"""
        )
        assert outlined, page.evaluate("document.activeElement.outerHTML")


def test_the_result_is_told_to_a_screen_reader(page: Page, picture: Path) -> None:
    status = page.locator("#status")
    expect(status).to_have_attribute("role", "status")
    upload(page, picture)
    expect(status).to_contain_text("disc.png: inclination")
    expect(status).to_contain_text("68 % interval")


def test_the_theme_follows_the_system_until_one_is_chosen(opened: Callable[..., Page]) -> None:
    page = opened(color_scheme="dark")
    start(page)

    def background() -> str:
        colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return colour

    dark = background()
    page.get_by_role("button", name="Theme: auto").click()
    light = background()
    assert light != dark
    expect(page.get_by_role("button", name="Theme: light")).to_be_visible()
    page.reload()
    assert background() == light
    page.get_by_role("button", name="Theme: light").click()
    assert background() == dark
    page.get_by_role("button", name="Theme: dark").click()
    expect(page.get_by_role("button", name="Theme: auto")).to_be_visible()


def test_a_picture_too_wide_for_the_frame_keeps_its_shape(page: Page, tmp_path: Path) -> None:
    pixels = np.full((40, 160, 3), 20, np.uint8)
    pixels[15:25, 60:100] = 220
    path = tmp_path / "wide.png"
    path.write_bytes(encoded(pixels, "PNG"))
    upload(page, path)
    box = page.locator(".frame canvas").bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(box["height"], abs=1)
    lit: list[int] = page.evaluate(
        """() => {
          const { data } = document.querySelector(".frame canvas").getContext("2d").getImageData(0, 0, 768, 768);
          const bright = (x, y) => data[4 * (768 * y + x)] > 120;
          const along = (read) => Array.from({ length: 768 }, (_, at) => read(at)).filter(Boolean).length;
          return [along((at) => bright(at, 384)), along((at) => bright(384, at))];
        }"""
    )
    assert lit[0] / lit[1] == pytest.approx(4, rel=0.1)
