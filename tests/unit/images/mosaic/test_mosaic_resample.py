"""What is read and interpolated: as reproject does it, of no more of a file than is needed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from reproject import reproject_adaptive, reproject_interp

from gateway.core import errors
from gateway.images.limits import MEMORY, Share
from gateway.images.mosaic.celestial import directions, pixels, refined, tangent_plane
from gateway.images.mosaic.cut import cut
from gateway.images.mosaic.files import band_images
from gateway.images.mosaic.parts import part_of
from gateway.images.mosaic.resample import Canvas, Places
from tests.support.imaging import NOISE, SkyDisc, plane, tile, written
from tests.support.object_store import ObjectStore
from tests.support.odd_pictures import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from gateway.core.field_of_view import SkyField

DISC = SkyDisc(150.0, 2.2)
SIDE = 180
LARGE = (1600, 2000)


def resampled(data: bytes, field: SkyField, side: int) -> NDArray[np.float32]:
    (image,) = band_images([io.BytesIO(data)], [], 40_000_000)
    cells = pixels(image.wcs, directions(field, 17), image.shape)
    part = part_of(cells[0], cells[1], image.shape)
    assert part is not None
    where = refined(cells, image.wcs, field, side, image.shape)
    canvas = Canvas(side)
    with Share(MEMORY) as share:
        canvas.add(image, Places(where, part, int(17 * part.cell_pixels / side)), factor=1.0, share=share)
    return canvas.light()


@pytest.mark.parametrize("turn_deg", [0.0, 33.0])
def test_pixels_as_large_as_the_picture_s_are_interpolated_as_reproject_does(turn_deg: float) -> None:
    field = DISC.field(turned=True)
    hdus = tile([DISC], plane(DISC.ra_deg + 0.005, DISC.dec_deg, (500, 500), turn_deg=turn_deg), (500, 500))
    found = resampled(written(hdus), field, SIDE)
    expected, _ = reproject_interp(hdus[0], tangent_plane(field, SIDE), (SIDE, SIDE))
    assert found == pytest.approx(expected, abs=0.02 * NOISE)


def test_smaller_pixels_are_averaged_as_reproject_s_adaptive_does() -> None:
    field = DISC.field(turned=True)
    wcs = plane(DISC.ra_deg, DISC.dec_deg, (1200, 1200), pixel_arcsec=0.1, turn_deg=20)
    hdus = tile([DISC], wcs, (1200, 1200))
    found = resampled(written(hdus), field, SIDE)
    expected, _ = reproject_adaptive(hdus[0], tangent_plane(field, SIDE), (SIDE, SIDE), kernel="gaussian")
    assert np.abs(found - expected).mean() < 0.35 * NOISE
    # a sky that was sampled, not averaged, would be as noisy as its pixels
    sky = found[:20, :20]
    assert np.diff(sky, axis=1).std() / np.sqrt(2) < 0.5 * NOISE


@pytest.fixture(scope="module")
def mosaics() -> dict[str, bytes]:
    wcs = plane(DISC.ra_deg + 0.03, DISC.dec_deg + 0.03, LARGE)
    return {
        f"{kind}-{band}.fits": written(tile([DISC], wcs, LARGE, band=band, compressed=kind == "compressed"))
        for kind in ("plain", "compressed")
        for band in "gr"
    }


@pytest.fixture
def store(mosaics: dict[str, bytes]) -> Iterator[ObjectStore]:
    with ObjectStore() as served:
        served.files = mosaics
        yield served


@pytest.mark.parametrize("kind", ["plain", "compressed"])
def test_little_more_is_read_of_a_mosaic_elsewhere_than_the_field_needs(store: ObjectStore, kind: str) -> None:
    names = [f"{kind}-{band}.fits" for band in "gr"]
    picture, _ = cut([f"{store.url}/bucket/{name}" for name in names], DISC.field())
    assert np.array_equal(picture.rgb, cut([store.files[name] for name in names], DISC.field())[0].rgb)
    size = sum(len(store.files[name]) for name in names)
    # 180 of 1600 rows, of pixels or of tiles, in blocks of 256 kB
    assert store.sent < 0.25 * size


def test_a_bucket_of_s3_is_read_as_well(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": store.url,
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    picture, used = cut(["s3://bucket/plain-g.fits", "s3://bucket/plain-r.fits"], DISC.field())
    assert used.bands == ("r", "g")
    expected, _ = cut([store.files["plain-g.fits"], store.files["plain-r.fits"]], DISC.field())
    assert np.array_equal(picture.rgb, expected.rgb)
    assert store.sent < 0.2 * 2 * len(store.files["plain-g.fits"])


def test_files_on_a_disk_are_read_by_their_paths_and_missing_ones_are_told(
    mosaics: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "g.fits"
    path.write_bytes(mosaics["plain-g.fits"])
    assert np.array_equal(cut([path], DISC.field())[0].rgb, cut([str(path)], DISC.field())[0].rgb)
    with pytest.raises(FileNotFoundError):
        cut([tmp_path / "r.fits"], DISC.field())


def test_damaged_files_give_a_picture_or_a_sentence() -> None:
    wcs = plane(DISC.ra_deg, DISC.dec_deg, (200, 200))
    files = [written(tile([DISC], wcs, (200, 200), compressed=packed)) for packed in (False, True)]
    rng = np.random.default_rng(20261128)
    refused = []
    for _ in range(80):
        one, other = (files[index] for index in rng.integers(2, size=2))
        try:
            cut([damaged(one, other, rng)], DISC.field())
        except errors.GatewayError as error:
            refused.append(error)
    assert len(refused) > 20
    assert all(400 <= error.status < 500 and error.detail.endswith(".") for error in refused)
