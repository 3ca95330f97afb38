"""The frame over an uploaded picture: drawn, moved, sized, switched off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.support.pictures import disc, encoded
from tests.support.starfields import starfield
from tests.web.steps import ask, upload

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

FIELD = starfield(disc(96, 0.4), np.random.default_rng(1), wider=4.5, place=(0.3, 0.65))
SIDE = len(FIELD.rgb)


@pytest.fixture
def page(tab: Page) -> Page:
    return tab


@pytest.fixture
def field(tmp_path: Path) -> Path:
    path = tmp_path / "field.png"
    path.write_bytes(encoded(FIELD.rgb, "PNG"))
    return path


def frame_of(page: Page) -> tuple[float, float, float]:
    """Centre and side of the frame as drawn, in pixels of the picture."""
    region, shown = page.locator(".region").bounding_box(), page.locator(".frame canvas").bounding_box()
    assert region is not None
    assert shown is not None
    scale = SIDE / shown["width"]
    x = (region["x"] + region["width"] / 2 - shown["x"]) * scale
    y = (region["y"] + region["height"] / 2 - shown["y"]) * scale
    return x, y, region["width"] * scale


def asked_by(page: Page) -> list[dict[str, str]]:
    """Collect the queries of what is measured from now on."""
    queries: list[dict[str, str]] = []

    def note(url: str) -> None:
        if "/api/file" in url:
            queries.append({name: values[0] for name, values in parse_qs(urlsplit(url).query).items()})

    page.on("request", lambda request: note(request.url))
    return queries


def test_the_frame_that_the_service_chose_lies_around_the_galaxy(page: Page, field: Path) -> None:
    upload(page, field)
    expect(page.locator(".region")).to_be_visible()
    x, y, side = frame_of(page)
    assert (x, y) == pytest.approx((FIELD.x, FIELD.y), abs=9)
    assert 0.6 * FIELD.side < side < 1.4 * FIELD.side
    expect(page.get_by_label("Whole picture")).not_to_be_checked()
    expect(page.locator(".warnings li").first).to_contain_text("small or off centre")


def test_a_well_framed_picture_shows_no_frame(page: Page, picture: Path) -> None:
    upload(page, picture)
    expect(page.locator(".region")).to_be_hidden()
    expect(page.get_by_label("Whole picture")).to_be_checked()


def test_a_survey_s_picture_has_no_frame_to_move(page: Page) -> None:
    ask(page)
    expect(page.locator(".region")).to_be_hidden()
    expect(page.get_by_label("Whole picture")).to_be_hidden()


def test_the_frame_is_switched_off_and_back_on(page: Page, field: Path) -> None:
    upload(page, field)
    first = page.locator(".median").inner_text()
    asked = asked_by(page)
    page.get_by_label("Whole picture").check()
    expect(page.locator(".picture .note")).to_have_text("These are the numbers of the picture as a whole.")
    expect(page.locator(".region")).to_be_hidden()
    assert [query.get("frame") for query in asked] == ["whole"]
    page.locator(".take").get_by_role("button", name="curl").click()
    expect(page.locator(".take pre")).to_contain_text("api/file?frame=whole")
    page.get_by_label("Whole picture").uncheck()
    expect(page.locator(".picture .note")).to_be_hidden()
    expect(page.locator(".region")).to_be_visible()
    expect(page.locator(".median")).to_have_text(first, use_inner_text=True)
    assert len(asked) == 1


def test_dragging_the_frame_asks_for_the_place_where_it_is_let_go(page: Page, field: Path) -> None:
    upload(page, field)
    before = frame_of(page)
    shown = page.locator(".frame canvas").bounding_box()
    assert shown is not None
    scale = SIDE / shown["width"]
    asked = asked_by(page)
    at = shown["x"] + before[0] / scale, shown["y"] + before[1] / scale
    page.mouse.move(*at)
    page.mouse.down()
    page.mouse.move(at[0] + 60, at[1] - 45, steps=5)
    page.mouse.up()
    expect(page.locator(".picture .note")).to_have_text("These are the numbers of the picture in the frame you drew.")
    (query,) = asked
    expected = before[0] + 60 * scale, before[1] - 45 * scale, before[2]
    assert (float(query["x"]), float(query["y"]), float(query["side"])) == pytest.approx(expected, abs=2)
    assert "frame" not in query
    page.locator(".take").get_by_role("button", name="Python").click()
    expect(page.locator(".take pre")).to_contain_text(f"x={query['x']}, y={query['y']}, side=")


def test_the_corner_of_the_frame_sizes_it(page: Page, field: Path) -> None:
    upload(page, field)
    before = frame_of(page)
    handle = page.locator(".region-handle").bounding_box()
    assert handle is not None
    at = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(*at)
    page.mouse.down()
    page.mouse.move(at[0] + 30, at[1] + 30, steps=4)
    page.mouse.up()
    expect(page.locator(".picture .note")).to_contain_text("in the frame you drew")
    after = frame_of(page)
    assert after[:2] == pytest.approx(before[:2], abs=1)
    assert after[2] > before[2] + 30


def test_keys_move_and_size_the_frame(page: Page, field: Path) -> None:
    upload(page, field)
    before = frame_of(page)
    page.get_by_role("button", name="The measured frame").focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown", "+"):
        page.keyboard.press(key)
    expect(page.locator(".picture .note")).to_contain_text("in the frame you drew")
    after = frame_of(page)
    assert after[0] - before[0] == pytest.approx(0.02 * SIDE, abs=1)
    assert after[1] - before[1] == pytest.approx(0.05 * SIDE, abs=1)
    assert after[2] / before[2] == pytest.approx(1.08, abs=0.02)
    page.get_by_role("button", name="Reset").click()
    expect(page.locator(".picture .note")).to_be_hidden()
    assert frame_of(page) == pytest.approx(before, abs=1)


def test_a_turned_picture_is_measured_in_its_frame(page: Page, field: Path) -> None:
    upload(page, field)
    asked = asked_by(page)
    page.get_by_label("Rotate").fill("90")
    expect(page.locator(".picture .note")).to_have_text("These are the numbers of the picture rotated by 90°.")
    assert [query.get("frame") for query in asked] == ["whole"]
    # the frame goes with the picture, counter-clockwise about its middle: right becomes up
    x, y, _ = frame_of(page)
    assert (x, y) == pytest.approx((FIELD.y, SIDE - FIELD.x), abs=9)
    # and the ellipse stays on the galaxy
    placed = page.locator(".overlay > g > g").first.get_attribute("transform") or ""
    centre = [float(part) * SIDE for part in re.findall(r"[\d.]+", placed)[:2]]
    assert centre == pytest.approx([x, y], abs=12)
