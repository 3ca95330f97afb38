"""Measures a batch with Dask, undisturbed and with two kills, on model inputs: ``python -m benchmarks.batch``.

Within one run on this machine:

(a) the limit: all networks of the release called in one process (:mod:`benchmarks.speed`), before and after;
(b) an undisturbed run of a tenth of the images (or of as many as give every worker both its partitions, if that is
    more), and one of all: rate, and peak memory of each of its processes;
(c) a run of all that loses a worker at a random moment, then its client and scheduler, and is restarted: every row has
    to be there exactly once, with the answer of the undisturbed run.

The images are simulated, or taken from ``--images`` as far as there are enough.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from batch.outputs.results import COLUMNS
from benchmarks import speed
from gateway.core.manifest import INPUT_SHAPE
from gateway.core.resources import processors
from tests.support.dask_runs import DaskProcess, rows_of
from training.simulation import sample

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 5
THREADS = 2
"""Partitions in progress in a worker at a time."""
_SAMPLE_S = 0.5
_MIB = 1 << 20
_DIGITS = {"rejection": 4, "rejection_face_on": 4, "rejection_unsuitable": 4, "ellipticity_axis_ratio": 4}
"""Decimals of numbers that are not rounded to two; the last digit may differ (see :func:`compare`)."""


def images(given: Path | None, count: int, to: Path) -> None:
    """Write ``count`` model inputs: the given ones, and simulated ones if they are too few."""
    made = np.lib.format.open_memmap(to, "w+", np.uint8, (count, *INPUT_SHAPE))
    there = 0
    if given is not None:
        known = np.load(given, mmap_mode="r")
        there = min(count, len(known))
        for start in range(0, there, 1000):
            made[start : min(start + 1000, there)] = known[start : min(start + 1000, there)]
    if there < count:
        print(f"simulating {count - there:,} galaxies…", flush=True)
        made[there:] = sample.simulate(seed=SEED, count=count - there, workers=processors()).images
    made.flush()


def limit(seconds: float) -> float:
    """Return the rate of the networks alone, images per second, in the faster of two ways."""
    return max(speed.apart(how, seconds) for how in ("in turn", "side by side"))


@dataclass
class Peaks:
    """Peak memory of a run's processes by role and of all together, MiB; processor time of each process, s."""

    roles: dict[str, float] = field(default_factory=dict)
    together: float = 0.0
    processor_s: dict[tuple[str, int], float] = field(default_factory=dict)

    def see(self, family: list[psutil.Process]) -> None:
        """Read the memory and processor times once."""
        now: dict[str, float] = {}
        for one in family:
            try:
                role = _role(one, family[0])
                now[role] = now.get(role, 0.0) + one.memory_info().rss / _MIB
                times = one.cpu_times()
                self.processor_s[role, one.pid] = times.user + times.system
            except psutil.Error:
                continue  # the process has ended meanwhile
        for role, size in now.items():
            self.roles[role] = max(self.roles.get(role, 0.0), size)
        self.together = max(self.together, sum(now.values()))

    def processor_of(self, role: str) -> float:
        """Return the processor time of the processes of one role, s."""
        return sum(seconds for (had, _), seconds in self.processor_s.items() if had == role)


def _role(one: psutil.Process, root: psutil.Process) -> str:
    if one.pid == root.pid:
        return "client and scheduler"
    words = " ".join(one.cmdline())
    return "workers" if "spawn_main" in words else "networks" if "serving" in words else "other"


@contextmanager
def watched(process: DaskProcess) -> Iterator[Peaks]:
    """Measure the memory of a run's processes while it runs."""
    peaks, ended = Peaks(), threading.Event()

    def watch() -> None:
        while not ended.wait(_SAMPLE_S):
            try:
                peaks.see(process.family())
            except psutil.Error:
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        ended.set()
        thread.join()


@dataclass(frozen=True)
class Place:
    """Settings of the runs."""

    folder: Path
    workers: int
    rows: int
    options: tuple[str, ...] = ()

    def start(self, catalogue: Path, out: Path) -> DaskProcess:
        """Start a run."""
        beside = out.with_suffix(".logs")
        beside.mkdir(exist_ok=True)
        return DaskProcess(
            beside,
            str(catalogue),
            f"--output={out}",
            f"--workers={self.workers}",
            f"--threads={THREADS}",
            f"--rows={self.rows}",
            f"--manifest={speed.MANIFEST}",
            *self.options,
        )

    def undisturbed(self, catalogue: Path, out: Path) -> tuple[dict[str, Any], Peaks]:
        """Make an undisturbed run; return its summary and its memory."""
        began = time.perf_counter()
        process = self.start(catalogue, out)
        try:
            with watched(process) as peaks:
                summary = process.end(timeout_s=None)
        finally:
            process.stop()
        return summary | {"wall_s": time.perf_counter() - began}, peaks

    def disturbed(self, catalogue: Path, out: Path, rng: random.Random, count: int) -> dict[str, Any]:
        """Make a run that loses a worker, then its client and scheduler, and is restarted."""
        partitions = -(-count // self.rows)
        process = self.start(catalogue, out)
        try:
            _await_parts(process, out, rng.randint(1, max(1, partitions // 3)))
            victims = [one for one in process.family() if _role(one, process.family()[0]) == "workers"]
            rng.choice(victims).kill()
            print(f"killed a worker after {_parts(out)} of {partitions} partitions", flush=True)
            last = max(_parts(out) + 1, partitions - 2 * self.workers)
            _await_parts(process, out, rng.randint(_parts(out) + 1, last))
            process.kill()
            print(f"killed client and scheduler after {_parts(out)} of {partitions} partitions", flush=True)
        finally:
            process.stop()
        again = self.start(catalogue, out)
        try:
            return again.end(timeout_s=None)
        finally:
            again.stop()


def _parts(out: Path) -> int:
    return len(list(out.glob("part-*.parquet")))


def _await_parts(process: DaskProcess, out: Path, count: int) -> None:
    while _parts(out) < count:
        if not process.family()[0].is_running():
            raise RuntimeError(f"it ended early:\n{process.log()}")
        # a random moment in the middle of partitions, not at the end of one
        time.sleep(0.2)


def compare(one: Path, other: Path, count: int) -> str:
    """Compare two results row by row; return the sentence to print.

    The last bits of a network's answer to an image depend on the other images in its batch (the order of a sum), and
    runs make different batches. Numbers may therefore differ by one unit of the last written digit.

    Raises
    ------
    RuntimeError
        A row is missing, duplicated, or differs by more.
    """
    first, second = rows_of(one), rows_of(other)
    for name, rows in (("undisturbed", first), ("killed", second)):
        if [row["row"] for row in rows] != list(range(count)):
            raise RuntimeError(f"the {name} run does not have every row exactly once")
    floats = [column.name for column in COLUMNS if column.kind == "float"]
    texts = [column.name for column in COLUMNS if column.name not in {*floats, "warnings"}]
    equal, units = 0, 0
    for mine, yours in zip(first, second, strict=True):
        if [mine[name] for name in texts] != [yours[name] for name in texts]:
            raise RuntimeError(f"row {mine['row']} differs: {mine} and {yours}")
        for name in floats:
            was, now = mine[name], yours[name]
            if was != now:
                unit = 10.0 ** -_DIGITS.get(name, 2)
                if was is None or now is None or abs(was - now) > 1.01 * unit:
                    raise RuntimeError(f"{name} of row {mine['row']} is {was} and {now}")
                units += 1
        equal += mine == yours
    return f"{equal:,} of {count:,} rows are equal to the last bit, {units:,} numbers differ by one in their last digit"


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--images", type=Path, help="model inputs as .npy, to be used before any are simulated")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=int, default=500, help="of a partition")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each measurement of the limit")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of the kills")
    arguments = parser.parse_args()
    print(f"{processors()} cores, {arguments.workers} workers, kills by --seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="inclinet-batch-") as name:
        place = Place(Path(name), arguments.workers, arguments.rows)
        everything, some = place.folder / "all.npy", place.folder / "some.npy"
        images(arguments.images, arguments.count, everything)
        # with too few partitions, memory of idle workers would be compared with that of busy ones
        few = min(arguments.count, max(arguments.count // 10, THREADS * arguments.workers * arguments.rows))
        images(everything, few, some)
        _measure(place, everything, some, arguments)


def _measure(place: Place, everything: Path, some: Path, arguments: argparse.Namespace) -> None:
    count = arguments.count
    few, few_peaks = place.undisturbed(some, place.folder / "few")
    before = limit(arguments.seconds)
    whole, peaks = place.undisturbed(everything, place.folder / "whole")
    after = limit(arguments.seconds)
    bound = (before + after) / 2
    for summary in (few, whole):
        if summary["status"] or summary["answered"] + sum(summary["problems"].values()) != summary["rows"]:
            raise RuntimeError(f"a run is not complete: {json.dumps(summary)}")
    print(f"(a) limit: {before:.1f} images/s before, {after:.1f} after")
    print(f"(b) {count:,} images: {whole['rows_per_s']:.1f}/s, {whole['rows_per_s'] / bound:.3f} of the limit;")
    print(f"    with its start and end {count / whole['wall_s']:.1f}/s, {count / whole['wall_s'] / bound:.3f} of it")
    # the difference of the runs is the cost of an image, without start, end and other load
    if more := count - few["rows"]:
        costs = {role: 1e3 * (peaks.processor_of(role) - few_peaks.processor_of(role)) / more for role in peaks.roles}
        print(f"    processor time, ms an image: {', '.join(f'{role} {cost:.1f}' for role, cost in costs.items())};")
        print(f"    the networks take {costs['networks'] / sum(costs.values()):.3f} of it")
    print(f"    peak memory, MiB: {few['rows']:,} and {count:,} images, and the ratio")
    for role in sorted(peaks.roles):
        was = few_peaks.roles.get(role, float("nan"))
        print(f"    {role:22}{was:9.0f}{peaks.roles[role]:9.0f}{peaks.roles[role] / was:7.2f}")
    print(
        f"    {'together':22}{few_peaks.together:9.0f}{peaks.together:9.0f}{peaks.together / few_peaks.together:7.2f}"
    )
    size = sum(path.stat().st_size for path in (place.folder / "whole").glob("part-*.parquet"))
    print(f"    result: {size / count:.0f} bytes a row", flush=True)
    ended = place.disturbed(everything, place.folder / "killed", random.Random(arguments.seed), count)  # noqa: S311
    if ended["status"] or ended["written"] != count:
        raise RuntimeError(f"the killed run did not come to its end: {json.dumps(ended)}")
    print(
        f"(c) killed twice and started again: every row exactly once; "
        f"{compare(place.folder / 'whole', place.folder / 'killed', count)}"
    )


if __name__ == "__main__":
    main()
