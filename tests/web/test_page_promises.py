"""What the page promises about itself: its size, its speed, its policy, where it can live."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import httpx
from playwright.sync_api import expect

from gateway.api.routes.page import WEB
from gateway.sky.cutouts.surveys import SURVEYS
from tests.support.browser import GatewayServer, page_on
from tests.web.steps import upload

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from gateway.settings import Settings
    from tests.support.browser import Watch

BUDGET_BYTES = 150_000


class Tags(HTMLParser):
    """The tags of a document with their attributes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_the_page_with_its_first_result_stays_within_its_budget(watched: tuple[Page, Watch], picture: Path) -> None:
    page, watch = watched
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.goto("./")
    expect(page.locator("#release")).not_to_be_empty()
    bare = watch.transferred
    upload(page, picture)
    page.get_by_role("link", name="Many").click()
    page.locator("#many textarea").wait_for()
    page.get_by_role("link", name="History").click()
    page.locator("#history tbody tr").wait_for()
    assert bare < watch.transferred < BUDGET_BYTES


def test_every_module_of_the_first_view_is_loaded_at_once() -> None:
    """A chain of imports costs a round trip a link: what app.js leads to is preloaded, and nothing else."""
    needed, todo = set(), ["app.js"]
    while todo:
        source = (WEB / todo.pop()).read_text(encoding="utf-8")
        for name in re.findall(r'^(?:import|\} from) .*?"\./([\w.]+)";$', source, re.MULTILINE):
            if name not in needed:
                needed.add(name)
                todo.append(name)
    tags = Tags(WEB / "index.html").seen
    preloaded = {tag["href"] for name, tag in tags if name == "link" and tag.get("rel") == "modulepreload"}
    assert preloaded == {f"web/{name}" for name in needed}


def test_nothing_inline_and_nothing_from_elsewhere_is_in_the_documents() -> None:
    for document in ("index.html", "docs.html"):
        for name, attributes in Tags(WEB / document).seen:
            assert name != "style", document
            assert name != "script" or attributes.get("src"), document
            assert not any(attribute == "style" or attribute.startswith("on") for attribute in attributes), document
            for reference in (attributes.get("src"), attributes.get("href") if name == "link" else None):
                assert not re.match(r"[a-z]+:|/", reference or ""), reference


def test_no_script_reads_text_as_html_or_code() -> None:
    for path in WEB.glob("*.js"):
        unsafe = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
        assert not re.search(unsafe, path.read_text(encoding="utf-8")), path


def test_the_surveys_to_choose_from_are_those_of_the_gateway() -> None:
    options = [tag["value"] for name, tag in Tags(WEB / "index.html").seen if name == "option"]
    assert options == ["", *SURVEYS]


def test_the_page_works_below_the_path_at_which_a_proxy_publishes_it(
    browser: Browser, settings: Settings, picture: Path
) -> None:
    below = settings.model_copy(update={"root_path": "/inclinet"})
    with GatewayServer(below) as server, page_on(browser, base_url=f"{server.url}inclinet/") as (page, watch):
        page.goto("./?name=NGC 7331")
        expect(page.locator("#answer-title")).to_have_text("NGC 7331")
        upload(page, picture)
        assert page.url == f"{server.url}inclinet/"
        page.locator(".take").get_by_role("button", name="curl").click()
        expect(page.locator(".take pre")).to_contain_text(f"{server.url}inclinet/api/file")
        asked = [url for url in watch.requests if url.startswith("http")]
        assert all(url.startswith(f"{server.url}inclinet/") for url in asked)
        assert watch.complaints == []


def test_the_policy_that_the_page_lives_under_is_strict(gateway: GatewayServer) -> None:
    policy = httpx.get(gateway.url).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
