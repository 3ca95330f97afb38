"""Every way to ask, and the address bar."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import JSHandle, Page

    from tests.support.browser import GatewayServer
    from tests.support.sky_fakes import FakeSky


def asked_for(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def transfer(page: Page, picture: Path) -> JSHandle:
    """A DataTransfer that holds a file, as the browser makes it for a drop or a paste."""
    return page.evaluate_handle(
        """([name, data]) => {
          const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
          const carried = new DataTransfer();
          carried.items.add(new File([bytes], name, { type: "image/png" }));
          return carried;
        }""",
        [picture.name, base64.b64encode(picture.read_bytes()).decode()],
    )


def test_a_name_typed_and_entered_gives_the_inclination_that_the_api_gives(page: Page, gateway: GatewayServer) -> None:
    page.get_by_label("Name of the galaxy").fill("ngc 5055")
    page.keyboard.press("Enter")
    expect(page.locator("#answer-title")).to_have_text("NGC 5055")
    answer = httpx.get(f"{gateway.url}api/objname/ngc 5055").json()
    expect(page.locator(".median")).to_have_text(f"Inclination {answer['inclination']['median_deg']:.1f}°")
    assert asked_for(page) == {"name": ["ngc 5055"]}


def test_a_pgc_number_is_asked_by_its_own_field(page: Page) -> None:
    page.get_by_text("PGC", exact=True).click()
    page.get_by_label("Number in the Principal Galaxies Catalogue").fill("69327")
    page.get_by_role("button", name="Measure").click()
    expect(page.locator("#answer-title")).to_have_text("NGC 7331")
    assert asked_for(page) == {"pgc": ["69327"]}


def test_coordinates_pasted_in_one_piece_fill_both_fields(page: Page) -> None:
    page.get_by_text("Coordinates", exact=True).click()
    page.evaluate("navigator.clipboard.writeText('22 37 04.1 +34 24 57')")
    page.get_by_label("Right ascension").focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_label("Right ascension")).to_have_value("22 37 04.1")
    expect(page.get_by_label("Declination")).to_have_value("+34 24 57")
    page.get_by_label("Field of view").fill("12")
    page.keyboard.press("Enter")
    expect(page.locator(".facts")).to_contain_text("12.0\N{PRIME} wide")
    assert asked_for(page) == {"ra": ["22 37 04.1"], "dec": ["+34 24 57"], "fov": ["12"]}


def test_positions_are_split_as_people_write_them(page: Page) -> None:
    written = {
        "339.267 34.4156": ["339.267", "34.4156"],
        "339.267, -34.4156": ["339.267", "-34.4156"],
        "22:37:04.1 \N{MINUS SIGN}34:24:57": ["22:37:04.1", "-34:24:57"],
        "22 37 04.1 34 24 57": ["22 37 04.1", "34 24 57"],
        "22h37m04.1s\t+34d24m57s": ["22h37m04.1s", "+34d24m57s"],
        "J223704.1+342457": None,
        "22 37 04.1": None,
        "": None,
    }
    split = page.evaluate(
        "async (texts) => texts.map((await import('/web/question.js')).splitPosition)",
        list(written),
    )
    assert dict(zip(written, split, strict=True)) == written


def test_an_uploaded_picture_is_measured_and_kept_out_of_the_address_bar(page: Page, picture: Path) -> None:
    page.get_by_text("Picture", exact=True).click()
    page.set_input_files("#ask input[type=file]", picture)
    expect(page.locator("#answer-title")).to_have_text("disc.png")
    expect(page.locator(".take")).to_contain_text("can\N{RIGHT SINGLE QUOTATION MARK}t be in the address bar")
    expect(page.locator(".take").get_by_role("button", name="Link")).to_be_hidden()
    assert asked_for(page) == {}


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_dropped_or_pasted_anywhere_is_measured(page: Page, picture: Path, way: str) -> None:
    carried = transfer(page, picture)
    if way == "drop":
        page.dispatch_event("body", "dragenter", {"dataTransfer": carried})
        expect(page.get_by_text("Drop a picture to measure it")).to_be_visible()
        page.dispatch_event("body", "drop", {"dataTransfer": carried})
    else:
        page.evaluate(
            "(carried) => document.body.dispatchEvent(new ClipboardEvent('paste',"
            " { clipboardData: carried, bubbles: true, cancelable: true }))",
            carried,
        )
    expect(page.locator("#answer-title")).to_have_text("disc.png")
    expect(page.get_by_text("Drop a picture to measure it")).to_be_hidden()


def test_the_drawn_galaxy_is_measured_with_no_other_service(page: Page, sky: FakeSky) -> None:
    before = sky.calls
    page.get_by_role("button", name="a drawn galaxy").click()
    expect(page.locator("#answer-title")).to_have_text("drawn galaxy.png")
    assert sky.calls == before


def test_a_shared_address_asks_its_question_and_shows_it_in_the_form(page: Page) -> None:
    page.goto("./?NAME=NGC+7331&survey=dss2&r=0.2")
    expect(page.locator("#answer-title")).to_have_text("NGC 7331")
    expect(page.get_by_label("Name of the galaxy")).to_have_value("NGC 7331")
    expect(page.locator("select[name=survey]")).to_have_value("dss2")
    expect(page.locator(".facts")).to_contain_text("DSS2")
    expect(page.locator(".check-card").last).to_contain_text("thickness r = 0.2")
    page.reload()
    expect(page.locator("#answer-title")).to_have_text("NGC 7331")


def test_back_and_forward_ask_again(page: Page) -> None:
    page.get_by_role("link", name="NGC 5055").click()
    expect(page.locator("#answer-title")).to_have_text("NGC 5055")
    page.get_by_role("link", name="NGC 4565").click()
    expect(page.locator("#answer-title")).to_have_text("NGC 4565")
    page.go_back()
    expect(page.locator("#answer-title")).to_have_text("NGC 5055")
    page.go_back()
    expect(page.locator(".result")).to_have_count(0)
    expect(page.locator("#intro")).to_be_visible()
    page.go_forward()
    expect(page.locator("#answer-title")).to_have_text("NGC 5055")


def test_an_incomplete_question_is_not_asked_but_explained_at_its_field(page: Page) -> None:
    for way, field, typed, said in (
        ("Name", "Name of the galaxy", "", "Type the name of a galaxy"),
        ("PGC", "Number in the Principal", "N253", "digits only"),
        ("Coordinates", "Right ascension", "", "Type the right ascension"),
        ("Coordinates", "Right ascension", "10.5", "Type the declination"),
    ):
        page.get_by_text(way, exact=True).click()
        page.get_by_label(field).fill(typed)
        page.get_by_role("button", name="Measure").click()
        expect(page.locator("#ask-note")).to_contain_text(said)
        invalid = page.locator("#ask [aria-invalid]")
        expect(invalid).to_be_focused()
        expect(invalid).to_have_attribute("aria-describedby", "ask-note")
        assert asked_for(page) == {}
