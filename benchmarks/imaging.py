"""Measures the cost of cutting a batch's galaxies from a mosaic survey: ``python -m benchmarks.imaging``.

Within one run on this machine, with simulated galaxies on tiles of three bands, tile-compressed, with masks:

(a) the limit: all networks of the release called in one process (:mod:`benchmarks.speed`), before and after;
(b) a batch with Dask of the galaxies' ideal cutouts as model inputs, and one that cuts them from nine tiles: rates, and
    differences of the inclinations;
(c) the same from many more tiles, in random order: rate, and peak memory against the number of files;
(d) one partition cut from a store over HTTP, in the order of the sky and at random: bytes read for a galaxy.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from batch.imaging import imaging
from batch.imaging.cutter import Cutters
from benchmarks.batch import Peaks, Place, limit
from gateway.core.models import Target
from gateway.core.resources import processors
from gateway.images.model_input import model_input
from gateway.tables.cells.rows import Row
from tests.support.dask_runs import rows_of
from tests.support.mosaic import FOV_ARCMIN, Survey
from tests.support.object_store import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(place: Place, what: Path, tiles: Path | None, name: str) -> tuple[dict[str, Any], Peaks, Path]:
    """Make an undisturbed run; return its summary, its memory and its result."""
    options = () if tiles is None else (f"--imaging={tiles}",)
    out = place.folder / name
    summary, peaks = replace(place, options=options).undisturbed(what, out)
    if summary["status"] or summary["answered"] != summary["rows"]:
        raise RuntimeError(f"the run {name} is not complete: {summary}")
    return summary, peaks, out


async def bytes_read(
    survey: Survey, files: dict[str, bytes], order: Sequence[int], folder: Path
) -> tuple[float, float]:
    """Return the bytes read from a store, and the processor time in seconds, per galaxy of one partition."""
    with ObjectStore() as store:
        store.files = files
        table = folder / "store.csv"
        table.write_text("url\n" + "".join(f"{store.url}/bucket/{name}\n" for name in store.files))
        sky = imaging.find(str(table), str(folder / "store"), (), lambda _said: None)
        rows = []
        for number, index in enumerate(order):
            one = survey.galaxies[index]
            target = Target(ra=repr(one.ra_deg), dec=repr(one.dec_deg), fov_arcmin=FOV_ARCMIN)
            rows.append(Row(number, f"g{index}", target))
        cutters = Cutters(sky)
        cutter = cutters.cutter(rows)
        before, began = store.sent, time.process_time()
        await asyncio.gather(*(cutter.read(str(row.number)) for row in rows))
        cutter.close()
        cutters.close()
        return (store.sent - before) / len(rows), (time.process_time() - began) / len(rows)


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--across", type=int, default=12, help="tiles each way of the survey of many")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=int, default=50, help="of a partition")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each measurement of the limit")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inclinet-imaging-") as name:
        folder = Path(name)
        print(f"simulating {arguments.count:,} galaxies and their tiles…", flush=True)
        survey = Survey.simulated(arguments.count, workers=processors())
        many = Survey(survey.galaxies, arguments.across)
        survey.write(folder / "few")
        many.write(folder / "many")
        ideal = np.stack([model_input(survey.ideal(number)) for number in range(arguments.count)])
        np.save(folder / "ideal.npy", ideal)
        _measure(Place(folder, arguments.workers, arguments.rows), survey, arguments)


def _measure(place: Place, survey: Survey, arguments: argparse.Namespace) -> None:
    folder, count = place.folder, arguments.count
    order = random.Random(3).sample(range(count), count)  # noqa: S311 - no secret
    table, shuffled = survey.table(folder / "table.csv"), survey.table(folder / "shuffled.csv", order)
    before = limit(arguments.seconds)
    inputs, input_peaks, expected = run(place, folder / "ideal.npy", None, "inputs")
    few, few_peaks, found = run(place, table, folder / "few", "few-out")
    after = limit(arguments.seconds)
    lots, many_peaks, _ = run(place, shuffled, folder / "many", "many-out")
    bound = (before + after) / 2
    print(f"(a) limit: {before:.1f} galaxies/s before, {after:.1f} after")
    print(f"(b) model inputs: {inputs['rows_per_s']:.1f}/s, {inputs['rows_per_s'] / bound:.3f} of the limit")
    print(f"    cut from nine tiles: {few['rows_per_s']:.1f}/s, {few['rows_per_s'] / bound:.3f} of the limit")
    # the difference removes the start and the end, which both runs have
    more = 1e3 * (few_peaks.processor_of("workers") - input_peaks.processor_of("workers")) / count
    print(f"    a galaxy costs the workers {more:.1f} ms of a core more than a model input")
    pairs = zip(rows_of(found), rows_of(expected), strict=True)
    apart = np.array([mine["inclination_deg"] - other["inclination_deg"] for mine, other in pairs])
    print(f"    inclinations against those of the ideal cutouts: {np.abs(apart).mean():.3f} deg apart on average,")
    print(f"    {apart.mean():+.3f} in the mean, {np.abs(apart).max():.2f} at most")
    files = {name: len(list((folder / name).glob("*.fz"))) for name in ("few", "many")}
    print(f"(c) from {files['many']:,} files in random order: {lots['rows_per_s']:.1f}/s;")
    workers = few_peaks.roles["workers"], many_peaks.roles["workers"]
    print(
        f"    peak memory of the workers, MiB: {workers[0]:.0f} with {files['few']} files, {workers[1]:.0f} with them"
    )
    stored = {path.name: path.read_bytes() for path in (folder / "few").glob("*.fz")}
    for name, numbers in (("in order", list(range(count))), ("at random", order)):
        size, seconds = asyncio.run(bytes_read(survey, stored, numbers, folder))
        print(f"(d) {name}, over HTTP: {size / 1e3:.0f} kB read for a galaxy, {1e3 * seconds:.1f} ms of a core")
    print(f"    all tiles together: {sum(map(len, stored.values())) / 1e3 / count:.0f} kB for a galaxy")


if __name__ == "__main__":
    main()
