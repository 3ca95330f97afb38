"""The rows of a partition, cut from images of the sky: each has an answer or its own problem."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from batch import run
from batch.dask.worker import Job, measure_in
from batch.errors import BatchError
from batch.fetching.galaxies import Fetching
from batch.imaging import footprints, open_images
from batch.inputs import catalogue, source
from batch.outputs import results
from batch.outputs.partitions import Folder
from batch.request import BatchRequest
from batch.settle import Patience
from gateway.core.field_of_view import SkyField
from gateway.core.models import EnsemblePrediction, FlavorPrediction
from gateway.images.fits_file import FitsFile
from gateway.images.model_input import model_input
from gateway.images.mosaic.cut import cut
from gateway.measure.one import Inclinations
from gateway.settings import Settings
from tests.support.manifests import manifest
from tests.support.object_store import ObjectStore
from tests.support.two_tiles import DEC_DEG, DISCS, RA_DEG

if TYPE_CHECKING:
    import numpy as np

    from gateway.core.models import Deadline

RELEASE = manifest(2)
HEADER = "id,ra,dec,d25,pa"


@dataclass
class Seen:
    """Networks that keep what they were shown."""

    pictures: list[np.ndarray[Any, Any]] = field(default_factory=list)

    async def read(self, pixels: np.ndarray[Any, Any], _deadline: Deadline) -> EnsemblePrediction:
        self.pictures.append(pixels)
        value = 45 + float(pixels.mean()) / 10
        return EnsemblePrediction(tuple(FlavorPrediction(model.name, 1, value) for model in RELEASE.flavors), ())


async def measured(
    lines: list[str], imaging: Path | str, folder: Path, *, header: str = HEADER, size: int = 100, **changed: Any
) -> list[dict[str, Any]]:
    """Measure the rows of a table as a worker does, partitions of a size; return all that is known of them."""
    (folder / "table.csv").write_text("\n".join([header, *lines]) + "\n")
    out = str(folder / "out")
    asked = BatchRequest(what=(str(folder / "table.csv"),), out=out, imaging=str(imaging), **changed)
    found = source.find(asked.what)
    asked, sky = run.find_imaging(asked, found, lambda _said: None)
    assert sky is not None
    partitions = list(catalogue.partitions(catalogue.pieces(found, out, size=size, choice=asked.choice), size))
    patience = Patience(fruitless=2, first_pause_s=0.0, longest_pause_s=0.0, row_s=600.0)
    fetching = Fetching(settings=Settings(serving="127.0.0.1:8500"), patience=patience)
    job = Job(
        folder=Folder(out, {"batch": "f00d"}),
        manifest=RELEASE,
        serving=(),
        source=found,
        request=asked,
        fetching=fetching,
        concurrency=4,
        imaging=sky,
    )
    with ThreadPoolExecutor(1) as executor:
        inclinations = Inclinations(
            manifest=RELEASE,
            networks=Seen(),
            sky=SimpleNamespace(),  # type: ignore[arg-type]  # no row asks about the sky
            executor=executor,
            max_pixels=10**6,
            observe=lambda _stage, _seconds: None,
        )
        with closing(sky.cutters()) as cutters:
            for partition in partitions:
                await measure_in(job, inclinations, partition, lambda _number, _rows: None, cutters)
    return [row for partition in partitions for row in job.folder.rows(partition)]


def line(number: int, d25: float | str = 0.6, pa: float | str = "") -> str:
    one = DISCS[number]
    return f"g{number},{one.ra_deg},{one.dec_deg},{d25},{pa}"


async def test_galaxies_are_cut_by_place_size_and_angle(tiles: Path, tmp_path: Path) -> None:
    rows = await measured([line(2), line(0, pa=30), line(1)], tiles, tmp_path)
    assert [row["key"] for row in rows] == ["g2", "g0", "g1"]
    assert [row["problem"] for row in rows] == [None] * 3
    turned = rows[1]
    assert (turned["ra_deg"], turned["dec_deg"]) == pytest.approx((DISCS[0].ra_deg, DISCS[0].dec_deg))
    assert (turned["position_angle_deg"], turned["image_source"], turned["galaxy_source"]) == (30, "imaging", "table")
    assert turned["asked"] == f"{DISCS[0].ra_deg} {DISCS[0].dec_deg} fov=0.9 pa=30"
    assert turned["ellipticity_axis_ratio"] == pytest.approx(0.4, abs=0.05)
    # on the border of two tiles it is as whole as in the middle of one
    assert rows[2]["ellipticity_axis_ratio"] == pytest.approx(0.6, abs=0.05)
    assert rows[2]["warnings"] is None


async def test_the_picture_is_that_of_one_cut_from_all_tiles(tiles: Path, tmp_path: Path) -> None:
    (row,) = await measured([line(1)], tiles, tmp_path)
    field_of = SkyField(DISCS[1].ra_deg, DISCS[1].dec_deg, 0.9)
    picture, _ = cut([str(tiles / f"{number}-{band}.fits.fz") for number in (0, 1) for band in "gr"], field_of)
    assert row["inclination_deg"] == pytest.approx(45 + float(model_input(picture.rgb).mean()) / 10, abs=0.01)


async def test_each_row_has_its_own_problem(tiles: Path, tmp_path: Path) -> None:
    lines = [
        line(0),
        line(0),
        "outside,10,10,0.6,",
        "nonsense,abc,2,0.6,",
        "beyond,400,2,0.6,",
        "nowhere,,,0.6,",
        f"wide,{RA_DEG},{DEC_DEG},20,",
        f"tiny,{RA_DEG},{DEC_DEG},0.00001,",
        f"dark,{RA_DEG + 0.005},{DEC_DEG + 0.018},,",
    ]
    rows = await measured(lines, tiles, tmp_path)
    kinds = [row["problem_type"] for row in rows]
    assert kinds == [None, None, "outside-images", *["bad-target"] * 3, "outside-images", "bad-target", "bad-target"]
    assert rows[0]["inclination_deg"] == rows[1]["inclination_deg"]
    assert rows[2]["problem"] == "None of the images shows ra 10.00000, dec +10.00000 deg."
    assert rows[-1]["problem"].startswith("The size is not known, and no galaxy")


async def test_a_galaxy_that_one_band_does_not_show_is_not_shown_in_the_others(tiles: Path, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    shutil.copytree(tiles, folder)
    (folder / "1-r.fits.fz").unlink()
    rows = await measured([line(0), line(2)], folder, tmp_path)
    assert [row["problem_type"] for row in rows] == [None, "bands-apart"]
    assert "there are images in g, and none in r" in rows[1]["problem"]


async def test_without_a_size_the_picture_says_it(tiles: Path, tmp_path: Path) -> None:
    rows = await measured([line(0, ""), line(0, -999), line(0, 1.0)], tiles, tmp_path)
    assert [row["problem"] for row in rows] == [None] * 3
    fields = [float(row["asked"].partition("fov=")[2]) for row in rows]
    # its isophote lies at three to five scale lengths of 5 arcsec, and 1.4 diameters are shown
    assert 1.4 * 6 * 5 / 60 < fields[0] == fields[1] < 1.4 * 10 * 5 / 60
    assert fields[2] == pytest.approx(1.5)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files, in the order in which they are opened."""
    opened: list[str] = []
    images_of = footprints.images_of

    def counted(file: str, *rest: Any, **more: Any) -> Any:
        opened.append(Path(file).name)
        return images_of(file, *rest, **more)

    monkeypatch.setattr(open_images, "images_of", counted)
    return opened


@pytest.mark.parametrize("size", [2, 100])
async def test_each_file_is_opened_once_in_any_order_and_grouping(
    tiles: Path, tmp_path: Path, opened: list[str], size: int
) -> None:
    rows = await measured([line(number % 3) for number in range(9)], tiles, tmp_path, size=size)
    assert [row["problem"] for row in rows] == [None] * 9
    assert sorted(opened) == ["0-g.fits.fz", "0-r.fits.fz", "1-g.fits.fz", "1-r.fits.fz"]


async def test_a_file_whose_connection_is_lost_is_opened_anew(
    tiles: Path, tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, read_at = [ConnectionResetError("gone")], FitsFile.read_at

    def losing(file: FitsFile, place: int, size: int) -> bytes:
        if lost:
            raise lost.pop()
        return read_at(file, place, size)

    monkeypatch.setattr(FitsFile, "read_at", losing)
    (row,) = await measured([line(0)], tiles, tmp_path)
    assert row["problem"] is None
    assert len(opened) > len(set(opened))


async def test_an_image_that_is_gone_is_a_problem_and_one_out_of_reach_is_asked_again(
    tiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images_of = footprints.images_of

    def failing(file: str, *rest: Any, **more: Any) -> Any:
        if "0-r" in file:
            raise FileNotFoundError(2, "No such file or directory", file)
        if "1-g" in file:
            raise PermissionError(13, "Permission denied")
        return images_of(file, *rest, **more)

    monkeypatch.setattr(open_images, "images_of", failing)
    rows = await measured([line(0), line(2)], tiles, tmp_path)
    assert rows[0]["problem_type"] == "bad-image"
    assert "0-r.fits.fz" in rows[0]["problem"]
    assert rows[1]["problem"] == "An image of the sky can't be read: Permission denied."
    assert (tmp_path / "out" / "_unfinished").is_dir()
    monkeypatch.undo()
    rows = await measured([line(0), line(2)], tiles, tmp_path)
    assert [row["problem_type"] for row in rows] == ["bad-image", None]
    (data, _) = results.decoded(str(tmp_path / "out" / "part-000000.parquet"))
    assert [row["row"] for row in data] == [0, 1]


def read(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.fz")}


async def test_images_elsewhere_are_read_in_parts(tiles: Path, tmp_path: Path) -> None:
    with ObjectStore() as store:
        store.files = read(tiles)
        (tmp_path / "images.csv").write_text("file\n" + "".join(f"{store.url}/bucket/{one}\n" for one in store.files))
        rows = await measured([line(0), line(1), line(2)], tmp_path / "images.csv", tmp_path)
    assert [row["problem"] for row in rows] == [None] * 3


@pytest.mark.parametrize(
    ("header", "row", "changed", "words"),
    [
        ("pgc,d25", "1,2", {}, "has no position"),
        (HEADER, "a,1,2,3,", {"survey": "sdss"}, "--survey does not go with --imaging"),
        (HEADER, "a,1,2,3,", {"bands": ("K",)}, "--bands K"),
    ],
)
async def test_what_does_not_go_with_imaging_is_refused_before_the_run(
    tiles: Path, tmp_path: Path, *, header: str, row: str, changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(BatchError, match=words):
        await measured([row], tiles, tmp_path, header=header, **changed)
