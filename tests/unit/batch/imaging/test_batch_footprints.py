"""Images of the sky: which are found, what the index says of them, and what is refused before a run."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from mocpy import MOC
from pyarrow import parquet

from batch.errors import BatchError
from batch.imaging import imaging
from batch.outputs import partitions
from batch.outputs.partitions import Identity
from tests.support.imaging import plane, tile, written
from tests.support.object_store import ObjectStore
from tests.support.two_tiles import DEC_DEG, RA_DEG

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def said() -> list[str]:
    return []


def find(location: Path | str, out: Path, said: list[str], bands: tuple[str, ...] = ()) -> imaging.SkyImages:
    return imaging.find(str(location), str(out), bands, said.append)


def rows(out: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = parquet.read_table(out / imaging.INDEX).to_pylist()
    return found


def test_the_index_says_where_each_image_lies(tiles: Path, tmp_path: Path, said: list[str]) -> None:
    found = find(tiles, tmp_path / "out", said)
    assert found.shown == ("r", "g")
    assert said[-1] == "Images of the sky: 2 in r, 2 in g."
    first = rows(tmp_path / "out")[0]
    assert (first["file"], first["band"], first["width"], first["hdu"]) == (str(tiles / "0-g.fits.fz"), "g", 400, 1)
    assert first["pixel_arcsec"] == pytest.approx(0.4)
    assert (first["ra_deg"], first["dec_deg"]) == pytest.approx((RA_DEG, DEC_DEG), abs=1e-6)
    corner = WCS(fits.getheader(tiles / "0-g.fits.fz", 1)).all_pix2world(-0.5, -0.5, 0)
    assert (first["ra1_deg"], first["dec1_deg"]) == pytest.approx([float(one) for one in corner], abs=1e-7)
    assert first["radius_deg"] == pytest.approx(np.hypot(200, 200) * 0.4 / 3600, rel=1e-3)


def test_the_map_of_what_is_covered_lies_beside_it(tiles: Path, tmp_path: Path, said: list[str]) -> None:
    find(tiles, tmp_path / "out", said)
    moc = MOC.from_fits(tmp_path / "out" / "_coverage.fits")
    assert moc.contains_lonlat(*plane_degrees([RA_DEG, RA_DEG + 1], [DEC_DEG, DEC_DEG])).tolist() == [True, False]


def plane_degrees(ra: list[float], dec: list[float]) -> tuple[object, object]:
    from astropy import units

    return ra * units.deg, dec * units.deg


def test_what_can_not_be_used_is_listed_with_its_reason(tiles: Path, tmp_path: Path, said: list[str]) -> None:
    folder = tmp_path / "images"
    shutil.copytree(tiles, folder)
    shutil.copy(tiles / "0-g.fits.fz", folder / "again.fits.fz")
    sky = plane(RA_DEG, DEC_DEG, (40, 40))
    spectrum = WCS(naxis=2)
    spectrum.wcs.ctype = ["WAVE", "OFFSET"]
    spectrum.wcs.cunit = ["m", ""]
    fits.PrimaryHDU(np.ones((40, 40), np.float32)).writeto(folder / "bare.fits")
    fits.PrimaryHDU(np.ones((40, 40), np.float32), spectrum.to_header()).writeto(folder / "spectrum.fits")
    tile([], sky, (40, 40), band=None).writeto(folder / "nameless.fits")
    tile([], sky, (40, 40), band="F'oo").writeto(folder / "foo.fits")
    (folder / "cut.fits").write_bytes(written(tile([], sky, (40, 40)))[:1000])
    (folder / "empty.fits").touch()
    (folder / "gone.fits").symlink_to(folder / "nowhere.fits")
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns([fits.Column("x", "D", array=[1.0])])]).writeto(
        folder / "table.fits"
    )
    find(folder, tmp_path / "out", said)
    told = "\n".join(said)
    for name, why in {
        "again.fits.fz": "It shows the same sky in g as",
        "bare.fits": "has no WCS",
        "spectrum.fits": "has no celestial axes",
        "nameless.fits": "Its header names no band",
        "foo.fits": "Its header names no band",
        "cut.fits": "truncated or damaged",
        "empty.fits": "is empty",
        "table.fits": "",
    }.items():
        line = next(line for line in said if f"/{name}: " in line)
        assert why in line
    assert "8 of the files and images can't be used" in told
    assert said[-1] == "Images of the sky: 2 in r, 2 in g."
    assert len([row for row in rows(tmp_path / "out") if row["problem"]]) == 8


def test_an_index_is_made_once_and_serves_other_batches(tiles: Path, tmp_path: Path, said: list[str]) -> None:
    first = find(tiles, tmp_path / "out", said)
    made = (tmp_path / "out" / imaging.INDEX).stat().st_mtime_ns
    assert find(tiles, tmp_path / "out", said) == first
    assert (tmp_path / "out" / imaging.INDEX).stat().st_mtime_ns == made
    other = find(tmp_path / "out" / imaging.INDEX, tmp_path / "other", said)
    assert (other.index, other.fingerprint, other.bands) == (first.index, first.fingerprint, first.bands)
    assert not (tmp_path / "other").exists()
    assert len([line for line in said if line.startswith("Reading the headers")]) == 1


def test_images_that_changed_are_another_batch_s(tiles: Path, tmp_path: Path, said: list[str]) -> None:
    folder, out = tmp_path / "images", tmp_path / "out"
    shutil.copytree(tiles, folder)
    before = find(folder, out, said)
    (folder / "0-g.fits.fz").unlink()
    # nothing was asked of the others yet
    assert find(folder, out, said).fingerprint != before.fingerprint
    partitions.claim(str(out), Identity("f00d", 1, "1", {}), location="table.csv", partitions=1)
    (folder / "0-r.fits.fz").unlink()
    with pytest.raises(BatchError, match="holds a batch of other images"):
        find(folder, out, said)


def test_a_table_names_files_and_their_bands(tiles: Path, tmp_path: Path, said: list[str]) -> None:
    sky = plane(RA_DEG, DEC_DEG, (40, 40))
    tile([], sky, (40, 40), band=None).writeto(tmp_path / "nameless.fits")
    table = tmp_path / "images.csv"
    table.write_text(f"filename,band\nnameless.fits,z\n{tiles}/1-r.fits.fz,\n{tiles}/1-g.fits.fz,\n")
    assert find(table, tmp_path / "out", said).shown == ("z", "r", "g")
    table.write_text("name\nx\n")
    with pytest.raises(BatchError, match="has no column file"):
        find(table, tmp_path / "other", said)
    # one image is a survey too
    assert find(tiles / "1-r.fits.fz", tmp_path / "third", said).shown == ("r",)


def test_bands_are_chosen_once_for_all_galaxies(tmp_path: Path, said: list[str]) -> None:
    for number, band in enumerate(("g", "DECam r", "r.00000", "i", "z", "y")):
        sky = plane(RA_DEG + number, DEC_DEG, (40, 40))
        tile([], sky, (40, 40), band=band).writeto(tmp_path / f"{number}.fits")
    found = find(tmp_path, tmp_path / "out", said)
    assert found.shown == ("i", "DECam r", "g")
    assert found.bands["r.00000"] == "DECam r"
    assert find(tmp_path, tmp_path / "out", said, ("g", "z")).shown == ("z", "g")
    with pytest.raises(
        BatchError, match=r"--bands u,g: up to 3 bands make a picture, and the images .* are in y, z, i"
    ):
        find(tmp_path, tmp_path / "out", said, ("u", "g"))


@pytest.mark.parametrize(
    ("location", "words"),
    [("nowhere", "There is nothing at"), ("", "There is no FITS file at"), ("bare.fits", "No image at .* can be used")],
)
def test_what_is_no_imaging_is_refused_in_one_sentence(
    location: str, words: str, tmp_path: Path, said: list[str]
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    if location.endswith("fits"):
        fits.PrimaryHDU(np.ones((40, 40), np.float32)).writeto(folder / location)
    with pytest.raises(BatchError, match=words):
        find(f"{folder}/{location}", tmp_path / "out", said)


def test_images_elsewhere_are_indexed_by_their_headers_alone(tmp_path: Path, said: list[str]) -> None:
    with ObjectStore() as store:
        size = (2000, 2000)
        store.files["g.fits"] = written(tile([], plane(RA_DEG, DEC_DEG, size), size, band="g"))
        table = tmp_path / "images.csv"
        table.write_text(f"url\n{store.url}/bucket/g.fits\n{store.url}/bucket/none.fits\n")
        assert find(table, tmp_path / "out", said).shown == ("g",)
        assert store.sent < len(store.files["g.fits"]) / 20
    assert "none.fits: It can't be read" in "\n".join(said)
