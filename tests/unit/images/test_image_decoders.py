"""Pillow decodes an ordinary JPEG to the pixels that libvips makes of it, and refuses none that libvips reads."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from gateway.core import errors
from gateway.images import raster, vips
from gateway.images.decode import decode
from gateway.images.limits import MAX_PIXELS, MEMORY, Share
from tests.support.galaxies import SHARED, needs_galaxies
from tests.support.odd_pictures import damaged
from tests.support.pictures import disc, encoded


def read(data: bytes) -> bytes | str:
    """Return the samples of a JPEG, or the sentence by which it is refused."""
    try:
        with Share(MEMORY) as share:
            found = raster.read(data, "JPEG", max_pixels=MAX_PIXELS, share=share)
    except errors.ImageError as error:
        return str(error)
    return str(found.samples.shape).encode() + found.samples.tobytes()


def read_by_libvips(data: bytes, monkeypatch: pytest.MonkeyPatch) -> bytes | str:
    with monkeypatch.context() as changed:
        changed.setattr(vips, "PLAIN", {})
        return read(data)


@needs_galaxies
def test_real_galaxies_have_the_same_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [*sorted(SHARED.glob("giz512/*.jpg")), *sorted(SHARED.glob("efigi/*.jpg"))[::40]]
    assert len(paths) > 100
    for path in paths:
        data = path.read_bytes()
        assert isinstance(read(data), bytes)
        assert read(data) == read_by_libvips(data, monkeypatch), path.name


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"quality": 100, "subsampling": 0}, {"mode": "L"}, {"mode": "CMYK"}, {"exif": 6}],
    ids=str,
)
def test_every_kind_of_jpeg_has_the_same_pixels_whole_and_damaged(
    options: dict[str, int | str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = Image.fromarray(disc(90)[:, :70]).convert(str(options.pop("mode", "RGB")))
    if "exif" in options:
        exif = Image.Exif()
        exif[0x0112] = options.pop("exif")
        options["exif"] = exif  # type: ignore[assignment]
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    whole, other, rng = file.getvalue(), encoded(disc(64), "JPEG"), np.random.default_rng(20261128)
    assert isinstance(read(whole), bytes)
    assert read(whole) == read_by_libvips(whole, monkeypatch)
    for _ in range(60):
        data = damaged(whole, other, rng)
        if raster.format_of(data) == "JPEG":
            one, two = read(data), read_by_libvips(data, monkeypatch)
            # which of two sentences tells of the damage hangs in libvips on what it met before
            assert one == two or isinstance(one, str) is isinstance(two, str) is True


@pytest.mark.parametrize(("at", "value"), [(4, 12), (1, 0xC3)], ids=["12 bits", "lossless"])
def test_jpeg_of_a_kind_that_no_library_here_reads_is_not_called_damaged(at: int, value: int) -> None:
    data = bytearray(encoded(disc(64), "JPEG"))
    data[data.index(b"\xff\xc0") + at] = value
    with pytest.raises(errors.BadImage, match="of a kind that is not read"):
        decode(bytes(data))
