"""Picture files that stress memory: large ones of few bytes, long narrow ones; and damaged copies of small ones."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits
from PIL import Image

from tests.support.pictures import disc, encoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

STEP = 16


def blocky(side: int, dtype: str = "f4") -> NDArray[Any]:
    """Return a galaxy of blocks of 16 pixels, which compresses to few bytes, ``[side, side]``."""
    few = side // STEP
    y, x = np.mgrid[:few, :few] - few / 2
    noise = np.random.default_rng(1).normal(0, 5, (few, few))
    light = np.rint(100 + 2000 * np.exp(-np.hypot(x, y * 2) / (few * 0.1)) + noise)
    if dtype == "u1":
        light = np.clip(light / 10, 0, 255)
    return np.kron(light.astype(dtype), np.ones((STEP, STEP), dtype))


def gzipped_fits(side: int, dtype: str, planes: int = 1) -> bytes:
    """Return a FITS image of one plane or a cube, gzipped."""
    plane = blocky(side, dtype)
    header = fits.PrimaryHDU(np.zeros((1, 1), dtype)).header
    header["NAXIS"] = 3 if planes > 1 else 2
    header["NAXIS1"] = header["NAXIS2"] = side
    if planes > 1:
        header.set("NAXIS3", planes, after="NAXIS2")
    raw = plane.astype(plane.dtype.newbyteorder(">")).tobytes() * planes
    return gzip.compress(header.tostring().encode() + raw + bytes(-len(raw) % 2880), 1, mtime=0)


def tiled_fits(side: int, tile_rows: int) -> bytes:
    """Return a tile-compressed FITS image."""
    out = io.BytesIO()
    image = fits.CompImageHDU(blocky(side, "i4"), compression_type="RICE_1", tile_shape=(tile_rows, side))
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(out)
    return out.getvalue()


def picture(side: int, file_format: str, mode: str = "RGB", **options: Any) -> bytes:
    """Return a picture of 8 bits in a format of Pillow."""
    image = Image.fromarray(blocky(side, "u1")).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.new("L", image.size, 254))
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def deep_tiff(side: int, dtype: str) -> bytes:
    """Return a TIFF of gray samples of 16 or 32 bits."""
    return encoded(blocky(side, dtype), "TIFF", compression="tiff_adobe_deflate")


def tiled_tiff(side: int, tile: int) -> bytes:
    """Return a TIFF of gray 32-bit floats, whose tiles are all the same."""
    body = zlib.compress(blocky(tile, "f4").astype("<f4").tobytes(), 1)
    count = (-(-side // tile)) ** 2
    at = 8 + 2 + 11 * 12 + 4
    entries = [(256, 4, side), (257, 4, side), (258, 3, 32), (259, 3, 8), (262, 3, 1), (277, 3, 1), (322, 4, tile)]
    entries += [(323, 4, tile), (339, 3, 3)]
    tables = b"" if count == 1 else struct.pack(f"<{count}I", *[at + 8 * count] * count)
    sizes = b"" if count == 1 else struct.pack(f"<{count}I", *[len(body)] * count)
    fields = [struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries]
    fields.insert(8, struct.pack("<HHII", 324, 4, count, at))
    fields.insert(9, struct.pack("<HHII", 325, 4, count, at + 4 * count if count > 1 else len(body)))
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(fields)) + b"".join(fields) + bytes(4)
    return head + tables + sizes + body


def strip(width: int, height: int, file_format: str = "PNG") -> bytes:
    """Return a long narrow picture that is not uniform."""
    pixels = np.zeros((height, width), np.uint8)
    pixels[height // 3 : height // 2, width // 3 :] = 200
    return encoded(pixels, file_format)


def interlaced_png(side: int) -> bytes:
    """Return an RGB PNG in seven passes, each of one grey."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    packer = zlib.compressobj(1)
    body = b""
    for number, (x, y, across, down) in enumerate(passes):
        row = b"\0" + bytes([30 * number]) * (3 * -(-(side - x) // across))
        for _ in range(-(-(side - y) // down)):
            body += packer.compress(row)
    return png(side, side, body + packer.flush(), interlaced=True)


def png(width: int, height: int, packed: bytes, *, interlaced: bool = False, depth: int = 8, colour: int = 2) -> bytes:
    """Return a PNG of compressed rows, whatever its header claims."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


LARGE: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: picture(6320, "JPEG", quality=80),
    "progressive JPEG": lambda: picture(6320, "JPEG", quality=80, progressive=True),
    "PNG": lambda: picture(4096, "PNG", compress_level=1),
    "PNG of 40 Mpx with alpha": lambda: picture(6320, "PNG", "RGBA", compress_level=1),
    "interlaced PNG": lambda: interlaced_png(4096),
    "interlaced PNG of 40 Mpx": lambda: interlaced_png(6320),
    "WebP": lambda: picture(4096, "WEBP", quality=50, method=0),
    "lossless WebP": lambda: picture(4096, "WEBP", lossless=True, quality=0, method=0),
    "GIF": lambda: picture(4096, "GIF", "L"),
    "TIFF of 16 bits": lambda: deep_tiff(4096, "u2"),
    "TIFF of floats": lambda: deep_tiff(6320, "f4"),
    "TIFF in tiles": lambda: tiled_tiff(4096, 256),
    "TIFF of one tile": lambda: tiled_tiff(4096, 4096),
    "FITS of doubles": lambda: gzipped_fits(6320, "f8"),
    "FITS cube of floats": lambda: gzipped_fits(3648, "f4", 3),
    "tile-compressed FITS": lambda: tiled_fits(4096, 256),
    "tile-compressed FITS of one tile": lambda: tiled_fits(2048, 2048),
    "long GIF": lambda: strip(32, 60_000, "GIF"),
    "longest that is read": lambda: strip(1_500, 24_000),
}
"""Kinds of large pictures, each below 10 MB as a file and below 40 million pixels."""


SKY_PLACE = {"ra": 150.0, "dec": 30.0, "fov": 40.0}
"""Field that contains the mosaics below."""


def mosaic(side: int, tile: tuple[int, int] | None, band: str = "r", *, beside: bool = False) -> bytes:
    """Return a mosaic 40 arcmin wide, tile-compressed or gzipped, with mask and weights if ``beside``."""
    header = fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 30.0, "FILTER": band})
    header.update({"CRPIX1": side / 2, "CRPIX2": side / 2, "CD1_1": -0.69 / side, "CD2_2": 0.69 / side})
    hdus = [fits.PrimaryHDU()]
    for name in ("SCI", "DQ", "WHT") if beside else ("SCI",):
        pixels = blocky(side, "i4") if name == "SCI" else np.full((side, side), name == "WHT", "i4")
        packed = tile and fits.CompImageHDU(pixels, header, name, compression_type="RICE_1", tile_shape=tile)
        hdus.append(packed or fits.ImageHDU(pixels, header, name))
    out = io.BytesIO()
    fits.HDUList(hdus).writeto(out)
    return out.getvalue() if tile else gzip.compress(out.getvalue(), 1, mtime=0)


LARGE_ON_SKY: dict[str, Callable[[], list[bytes]]] = {
    "mosaic packed by gzip": lambda: [mosaic(2800, None)],
    "twelve mosaics packed by gzip": lambda: [mosaic(2800, None, band) for band in "ugrizyJHKRIB"],
    "mosaic in tiles, with mask and weights": lambda: [mosaic(4096, (256, 256), beside=True)],
    "mosaic in large tiles": lambda: [mosaic(4096, (1024, 1024))],
    "three bands in tiles": lambda: [mosaic(4096, (128, 128), band) for band in "gri"],
}


def small() -> dict[str, bytes]:
    """Return small valid files of every format, to be damaged."""
    pixels = disc(48)
    gray = pixels[..., 0]
    fits_image = io.BytesIO()
    fits.PrimaryHDU(gray.astype("f4")).writeto(fits_image)
    several = io.BytesIO()
    fits.HDUList(
        [fits.PrimaryHDU(), fits.ImageHDU(gray.astype("i2"), name="SCI"), fits.ImageHDU(gray, name="DQ")],
    ).writeto(several)
    tiled = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(gray.astype("i4"), compression_type="RICE_1")]).writeto(tiled)
    cube = io.BytesIO()
    fits.PrimaryHDU(np.moveaxis(pixels, 2, 0).astype("f8")).writeto(cube)
    return {
        "jpeg": encoded(pixels, "JPEG"),
        "progressive": encoded(pixels, "JPEG", progressive=True),
        "png": encoded(pixels, "PNG"),
        "png16": encoded(gray.astype("u2") * 16, "PNG"),
        "gif": encoded(pixels, "GIF"),
        "animated": _animated(pixels),
        "tiff": encoded(pixels, "TIFF"),
        "lzw": encoded(pixels, "TIFF", compression="tiff_lzw"),
        "lzma": encoded(pixels, "TIFF", compression="lzma"),
        "bigtiff": encoded(pixels, "TIFF", big_tiff=True),
        "tiff32": encoded(gray.astype("f4"), "TIFF"),
        "webp": encoded(pixels, "WEBP"),
        "lossless": encoded(pixels, "WEBP", lossless=True),
        "fits": fits_image.getvalue(),
        "several": several.getvalue(),
        "tiled": tiled.getvalue(),
        "cube": cube.getvalue(),
        "gzip": gzip.compress(fits_image.getvalue(), mtime=0),
        "bzip2": bz2.compress(several.getvalue()),
    }


def _animated(pixels: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    frames = [Image.fromarray(np.zeros_like(pixels)), Image.fromarray(pixels)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


def damaged(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Cut, flip, splice, or overwrite a part of a file, or write absurd numbers into its first bytes."""
    how = rng.integers(6)
    at = int(rng.integers(len(data)))
    if how == 0:
        return data[:at]
    if how == 1:
        return data[:at] + other[int(rng.integers(len(other))) :]
    changed = bytearray(data)
    if how == 2:
        for place in rng.integers(len(changed), size=int(rng.integers(1, 12))):
            changed[place] ^= 1 << int(rng.integers(8))
    elif how == 3:
        changed[at : at + 16] = rng.bytes(16)
    elif how == 4:
        # the region in which formats store sizes, offsets and counts
        head = int(rng.integers(min(len(changed), 200)))
        number = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\1\0\0"])
        number *= int(rng.integers(1, 3))
        changed[head : head + len(number)] = number
    else:
        digits = [place for place, byte in enumerate(changed[:6000]) if 48 <= byte <= 57]
        for place in rng.choice(digits, size=min(4, len(digits))) if digits else ():
            changed[place] = 48 + int(rng.integers(10))
    return bytes(changed)
