"""Measures peak memory and duration of decoding, by kind of picture: ``python -m benchmarks.images``.

Each kind is read in a process of its own, and the increase of its memory is reported.
"""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

from gateway.core import errors
from gateway.core.resources import give_large_memory_back
from gateway.images.prepare import prepare
from tests.support.odd_pictures import LARGE
from tests.support.pictures import disc, encoded, fits_file

ORDINARY = {"JPEG of 88 pixels": 88, "JPEG of 512 pixels": 512, "JPEG of 2000 pixels": 2000}
MAX_PIXELS = 40_000_000


def _memory(name: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1000


def _measure(kind: str) -> None:
    data = encoded(disc(ORDINARY[kind]), "JPEG", quality=90) if kind in ORDINARY else LARGE[kind]()
    give_large_memory_back()
    for small in (encoded(disc(64), "PNG"), fits_file(disc(64)[..., 0])):
        prepare(small, MAX_PIXELS)  # so that imports do not count
    base = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    started = time.perf_counter()
    try:
        image = prepare(data, MAX_PIXELS)
        answer = f"{image.width} x {image.height}, stretch: {image.stretch}"
    except errors.ImageError as error:
        answer = str(error)
    seconds = time.perf_counter() - started
    print(
        f"{kind:34s} {len(data) / 1e6:6.2f} MB {_memory('VmHWM') - base:5.0f} MB {seconds:7.3f} s  {answer}", flush=True
    )


def main() -> None:
    """Measure every kind and print the results."""
    print(f"{'kind':34s} {'file':>9s} {'peak':>8s} {'time':>9s}  answer")
    context = multiprocessing.get_context("spawn")
    for kind in (*ORDINARY, *LARGE):
        process = context.Process(target=_measure, args=(kind,))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
