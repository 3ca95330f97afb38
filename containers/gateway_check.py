"""Asks a gateway everything, then compiles what it used: ``python -m containers.gateway_check MANIFEST``.

It runs while the image is built, so that a missing package ends the build, not the first request in production.
"""

from __future__ import annotations

import io
import logging
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
import structlog
from PIL import Image

from containers.bytecode import compile_used
from gateway.images.decode import decode
from gateway.settings import Settings
from gateway.sky import positions
from gateway.sky.catalogues import offline
from gateway.tables import results
from gateway.tables.cells.rows import rows_of
from gateway.tables.reader import columns_of, read_table, records_of
from inclinet.main import app
from inclinet_service import local

if TYPE_CHECKING:
    from collections.abc import Iterator

    import uvicorn

FORMATS = ("JPEG", "PNG", "GIF", "TIFF", "WEBP")
UNAVAILABLE = 503
M31_RA_DEG, M31_DEC_DEG = 10.68, 41.27
PIXEL_DEG = 1e-4
NOWHERE = "127.0.0.1:9"
"""Address without TensorFlow Serving: a question about an image gets as far as the networks, and no further."""


def pictures() -> Iterator[tuple[str, bytes]]:
    """Yield a picture in each format that is read: name and content."""
    from astropy.io import fits

    pixels = np.add.outer(np.arange(96), np.arange(96)).astype(np.uint8)
    for file_format in FORMATS:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(
            buffer, file_format, **({"compression": "tiff_lzw"} if "T" in file_format[:1] else {})
        )
        yield file_format, buffer.getvalue()
    buffer = io.BytesIO()
    place = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": M31_RA_DEG, "CRVAL2": M31_DEC_DEG}
    place |= {"CRPIX1": 48.5, "CRPIX2": 48.5, "CD1_1": -PIXEL_DEG, "CD2_2": PIXEL_DEG}
    unit = fits.CompImageHDU(pixels.astype(np.float32), fits.Header(place))
    fits.HDUList([fits.PrimaryHDU(), unit]).writeto(buffer)
    yield "FITS", buffer.getvalue()


def check_parts() -> None:
    """Use the parts for questions about the sky, without the sky."""
    for file_format, data in pictures():
        assert decode(data).format == file_format
    row = dict.fromkeys((column.name for column in results.BATCH_COLUMNS), None) | {"key": "PGC 2557", "pgc": 2557}
    written = results.table([row], results.BATCH_COLUMNS, results.Format.VOTABLE)
    table = read_table(written)
    reading = columns_of(table)
    rows = rows_of(records_of(table, reading.columns), reading)
    assert [one.target.pgc for one in rows if one.target] == [2557]
    assert round(positions.parse_position("00:42:44.3", "+41:16:09")[0], 2) == M31_RA_DEG
    assert "NGC 7331" in offline.OfflineCatalogues.load().suggestions("NGC 7331")


def ask(url: str, running: uvicorn.Server, failures: list[BaseException]) -> None:
    """Send questions to a running gateway, then stop it."""
    try:
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            for path in ("/livez", "/", "/openapi.json", "/docs", "/metrics"):
                assert client.get(path).status_code == httpx.codes.OK, path
            for file_format, data in pictures():
                answer = client.post("/api/file", files={"file": (f"galaxy.{file_format.lower()}", data)})
                assert answer.status_code == UNAVAILABLE, answer.text
            # the last picture is a FITS image with a WCS
            cut = {"ra": M31_RA_DEG, "dec": M31_DEC_DEG, "fov": 0.4, "pa": 35}
            answer = client.post("/api/file", params=cut, files={"file": ("tile.fits", data)})
            assert answer.status_code == UNAVAILABLE, answer.text
            answer = client.post("/api/batch", content=b"pgc\nnobody\n", headers={"Content-Type": "text/csv"})
            assert "not a whole number" in answer.text, answer.text
    except BaseException as error:  # noqa: BLE001 - the main thread raises a failure of any kind
        failures.append(error)
    finally:
        running.should_exit = True


def main() -> None:
    """Check the gateway, then compile."""
    check_parts()
    settings = Settings(manifest=Path(sys.argv[1]), serving=NOWHERE, predict_retry_s=0.1)
    assert app
    # Failures of the networks are expected here and not logged.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    taken = local.listen("127.0.0.1", 0)
    running = local.server(settings, local.release(settings))
    failures: list[BaseException] = []
    asker = threading.Thread(target=ask, args=(f"http://127.0.0.1:{taken.getsockname()[1]}", running, failures))
    # Connections wait in the socket's queue until the server accepts them.
    taken.listen()
    asker.start()
    running.run(sockets=[taken])
    asker.join()
    if failures:
        raise failures[0]
    sys.stdout.write(f"The gateway answers; {compile_used()} modules compiled.\n")


if __name__ == "__main__":
    main()
