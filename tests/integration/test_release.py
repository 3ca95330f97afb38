"""The committed release, through the whole service, on real galaxies that people measured."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.core.manifest import read_manifest
from tests.support.pictures import disc, encoded
from tests.support.service import UpProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "model_repo" / "manifest.json"
GALAXIES = ROOT.parent / "shared" / "galaxies"
real = pytest.mark.skipif(not GALAXIES.is_dir(), reason="the real galaxies are not on this machine")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with UpProcess(tmp_path_factory.mktemp("up"), f"--manifest={MANIFEST}") as service:
        yield service.url


def measured(url: str, data: bytes) -> dict[str, float]:
    answer = httpx.post(f"{url}/api/file", files={"file": ("galaxy", data)}, timeout=60).json()
    assert len(answer["flavors"]) == len(read_manifest(MANIFEST).flavors), answer
    assert answer["warnings"] is not None
    values: dict[str, float] = answer["inclination"] | {"rejection": answer["rejection"]["median"]}
    return values


@real
def test_a_galaxy_that_people_measured_at_61_deg_is_within_10_of_it(url: str) -> None:
    values = measured(url, (GALAXIES / "giz512" / "pgc44182_gri.jpg").read_bytes())
    assert values["median_deg"] == pytest.approx(61, abs=10)


@real
def test_galaxies_as_measurers_saw_them_come_out_as_they_measured(url: str) -> None:
    with (GALAXIES / "giz512.csv").open() as table:
        rows = [row for row in csv.DictReader(table) if row["inclination"]]
    errors = [
        measured(url, (GALAXIES / row["file"]).read_bytes())["median_deg"] - float(row["inclination"]) for row in rows
    ]
    assert len(errors) >= 10
    rms = (sum(error**2 for error in errors) / len(errors)) ** 0.5
    assert rms < 7.5  # a ruler on these pictures (axis ratios of isophotes) scatters by more than 10


def test_the_networks_tell_thick_from_thin_on_plain_discs(url: str) -> None:
    medians = [measured(url, encoded(disc(160, q), "PNG"))["median_deg"] for q in (0.7, 0.45, 0.25)]
    assert medians == sorted(medians)
    assert medians[-1] - medians[0] > 12
