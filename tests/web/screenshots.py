"""Take the pictures of ``docs/screenshots`` anew: ``python -m tests.web.screenshots``.

They show the released models on the fake sky, whose galaxies are real ones where the shared images are at hand.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from PIL import Image
from playwright.sync_api import expect

from gateway.settings import Settings
from gateway.telemetry.logs import configure_logging
from inclinet_service.local import standin
from tests.support.browser import GatewayServer, chromium, launched, page_on
from tests.support.sky_fakes import FakeSky
from tests.support.sky_universe import SHARED, universe

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "screenshots"
UPLOAD = SHARED / "galaxies" / "giz512" / "pgc48307_gri.jpg"
DESK = {"width": 1200, "height": 800}
PHONE = {"width": 390, "height": 844}
LINES = (
    "PGC 52315\nPGC 5702\nNGC 4826\nPGC 354\nNGC 48266\nPGC 1844\nPGC 48307\nM 42\nPGC 3738\n"
    "NGC 5055\nPGC 4\nNGC 4565\n22 37 04.1 +34 24 57\nNGC 7814\n"
)
COLOURS = 256
FLAT_COLOURS = 96


def shrunk(image: Image.Image) -> Image.Image:
    """Reduce a picture to a palette that keeps the page's own colours and shares the rest among the galaxies."""
    counted = sorted(image.getcolors(maxcolors=2**24) or [], reverse=True)
    flat = [colour for _, colour in counted[:FLAT_COLOURS]]
    rest = image.quantize(COLOURS - len(flat), Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(value for colour in flat for value in cast("tuple[int, int, int]", colour)), *rest])
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


class Photographer:
    """Takes pictures of one gateway."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url

    def take(self, name: str, state: Callable[[Page], None], *, whole: bool = True, **options: Any) -> None:
        """Open the page, bring it into a state and keep its picture, with few colours to stay small."""
        with page_on(self._browser, base_url=self._url, **{"viewport": DESK, "color_scheme": "light", **options}) as (
            page,
            watch,
        ):
            page.goto("./")
            expect(page.locator("#release")).not_to_be_empty()
            state(page)
            page.mouse.move(0, 0)
            path = FOLDER / f"{name}.png"
            page.screenshot(path=path, full_page=whole)
            assert watch.complaints == [], watch.complaints
        with Image.open(path) as image:
            shrunk(image.convert("RGB")).save(path, optimize=True)
        sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB\n")


def start(page: Page) -> None:
    expect(page.locator("#tilts svg")).to_have_count(6)


def by_coordinates(page: Page) -> None:
    page.get_by_text("Coordinates", exact=True).click()
    page.get_by_text("Options").click()
    page.get_by_label("Right ascension").fill("22 37 04.1")
    page.get_by_label("Declination").fill("+34 24 57")


def target(page: Page) -> None:
    page.goto("./?pgc=52315")
    expect(page.locator(".result")).to_be_visible()


def turned(page: Page) -> None:
    target(page)
    page.get_by_label("Zoom").fill("0.35")
    page.get_by_label("Rotate").fill("40")
    expect(page.locator(".picture .note")).to_contain_text("These are the numbers of the picture rotated by 40°")
    page.locator(".take").get_by_role("button", name="Python").click()


def upload(page: Page) -> None:
    page.set_input_files("#ask input[type=file]", UPLOAD)
    expect(page.locator(".result")).to_be_visible()


def waiting(page: Page) -> None:
    page.goto("./?name=NGC 3198")
    expect(page.locator(".elapsed")).to_have_text("2 s")


def unknown(page: Page) -> None:
    page.goto("./?name=NGC 48266")
    expect(page.locator(".failure")).to_be_visible()


def outside(page: Page) -> None:
    page.goto("./?name=NGC 891")
    expect(page.locator(".failure")).to_be_visible()


def many(page: Page) -> None:
    page.get_by_role("link", name="Many").click()
    page.get_by_label("Or one galaxy per line").fill(LINES)
    page.get_by_role("button", name="Measure all").click()
    expect(page.locator(".counts")).to_contain_text("Done")
    page.get_by_role("button", name="Row").click()


def many_running(page: Page) -> None:
    page.get_by_role("link", name="Many").click()
    page.get_by_label("Or one galaxy per line").fill(
        "\n".join(one.name for one in universe().things if one.name[:4] == "NGC5" and one.kind == "G" and one.dec > 0)
    )
    page.get_by_role("button", name="Measure all").click()
    expect(page.locator(".rows tbody tr").nth(9)).to_be_visible()
    page.evaluate("scrollTo(0, 0)")


def history(page: Page) -> None:
    for number in (354, 5702, 44182, 52315):
        page.goto(f"./?pgc={number}")
        expect(page.locator(".result")).to_be_visible()
    upload(page)
    page.get_by_role("link", name="History").click()
    expect(page.locator("#history tbody tr")).to_have_count(5)


def main() -> None:
    """Take every picture."""
    program = chromium()
    if program is None:
        sys.exit("There is no Chromium here.")
    configure_logging("ERROR")
    universe()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        manifest = ROOT / "model_repo" / "manifest.json"
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        _, address = opened.enter_context(standin(manifest, log=folder / "serving.log"))
        sky = opened.enter_context(FakeSky())
        mirrors: dict[str, Any] = {name: tuple(urls) for name, urls in sky.urls.items()}
        settings = Settings(serving=address, manifest=manifest, predict_retry_s=30, **mirrors)
        server = opened.enter_context(GatewayServer(settings))
        camera = Photographer(opened.enter_context(launched(program)), server.url)
        camera.take("start", start)
        camera.take("start-dark", start, color_scheme="dark")
        camera.take("coordinates", by_coordinates, whole=False)
        camera.take("result", target)
        camera.take("result-dark", target, color_scheme="dark")
        camera.take("result-phone", target, viewport=PHONE)
        camera.take("turned", turned)
        camera.take("upload", upload)
        camera.take("unknown", unknown, whole=False)
        camera.take("outside-dark", outside, whole=False, color_scheme="dark")
        camera.take("many", many)
        camera.take("many-dark", many, color_scheme="dark")
        camera.take("many-phone", many, viewport=PHONE)
        camera.take("history", history, whole=False)
        sky.skyserver.delay_s = 3
        camera.take("waiting", waiting, whole=False)
        sky.skyserver.delay_s = 0.4
        camera.take("many-running", many_running, whole=False)


if __name__ == "__main__":
    main()
