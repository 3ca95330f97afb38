"""What a result shows, how it answers to turning and zooming, and what can be taken along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.browser import SPREAD_DEG
from tests.support.pictures import disc, encoded, fits_file
from tests.web.steps import ask, upload

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page, Route

    from tests.support.browser import GatewayServer


@pytest.fixture
def page(tab: Page) -> Page:
    return tab


def turn(page: Page, degrees: int) -> None:
    page.get_by_label("Rotate").fill(str(degrees))
    shown = str(degrees).replace("-", "\N{MINUS SIGN}")
    expect(page.locator(".picture .note")).to_have_text(f"These are the numbers of the picture rotated by {shown}°.")


def test_the_median_leads_with_its_interval_and_every_flavor_is_a_dot(page: Page, gateway: GatewayServer) -> None:
    ask(page)
    answer = httpx.get(f"{gateway.url}api/objname/NGC 7331").json()
    values = answer["inclination"]
    low, high = values["interval68_deg"]["low"], values["interval68_deg"]["high"]
    expect(page.locator(".median")).to_have_text(f"Inclination {values['median_deg']:.1f}°")
    expect(page.locator(".interval")).to_have_text(f"{low:.1f}°\N{EN DASH}{high:.1f}° 68 % interval")
    expect(page.locator(".dotplot .dot")).to_have_count(len(SPREAD_DEG))
    expect(page.locator(".dotplot .row-name")).to_have_text(["conv4", "vgg6"])
    first = page.locator(".dotplot .dot").first
    expect(first.locator("title")).to_have_text(
        f"conv4_m0, version 1: {answer['flavors'][0]['inclination_deg']:.1f}°",
    )
    # the axis runs from 0 at x = 92 to 90 at x = 544
    place = 92 + answer["flavors"][0]["inclination_deg"] / 90 * 452
    assert float(first.get_attribute("cx") or "nan") == pytest.approx(place, abs=0.01)
    median_line = float(page.locator(".median-line").get_attribute("x1") or "nan")
    assert median_line == pytest.approx(92 + values["median_deg"] / 90 * 452, abs=0.01)


def answered(page: Page, **changed: dict[str, Any]) -> None:
    """Let the gateway's next answers about names differ in some members."""

    def change(route: Route) -> None:
        answer = route.fetch().json()
        for name, members in changed.items():
            answer[name] |= members
        route.fulfill(json=answer)

    page.route("**/api/objname/*", change)


FACE_ON = {
    "median_deg": 14.2,
    "interval68_deg": {"low": 6.1, "high": 20.8},
    "interval95_deg": {"low": 0.0, "high": 28.7},
    "below95_deg": 24.6,
}


def test_a_face_on_galaxy_has_a_bound_and_no_more_digits_than_its_interval_warrants(page: Page) -> None:
    answered(page, inclination=FACE_ON)
    ask(page)
    expect(page.locator(".median")).to_have_text("Inclination 14°")
    expect(page.locator(".interval")).to_have_text(["6°\N{EN DASH}21° 68 % interval", "below 25° (95 %)"])
    expect(page.locator(".headline")).not_to_contain_text("29°")
    expect(page.locator("#status")).to_contain_text("inclination 14°, 68 % interval 6°\N{EN DASH}21°, below 25° (95 %)")
    expect(page).to_have_title("NGC 7331 · 14° · inclinet")
    band = page.locator(".dotplot .band.wide").evaluate("(one) => [one.x.baseVal.value, one.width.baseVal.value]")
    assert band == pytest.approx([92, 24.6 / 90 * 452], abs=0.01)
    page.get_by_role("link", name="History").click()
    expect(page.locator("#history tbody td").nth(2)).to_have_text("14°")
    expect(page.locator("#history tbody td").nth(3)).to_have_text("6°\N{EN DASH}21°, below 25° (95 %)")


def test_both_reasons_of_a_rejection_are_told_with_how_likely_they_are(page: Page) -> None:
    answered(page, rejection={"median": 0.83, "face_on": 0.8, "unsuitable": 0.03})
    ask(page)
    card = page.locator(".check-card").first
    expect(card.locator(".word")).to_have_text("Very likely0.83")
    expect(card.locator(".reasons dt")).to_have_text(
        ["Too face-on: below 45°", "Disturbed, crowded, poor or not a spiral"]
    )
    expect(card.locator(".reasons dd")).to_have_text(["very likely 0.80", "very unlikely 0.03"])
    page.get_by_role("link", name="History").click()
    expect(page.locator("#history tbody td").nth(4)).to_have_text("0.83 face-on")


@pytest.mark.parametrize(("median", "fitted", "flagged"), [(5.0, 25.0, 0), (5.0, 35.0, 1), (60.0, 80.0, 1)])
def test_an_oval_face_on_disc_is_not_flagged_as_a_disagreement(
    page: Page, median: float, fitted: float, flagged: int
) -> None:
    answered(page, inclination={"median_deg": median}, ellipticity={"inclination_deg": fitted})
    ask(page)
    expect(page.locator(".check-card").last.locator(".flag")).to_have_count(flagged)


def test_the_tilted_disc_is_as_flat_as_the_cosine_of_the_answer(page: Page, gateway: GatewayServer) -> None:
    ask(page)
    median = httpx.get(f"{gateway.url}api/objname/NGC 7331").json()["inclination"]["median_deg"]
    drawing = page.get_by_role("img", name=f"A disc tilted by {median:.0f}°")
    ratio: float = drawing.locator(".rim").evaluate("(rim) => rim.ry.baseVal.value / rim.rx.baseVal.value")
    expected: float = page.evaluate("(tilt) => Math.cos((tilt * Math.PI) / 180)", median)
    assert ratio == pytest.approx(expected, abs=1e-4)


def test_the_facts_of_the_galaxy_link_to_the_archives(page: Page) -> None:
    ask(page)
    facts = page.locator(".facts")
    expect(facts).to_contain_text("69327")
    expect(facts).to_contain_text("22h 37m 04.0s")
    expect(facts).to_contain_text("SDSS DR18")
    links = {link.inner_text(): link.get_attribute("href") or "" for link in facts.get_by_role("link").all()}
    assert {name: urlsplit(href).hostname for name, href in links.items()} == {
        "NED": "ned.ipac.caltech.edu",
        "SIMBAD": "simbad.cds.unistra.fr",
        "HyperLEDA": "atlas.obs-hp.fr",
        "SDSS": "skyserver.sdss.org",
    }
    assert links["NED"].endswith("objname=NGC%207331")
    assert links["HyperLEDA"].endswith("o=PGC69327")
    assert all(link.get_attribute("rel") == "noopener noreferrer" for link in facts.get_by_role("link").all())


def test_warnings_rejection_and_a_disagreement_are_said_in_words(page: Page, gateway: GatewayServer) -> None:
    ask(page, "NGC 4565")
    answer = httpx.get(f"{gateway.url}api/objname/NGC 4565").json()
    assert len(answer["warnings"]) == 2
    expect(page.locator(".warnings li")).to_have_text(answer["warnings"])
    expect(page.locator(".check-card").first).to_contain_text("Very likely")
    expect(page.locator(".check-card").first).to_contain_text(f"{answer['rejection']['median']:.2f}")
    expect(page.locator(".check-card").last).to_contain_text("disagrees")
    expect(page.locator("#status")).to_contain_text(f"NGC 4565: inclination {answer['inclination']['median_deg']:.1f}°")
    expect(page.locator("#status")).to_contain_text("2 warnings")


def test_the_ellipse_lies_on_the_disc_that_was_uploaded(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    path.write_bytes(encoded(disc(96, axis_ratio=0.5, angle_deg=30.0, width=160), "PNG"))
    upload(page, path)
    overlay = page.locator(".overlay ellipse.stroke")
    shape = overlay.evaluate("(one) => [one.rx.baseVal.value, one.ry.baseVal.value]")
    assert shape[1] / shape[0] == pytest.approx(0.5, abs=0.05)
    placed: str = overlay.evaluate("(one) => one.parentNode.getAttribute('transform')")
    x, y, angle = (float(part.strip("()")) for part in placed.replace("translate", "").replace("rotate", "").split())
    assert (x, y) == pytest.approx((0.5, 0.5), abs=0.01)
    assert angle == pytest.approx(-30, abs=2)


def test_turning_asks_again_on_release_and_the_axis_ratio_stays(page: Page, picture: Path) -> None:
    upload(page, picture)
    before = float(page.locator(".check-card .word").last.inner_text().split("°")[0])
    angle = page.locator(".overlay > g > g").get_attribute("transform") or ""
    turn(page, 50)
    after = float(page.locator(".check-card .word").last.inner_text().split("°")[0])
    assert after == pytest.approx(before, abs=3)
    turned = page.locator(".overlay > g > g").get_attribute("transform") or ""
    fitted = [float(text.rpartition("rotate(")[2].strip(") ")) for text in (angle, turned)]
    # SVG counts clockwise, the slider counter-clockwise
    assert (fitted[0] - fitted[1]) % 180 == pytest.approx(50, abs=3)


def test_the_overlay_follows_the_slider_before_it_is_released(page: Page, picture: Path) -> None:
    upload(page, picture)
    page.get_by_label("Rotate").evaluate("(input) => { input.value = 30; input.dispatchEvent(new Event('input')); }")
    expect(page.locator(".overlay > g").first).to_have_attribute(
        "transform", "translate(.5 .5) rotate(-30) scale(1) translate(-.5 -.5)"
    )
    expect(page.locator(".picture .note")).to_be_hidden()


def test_dragging_the_picture_turns_it(page: Page, picture: Path) -> None:
    upload(page, picture)
    box = page.locator(".frame canvas").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(middle[0] + 100, middle[1])
    page.mouse.down()
    page.mouse.move(middle[0], middle[1] - 100, steps=6)
    page.mouse.up()
    expect(page.get_by_label("Rotate")).to_have_value("90")
    expect(page.locator(".picture .note")).to_contain_text("rotated by 90°")


def test_zooming_out_fills_with_the_sky_of_the_picture(page: Page, picture: Path) -> None:
    upload(page, picture)
    page.get_by_label("Zoom").fill("-1")
    expect(page.locator(".picture .note")).to_have_text(
        "These are the numbers of the picture zoomed \N{MULTIPLICATION SIGN} 0.50."
    )
    corner: list[int] = page.evaluate(
        "[...document.querySelector('.frame canvas').getContext('2d').getImageData(0, 0, 64, 64).data]"
    )
    levels = [sum(corner[at : at + 3]) / 3 for at in range(0, len(corner), 4)]
    # the sky of the disc is 12 counts with a noise of 1.5
    assert sum(levels) / len(levels) == pytest.approx(11.5, abs=1)
    assert max(levels) > min(levels) + 1


def test_reset_shows_the_first_answer_again_without_asking(page: Page, picture: Path) -> None:
    upload(page, picture)
    first = page.locator(".numbers").inner_text()
    turn(page, 35)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Reset").click()
    expect(page.locator(".picture .note")).to_be_hidden()
    expect(page.locator(".numbers")).to_have_text(first, use_inner_text=True)
    assert [url for url in asked if "/api/" in url] == []


def test_a_view_that_can_not_be_measured_keeps_the_last_numbers_and_says_so(page: Page, picture: Path) -> None:
    upload(page, picture)
    first = page.locator(".median").inner_text()
    page.route("**/api/file?*", lambda route: route.abort())
    page.get_by_label("Rotate").fill("20")
    expect(page.locator(".picture .note")).to_contain_text("The numbers are those of the view before.")
    assert page.locator(".median").inner_text() == first
    page.unroute("**/api/file?*")
    page.locator(".picture .note").get_by_role("button", name="Try again").click()
    expect(page.locator(".picture .note")).to_have_text("These are the numbers of the picture rotated by 20°.")


def test_fits_which_browsers_can_not_show_is_shown_as_the_networks_saw_it(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "disc.fits"
    path.write_bytes(fits_file(disc(96).mean(axis=2).astype("float32")))
    upload(page, path)
    expect(page.locator(".picture")).to_contain_text("This browser can\N{RIGHT SINGLE QUOTATION MARK}t show FITS")
    shown: int = page.evaluate(
        "document.querySelector('.frame canvas').getContext('2d').getImageData(384, 384, 1, 1).data[0]"
    )
    assert shown > 100


def test_names_from_outside_are_text_and_never_html(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>.png"
    path.write_bytes(encoded(disc(), "PNG"))
    upload(page, path)
    expect(page.locator("#answer img:not(.seen)")).to_have_count(0)
    page.goto("./?name=<b>NGC</b><script>alert(1)</script>")
    expect(page.locator(".failure")).to_be_visible()
    expect(page.locator(".failure b, .failure script")).to_have_count(0)
