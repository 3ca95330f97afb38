"""What can be taken along: text for a notebook, a table, a shell or a program, and the picture."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from astropy.io.votable import parse, validate
from PIL import Image
from playwright.sync_api import expect

from tests.support.pictures import disc, encoded
from tests.web.steps import ask, upload

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.support.browser import GatewayServer


@pytest.fixture
def page(tab: Page) -> Page:
    return tab


def copied(page: Page, name: str) -> str:
    page.locator(".take").get_by_role("button", name=name, exact=True).click()
    expect(page.locator(".copied")).to_have_text(f"{name} copied.")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_json_is_the_answer_of_the_api_without_pictures(page: Page, gateway: GatewayServer) -> None:
    ask(page)
    answer = httpx.get(f"{gateway.url}api/objname/NGC 7331").json()
    taken = json.loads(copied(page, "JSON"))
    for pictures in ("model_input", "cutout"):
        del answer["image"][pictures]
    assert taken == answer


def test_the_csv_row_is_that_of_the_api(page: Page, gateway: GatewayServer) -> None:
    ask(page)
    expected = httpx.get(f"{gateway.url}api/objname/NGC 7331", params={"format": "csv"}).text
    taken, wanted = (list(csv.DictReader(io.StringIO(text))) for text in (copied(page, "CSV row"), expected))
    assert list(taken[0]) == list(wanted[0])
    for column, value in wanted[0].items():
        number = value.replace(".", "", 1).replace("-", "", 1).isdigit()
        assert (float(taken[0][column]) == float(value)) if number else (taken[0][column] == value), column


def test_curl_and_python_ask_the_same_question(page: Page, gateway: GatewayServer, tmp_path: Path) -> None:
    ask(page)
    median = httpx.get(f"{gateway.url}api/objname/NGC 7331").json()["inclination"]["median_deg"]
    if shutil.which("curl"):
        command = copied(page, "curl")
        made = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True)
        assert json.loads(made.stdout)["inclination"]["median_deg"] == median
    program = tmp_path / "ask.py"
    program.write_text(copied(page, "Python"), encoding="utf-8")
    printed = subprocess.run([sys.executable, program], capture_output=True, check=True, text=True).stdout
    assert float(printed.split()[0]) == median


@pytest.mark.parametrize(
    "asked",
    [
        "?pgc=69327&survey=dss2&r=0.2",
        "?ra=22 37 04.1&dec=+34 24 57&fov=14&pa=170",
    ],
)
def test_python_asks_by_number_and_position_with_what_was_chosen(page: Page, asked: str) -> None:
    page.goto(f"./{asked}")
    median = float(page.locator(".median").inner_text().split()[-1].rstrip("°"))
    program = copied(page, "Python")
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert float(ran.stdout.split()[0]) == pytest.approx(median, abs=0.06)
    assert ("survey=" in program, "fov=14 * u.arcmin" in program) == ("survey" in asked, "fov" in asked)


def test_a_result_is_downloaded_as_votable(page: Page, gateway: GatewayServer, tmp_path: Path) -> None:
    ask(page)
    with page.expect_download() as caught:
        page.get_by_role("button", name="VOTable", exact=True).click()
    assert caught.value.suggested_filename == "NGC_7331.vot"
    caught.value.save_as(tmp_path / "taken.vot")
    written = httpx.get(f"{gateway.url}api/objname/NGC 7331", params={"format": "votable"}).content
    (tmp_path / "written.vot").write_bytes(written)
    taken, wanted = (parse(tmp_path / name).get_first_table() for name in ("taken.vot", "written.vot"))
    assert "found no violations" in validate(tmp_path / "taken.vot", output=None)
    for mine, own in zip(taken.fields, wanted.fields, strict=True):
        told = [
            (one.name, one.datatype, str(one.unit), one.ucd, one.description, [link.href for link in one.links])
            for one in (mine, own)
        ]
        assert told[0] == told[1]
    assert [str(cell) for cell in taken.array[0]] == [str(cell) for cell in wanted.array[0]]


def test_curl_and_python_of_an_upload_send_the_file(page: Page, tmp_path: Path) -> None:
    path = tmp_path / 'it\'s, a "disc".png'
    path.write_bytes(encoded(disc(), "PNG"))
    upload(page, path)
    median = float(page.locator(".median").inner_text().split()[-1].rstrip("°"))
    if shutil.which("curl"):
        made = subprocess.run(["/bin/sh", "-c", copied(page, "curl")], capture_output=True, check=True, cwd=tmp_path)
        assert json.loads(made.stdout)["inclination"]["median_deg"] == pytest.approx(median, abs=0.05)
    ran = subprocess.run([sys.executable, "-c", copied(page, "Python")], capture_output=True, check=True, cwd=tmp_path)
    assert float(ran.stdout.split()[0]) == pytest.approx(median, abs=0.05)


def test_the_picture_is_taken_along_with_its_ellipse_and_caption(page: Page, tmp_path: Path) -> None:
    ask(page)
    with page.expect_download() as caught:
        page.get_by_role("button", name="Picture with ellipse").click()
    path = tmp_path / "poster.png"
    caught.value.save_as(path)
    assert caught.value.suggested_filename == "NGC_7331_inclinet.png"
    with Image.open(path) as image:
        assert image.size == (768, 864)
        colours = image.convert("RGB").getcolors(maxcolors=2**24)
    assert colours is not None
    drawn = {colour: count for count, colour in colours}
    assert drawn.get((255, 207, 125), 0) > 500, "the ellipse is drawn"
    assert drawn.get((16, 24, 43), 0) > 30_000, "the caption has its ground"


def test_the_link_is_the_address_that_asks_the_same(page: Page) -> None:
    ask(page)
    address = copied(page, "Link")
    page.goto("./")
    page.goto(address)
    expect(page.locator("#answer-title")).to_have_text("NGC 7331")


def test_where_the_clipboard_is_not_lent_the_text_is_selected_instead(page: Page) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined });")
    ask(page)
    page.locator(".take").get_by_role("button", name="curl").click()
    expect(page.locator(".copied")).to_contain_text("is selected below")
    assert page.evaluate("getSelection().toString()").startswith("curl 'http://127.0.0.1:")


def test_a_turned_view_is_asked_again_by_its_picture(page: Page, tmp_path: Path) -> None:
    ask(page)
    page.get_by_label("Rotate").fill("25")
    expect(page.locator(".picture .note")).to_contain_text("These are the numbers")
    expect(page.locator(".take").get_by_role("button", name="Link")).to_be_hidden()
    shown = float(page.locator(".median").inner_text().split()[-1].rstrip("°"))
    with page.expect_download() as caught:
        page.get_by_role("button", name="Picture", exact=True).click()
    caught.value.save_as(tmp_path / caught.value.suggested_filename)
    ran = subprocess.run([sys.executable, "-c", copied(page, "Python")], capture_output=True, check=True, cwd=tmp_path)
    assert float(ran.stdout.split()[0]) == pytest.approx(shown, abs=0.06)
