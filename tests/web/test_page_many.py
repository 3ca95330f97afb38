"""Many galaxies: a table or pictures in, rows as they come, bad ones with their reason, cancel and export."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from astropy.io.votable import parse
from astropy.table import Table
from playwright.sync_api import expect

from tests.support.pictures import disc, encoded, fits_file
from tests.support.sky_universe import universe
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.support.browser import GatewayServer
    from tests.support.sky_fakes import FakeSky

NAMES = ("NGC 5055", "NGC 73311", "NGC 7331", "NGC 4565")


@pytest.fixture
def many(page: Page) -> Page:
    page.get_by_role("link", name="Many").click()
    expect(page.get_by_role("heading", name="Many galaxies at once")).to_be_focused()
    page.locator("#many textarea").wait_for()
    return page


def measure(page: Page, *paths: Path) -> None:
    page.set_input_files("#many input[type=file]", paths)
    finished(page)


def finished(page: Page) -> None:
    expect(page.locator(".counts")).to_contain_text("Done")


def rows(page: Page) -> Locator:
    return page.locator("#many tbody tr")


def cells(page: Page, column: int) -> list[str]:
    return [row.locator("td").nth(column).inner_text() for row in rows(page).all()]


def write_table(folder: Path, kind: str) -> Path:
    path = folder / f"galaxies.{kind}"
    if kind == "csv":
        path.write_text("name\n" + "\n".join(NAMES) + "\n", encoding="utf-8")
    else:
        Table({"name": list(NAMES)}).write(path, format=kind)
    return path


@pytest.mark.parametrize("kind", ["csv", "fits"])
def test_a_table_is_measured_row_by_row_and_a_bad_row_keeps_its_reason(many: Page, tmp_path: Path, kind: str) -> None:
    measure(many, write_table(tmp_path, kind))
    expect(many.locator(".counts")).to_have_text("Done: 4 of 4 · 1 with a problem")
    expect(rows(many)).to_have_count(4)
    bad = many.locator("#many tr.bad")
    expect(bad).to_have_count(1)
    expect(bad).to_contain_text("NGC 73311")
    expect(bad).to_contain_text("Unknown target No object is known as NGC 73311.")
    expect(many.locator("#many img.thumb")).to_have_count(3)
    expect(many.locator("#status")).to_have_text("Done: 4 of 4 · 1 with a problem")


def test_a_table_dropped_on_any_view_goes_to_the_many(page: Page) -> None:
    carried = page.evaluate_handle(
        "() => { const carried = new DataTransfer();"
        " carried.items.add(new File(['pgc\\n69327\\n'], 'one.csv')); return carried; }"
    )
    page.dispatch_event("body", "drop", {"dataTransfer": carried})
    finished(page)
    assert page.url.endswith("#many")
    expect(rows(page)).to_contain_text("NGC 7331")


def test_lines_that_people_type_are_names_numbers_and_positions(many: Page) -> None:
    many.get_by_label("Or one galaxy per line").fill("NGC 5055\n\n69327\n22 37 04.1 +34 24 57\nPGC 44182\n")
    many.get_by_role("button", name="Measure all").click()
    finished(many)
    many.get_by_role("button", name="Row").click()
    assert cells(many, 2) == ["NGC 5055", "NGC 7331", "NGC 7331", "NGC 4826"]


def test_several_pictures_need_no_table(many: Page, tmp_path: Path) -> None:
    paths = [tmp_path / "one.png", tmp_path / "two.fits", tmp_path / "three.png"]
    paths[0].write_bytes(encoded(disc(), "PNG"))
    paths[1].write_bytes(fits_file(disc().mean(axis=2).astype("float32")))
    paths[2].write_bytes(b"not a picture")
    measure(many, *paths)
    expect(many.locator(".counts")).to_have_text("Done: 3 of 3 · 1 with a problem")
    expect(many.locator("#many tr.bad")).to_contain_text("three.png")


def test_a_table_names_pictures_that_are_chosen_along_with_it(many: Page, tmp_path: Path) -> None:
    table, image = tmp_path / "mine.csv", tmp_path / "mine.png"
    table.write_text("key,name,file\na,,mine.png\nb,NGC 7331,\nc,,missing.png\n", encoding="utf-8")
    image.write_bytes(encoded(disc(), "PNG"))
    measure(many, table, image)
    expect(many.locator(".counts")).to_have_text("Done: 3 of 3 · 1 with a problem")
    expect(many.locator("#many tr.bad")).to_contain_text("missing.png")


def test_rows_sort_by_any_column_both_ways_with_empty_ones_last(many: Page, tmp_path: Path) -> None:
    measure(many, write_table(tmp_path, "csv"))
    heading = many.get_by_role("columnheader", name="Inclination")
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    rising = cells(many, 3)
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    falling = cells(many, 3)
    values = [float(text.rstrip("°")) for text in rising if text]
    assert values == sorted(values)
    assert len(values) == 3
    assert rising[-1] == falling[-1] == ""
    assert falling[:-1] == rising[-2::-1]


def test_only_the_rows_with_a_problem_can_be_shown(many: Page, tmp_path: Path) -> None:
    measure(many, write_table(tmp_path, "csv"))
    many.get_by_label("Only rows with a problem").check()
    expect(rows(many)).to_have_count(1)
    many.get_by_label("Only rows with a problem").uncheck()
    expect(rows(many)).to_have_count(4)


def test_results_are_exported_as_csv_votable_and_json(many: Page, tmp_path: Path) -> None:
    measure(many, write_table(tmp_path, "csv"))
    with many.expect_download() as caught:
        many.get_by_role("button", name="Export CSV").click()
    table = list(csv.DictReader(io.StringIO(caught.value.path().read_text(encoding="utf-8"))))
    by_row = {int(one["row"]): one for one in table}
    assert [by_row[index]["key"] for index in range(4)] == list(NAMES)
    assert by_row[1]["ok"] == "false"
    assert by_row[1]["problem"] == "Unknown target: No object is known as NGC 73311."
    assert by_row[2]["pgc"] == "69327"
    assert 45 < float(by_row[2]["inclination_deg"]) < 90
    with many.expect_download() as caught:
        many.get_by_role("button", name="Export VOTable").click()
    written = {int(one["row"]): one for one in parse(caught.value.path()).get_first_table().array}
    assert str(written[1]["problem"]) == by_row[1]["problem"]
    assert float(written[2]["inclination_deg"]) == float(by_row[2]["inclination_deg"])
    with many.expect_download() as caught:
        many.get_by_role("button", name="Export JSON").click()
    results: list[dict[str, Any]] = json.loads(caught.value.path().read_text(encoding="utf-8"))
    assert {one["key"] for one in results} == set(NAMES)
    assert all(not one["answer"]["image"].get("model_input") for one in results if "answer" in one)


def test_progress_shows_rate_and_time_left_and_cancel_stops_the_work_but_keeps_what_came(
    many: Page, gateway: GatewayServer, sky: FakeSky, tmp_path: Path
) -> None:
    named = [one.name for one in universe().things if one.kind == "G" and one.d25 and one.name.startswith("NGC")]
    path = tmp_path / "slow.csv"
    path.write_text("name\n" + "\n".join(named[:400]) + "\n", encoding="utf-8")
    sky.skyserver.delay_s = 0.5
    many.set_input_files("#many input[type=file]", path)
    expect(many.locator(".counts")).to_have_text(
        re.compile(r"^\d+ of 400 (· \d+ with a problem )?· [\d.]+ a second · about .+ left$")
    )
    progress = many.get_by_role("progressbar")
    expect(progress).to_have_attribute("max", "400")
    many.get_by_role("button", name="Cancel").click()
    expect(many.locator(".counts")).to_contain_text("Cancelled: ")
    measured = int(many.locator(".counts").inner_text().split()[1])
    assert 0 < measured < 400
    with many.expect_download() as caught:
        many.get_by_role("button", name="Export CSV").click()
    assert len(caught.value.path().read_text(encoding="utf-8").splitlines()) == measured + 1
    before = len(sky.skyserver.requests)
    wait_until(
        lambda: "inclinet_requests_inside 0.0" in httpx.get(f"{gateway.url}metrics").text,
        "the gateway to stop the batch",
    )
    assert len(sky.skyserver.requests) < before + 100


def test_more_rows_than_a_page_are_paged_through(many: Page, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("pgc\n" + "x\n" * 120, encoding="utf-8")
    measure(many, path)
    expect(rows(many)).to_have_count(50)
    pager = many.get_by_role("navigation", name="Pages")
    expect(pager).to_contain_text("Page 1 of 3")
    later = pager.get_by_role("button", name="Later")
    later.click()
    expect(later).to_be_focused()
    later.click()
    expect(pager).to_contain_text("Page 3 of 3")
    expect(rows(many)).to_have_count(20)
    expect(later).to_be_disabled()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (b"colour,shape\nred,round\n", "column"), (b"\x00\x01\x02\xff" * 40, "neither text")],
)
def test_a_table_that_can_not_be_used_says_why(many: Page, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    many.set_input_files("#many input[type=file]", path)
    expect(many.locator(".failure")).to_contain_text(said)
    expect(many.locator(".failure")).to_contain_text("Give it a header with a column name, pgc, ra and dec, or file")
    expect(many.get_by_role("button", name="Cancel")).to_be_hidden()


def test_two_tables_at_once_are_refused_with_their_names(many: Page, tmp_path: Path) -> None:
    many.set_input_files("#many input[type=file]", [write_table(tmp_path, "csv"), write_table(tmp_path, "fits")])
    expect(many.locator(".failure")).to_contain_text("galaxies.csv, galaxies.fits")


def test_a_stream_that_ends_early_is_not_taken_for_the_whole(many: Page, tmp_path: Path) -> None:
    line = json.dumps({"key": "x", "row": 0, "ok": False, "problem": {"title": "Bad row", "detail": "It is bad."}})
    many.route(
        "**/api/batch?*",
        lambda route: route.fulfill(
            content_type="application/x-ndjson", headers={"X-Inclinet-Rows": "3"}, body=line + "\n"
        ),
    )
    many.set_input_files("#many input[type=file]", write_table(tmp_path, "csv"))
    expect(many.locator(".failure")).to_contain_text("The results stopped coming before the end.")
    expect(many.locator(".counts")).to_have_text("Stopped: 1 of 3 · 1 with a problem")
    expect(rows(many)).to_contain_text("It is bad.")


def test_a_row_links_to_its_galaxy_and_coming_back_finds_the_rows(many: Page, tmp_path: Path) -> None:
    measure(many, write_table(tmp_path, "csv"))
    many.locator("#many").get_by_role("link", name="NGC 4565").click()
    expect(many.locator("#answer-title")).to_have_text("NGC 4565")
    many.get_by_role("link", name="Many").click()
    expect(rows(many)).to_have_count(4)


def test_the_template_is_a_table_that_the_service_reads(many: Page, tmp_path: Path) -> None:
    with many.expect_download() as caught:
        many.get_by_role("button", name="Template (CSV)").click()
    template = tmp_path / "template.csv"
    caught.value.save_as(template)
    picture = tmp_path / "my_galaxy.png"
    picture.write_bytes(encoded(np.ascontiguousarray(disc()), "PNG"))
    measure(many, template, picture)
    expect(many.locator(".counts")).to_have_text("Done: 4 of 4")
