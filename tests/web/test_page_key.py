"""A service that answers holders of a key only: the page asks for it once and keeps it in its tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from gateway.api.keys import make
from tests.support.browser import GatewayServer, page_in
from tests.web.steps import upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext, Page

    from gateway.settings import Settings


class Guarded:
    """A page of a gateway with keys, and a key of it."""

    def __init__(self, page: Page, key: str) -> None:
        self.page, self.key = page, key

    def give(self, key: str) -> None:
        """Type a key into the card that asks for it."""
        card = self.page.get_by_role("alert").filter(has_text="A key is needed")
        card.get_by_label("Key").fill(key)
        card.get_by_role("button", name="Use this key").click()


KEY, LINE = make("survey")


@pytest.fixture(scope="module")
def closed(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gateway with keys."""
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(f"{LINE}\n", encoding="utf-8")
    with GatewayServer(settings.model_copy(update={"api_keys_file": keys})) as server:
        yield server.url


@pytest.fixture
def guarded(context: Callable[..., BrowserContext], closed: str, request: pytest.FixtureRequest) -> Iterator[Guarded]:
    kept = context(base_url=closed, **getattr(request, "param", {}))
    with page_in(kept, closed) as (page, watch):
        yield Guarded(page, KEY)
        assert watch.strangers == []
        assert watch.complaints == []
        assert not any(KEY in url for url in watch.requests)


def test_the_page_asks_for_a_key_and_goes_on_with_it(guarded: Guarded) -> None:
    page = guarded.page
    page.goto("./?name=NGC 7331")
    expect(page.locator("#release")).to_contain_text("answers holders of a key")
    card = page.locator(".failure")
    expect(card).to_contain_text("This service answers holders of a key only")
    expect(card).to_contain_text("Whoever runs this service gives keys out")
    expect(card.get_by_label("Key")).to_have_attribute("type", "password")
    guarded.give(guarded.key[:-1])
    expect(page.locator(".failure")).to_contain_text("is not one of this service")
    guarded.give(f" {guarded.key} ")
    expect(page.locator("#answer-title")).to_have_text("NGC 7331")
    expect(page.locator("#release")).to_contain_text("networks ready")


def test_the_key_serves_pictures_tables_and_the_next_visit_of_this_tab(guarded: Guarded, picture: Path) -> None:
    page = guarded.page
    page.goto("./#many")
    page.locator("#many textarea").fill("NGC 7331")
    page.get_by_role("button", name="Measure all").click()
    guarded.give(guarded.key)
    expect(page.locator("#many tbody tr")).to_have_count(1)
    expect(page.locator("#many tbody tr")).to_contain_text("NGC 7331")
    page.goto("./")
    upload(page, picture)
    assert guarded.key not in str(page.evaluate("JSON.stringify(localStorage)"))


def test_what_is_taken_along_names_the_key_and_does_not_hold_it(guarded: Guarded, picture: Path) -> None:
    page = guarded.page
    page.goto("./")
    page.set_input_files("#ask input[type=file]", picture)
    guarded.give(guarded.key)
    expect(page.locator("#answer-title")).to_have_text(picture.name)
    take = page.locator(".take")
    take.get_by_role("button", name="curl").click()
    expect(take.locator("pre")).to_contain_text('curl -H "Authorization: Bearer $INCLINET_API_KEY" -F')
    take.get_by_role("button", name="Python").click()
    expect(take.locator("pre")).to_contain_text("the key is that of the environment: INCLINET_API_KEY")
    code = take.locator("pre").text_content() or ""
    compile(code, "taken", "exec")
    assert guarded.key not in code


# axe is injected as an inline script, which the page's own policy rightly forbids
@pytest.mark.parametrize("guarded", [{"bypass_csp": True, "reduced_motion": "reduce"}], indirect=True, ids=["axe"])
def test_asking_for_a_key_is_as_accessible_as_everything_else(guarded: Guarded) -> None:
    page = guarded.page
    page.goto("./?name=NGC 7331")
    page.get_by_label("Key").wait_for()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.response["violations"] == [], f"{scheme}: {found.generate_report()}"
