"""Every failure shows the problem's own sentence and what to do next; every wait can be seen and left."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from gateway.settings import Settings
from tests.support.browser import GatewayServer, page_on
from tests.support.pictures import disc, encoded
from tests.support.serving import ServingProcess
from tests.web.steps import upload

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

    from tests.support.models import Repository
    from tests.support.sky_fakes import FakeSky


@pytest.fixture
def page(tab: Page) -> Page:
    return tab


def test_a_name_that_nobody_knows_offers_the_nearest_and_asks_the_one_chosen(page: Page) -> None:
    page.goto("./?name=NGC 73311")
    failure = page.get_by_role("alert").filter(has_text="Unknown target")
    expect(failure).to_contain_text("No object is known as NGC 73311.")
    expect(failure).to_contain_text("Check the spelling")
    expect(failure.get_by_role("button", name="Try again")).to_have_count(0)
    failure.get_by_role("button", name="NGC 7331", exact=True).click()
    expect(page.locator("#answer-title")).to_have_text("NGC 7331")
    expect(page.get_by_label("Name of the galaxy")).to_have_value("NGC 7331")
    assert parse_qs(urlsplit(page.url).query) == {"name": ["NGC 7331"]}


def test_outside_the_footprint_another_survey_is_one_click_away(page: Page) -> None:
    page.goto("./?name=NGC 891")
    failure = page.locator(".failure")
    expect(failure).to_contain_text("SDSS DR18 has no image at ra 35.6")
    failure.get_by_role("button", name="PanSTARRS DR1").click()
    expect(page.locator("#answer-title")).to_have_text("NGC 891")
    expect(page.locator(".facts")).to_contain_text("PanSTARRS")
    assert parse_qs(urlsplit(page.url).query) == {"name": ["NGC 891"], "survey": ["panstarrs"]}


def test_coordinates_that_can_not_be_read_are_explained_with_examples(page: Page) -> None:
    page.goto("./?ra=half past nine&dec=12&fov=5")
    expect(page.locator(".failure")).to_contain_text("'half past nine' can't be read")
    expect(page.locator(".failure")).to_contain_text("13 15 49.3 +42 01 46")


def test_an_object_that_is_no_galaxy_is_said_to_be_none(page: Page) -> None:
    page.goto("./?name=M 42")
    expect(page.locator(".failure")).to_contain_text("M 42 is not a galaxy")


@pytest.mark.parametrize(
    ("name", "content", "said", "next_step"),
    [
        (
            "notes.txt.png",
            b"These are my notes.",
            "is not an image in a format that is read",
            "Save the picture as PNG",
        ),
        ("cut.png", encoded(disc(), "PNG")[:900], "truncated", "Saving it anew"),
        ("black.png", encoded(disc() * 0, "PNG"), "all one colour", "Saving it anew"),
    ],
)
def test_a_refused_upload_says_what_is_wrong_with_the_file(
    page: Page, tmp_path: Path, name: str, content: bytes, said: str, *, next_step: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    page.goto("./")
    page.set_input_files("#ask input[type=file]", path)
    expect(page.locator(".failure")).to_contain_text(said)
    expect(page.locator(".failure")).to_contain_text(next_step)


def test_a_survey_that_is_down_is_named_and_trying_again_works_once_it_is_back(page: Page, sky: FakeSky) -> None:
    sky.skyserver.down()
    try:
        page.goto("./?name=NGC 3198")
        failure = page.locator(".failure")
        expect(failure).to_contain_text("A service is down")
        expect(failure).to_contain_text(re.compile("SkyServer|SDSS"))
        expect(failure).to_contain_text("Measuring a picture of your own")
    finally:
        sky.skyserver.up()
    # the gateway leaves a service alone for a while that has just failed; another one is asked instead
    page.goto("./?name=NGC 3198&survey=panstarrs")
    expect(page.locator("#answer-title")).to_have_text("NGC 3198")


def test_networks_that_are_down_are_said_to_be_and_asked_again(
    browser: Browser, release: Repository, picture: Path, tmp_path: Path
) -> None:
    serving = ServingProcess(release.config, tmp_path / "log")
    settings = Settings(serving=serving.address, manifest=release.root / "manifest.json", predict_retry_s=0.2)
    with GatewayServer(settings) as gateway, page_on(browser, base_url=gateway.url) as (page, watch):
        page.goto("./")
        expect(page.locator("#release")).to_contain_text(
            "The networks don\N{RIGHT SINGLE QUOTATION MARK}t answer at the moment"
        )
        page.set_input_files("#ask input[type=file]", picture)
        failure = page.locator(".failure")
        expect(failure).to_contain_text("of the 8 networks answered")
        expect(failure).to_contain_text("asks for a pause of")
        with serving:
            # the client of the networks needs a moment to see that they are back: the person tries again
            for _ in range(20):
                failure.get_by_role("button", name="Try again").click()
                page.locator(".result, .failure").wait_for()
                if page.locator(".result").count():
                    break
            expect(page.locator("#answer-title")).to_have_text("disc.png")
            expect(page.locator("#release")).to_contain_text("8 of 8 networks ready")
        assert watch.complaints == []


def test_a_page_in_place_of_the_answer_is_told_from_an_answer(page: Page) -> None:
    def proxy(route: Route) -> None:
        route.fulfill(status=502, content_type="text/html", body="<h1>Bad gateway</h1>")

    page.route("**/api/objname/**", proxy)
    page.goto("./?name=NGC 7331")
    expect(page.locator(".failure")).to_contain_text(
        "Something between this page and the service answered with status 502."
    )
    expect(page.locator(".failure").get_by_role("button", name="Try again")).to_be_visible()


def test_a_service_out_of_reach_is_said_to_be(page: Page, picture: Path) -> None:
    page.route("**/api/objname/**", lambda route: route.abort())
    page.route("**/api/file?*", lambda route: route.abort())
    page.goto("./")
    page.get_by_role("link", name="NGC 5055").click()
    expect(page.locator(".failure")).to_contain_text("The service can\N{RIGHT SINGLE QUOTATION MARK}t be reached.")
    page.set_input_files("#ask input[type=file]", picture)
    expect(page.locator(".failure")).to_contain_text("The connection broke off.")
    page.unroute("**/api/file?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#answer-title")).to_have_text("disc.png")


def test_a_wait_shows_what_for_and_can_be_cancelled(page: Page, sky: FakeSky) -> None:
    sky.skyserver.delay_s = 4
    page.goto("./?name=NGC 2403")
    expect(page.locator(".wait")).to_contain_text("Asking for NGC 2403")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.locator(".elapsed")).to_have_text(re.compile(r"^\d+ s$"))
    expect(page.locator("#status")).to_contain_text("Asking for NGC 2403")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#answer > *")).to_have_count(0)
    expect(page.locator("#intro")).to_be_visible()


def test_the_latest_question_wins_over_a_slower_one(page: Page, sky: FakeSky, picture: Path) -> None:
    sky.skyserver.delay_s = 2
    page.goto("./?name=NGC 3351")
    expect(page.locator(".wait")).to_be_visible()
    upload(page, picture)
    sky.skyserver.delay_s = 0
    page.get_by_role("link", name="NGC 5055").click()
    expect(page.locator("#answer-title")).to_have_text("NGC 5055")
