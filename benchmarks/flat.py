"""Tests that a galaxy costs the same among 10,000 as among 100, and memory stays flat: ``python -m benchmarks.flat``.

The same pictures go through ``POST /api/batch`` of one service, alternately 100 and 10,000 at once, so that other load
disturbs both alike. The cost is processor time, which other load changes less than wall-clock time; both are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import load
from benchmarks.speed import pictures, service

if TYPE_CHECKING:
    import psutil

    from tests.support.service import UpProcess

FEW, MANY = 100, 10_000
FLAT = 0.1


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one batch: wall-clock seconds, processor seconds, and memory afterwards, MB."""

    rows: int
    seconds: float
    processor_s: float
    memory_mb: float


def _batch(running: UpProcess, processes: list[psutil.Process], images: list[bytes], rows: int) -> Cost:
    parts = [load.part("file", f"{n}.jpg", images[n % len(images)]) for n in range(rows)]
    request = load.request(running.url, "/api/batch", parts)
    before = _processor_s(processes)
    answered, seconds = asyncio.run(load.batch(running.url, request))
    if answered != rows:
        raise SystemExit(f"{answered} of {rows} rows were answered")
    memory = sum(process.memory_info().rss for process in processes) / 1e6
    return Cost(rows, seconds, _processor_s(processes) - before, memory)


def _processor_s(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def _few(running: UpProcess, processes: list[psutil.Process], images: list[bytes], times: int) -> Cost:
    """Measure a batch of 100 several times, since a single one is too short."""
    costs = [_batch(running, processes, images, FEW) for _ in range(times)]
    return Cost(
        FEW * times,
        sum(cost.seconds for cost in costs),
        sum(cost.processor_s for cost in costs),
        costs[-1].memory_mb,
    )


def main() -> None:
    """Measure, print, and exit with 1 where cost or memory grows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--many", type=int, default=MANY, help="rows of the long batch")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    images = pictures(64)
    few: list[Cost] = []
    many: list[Cost] = []
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        running = stack.enter_context(service(Path(folder)))
        processes = [running.process, *running.process.children()]
        _few(running, processes, images, 3)
        for _ in range(arguments.rounds):
            few.append(_few(running, processes, images, 10))
            many.append(_batch(running, processes, images, arguments.many))
    for one in (*few, *many):
        print(
            f"{one.rows:6} rows: {1000 * one.seconds / one.rows:6.1f} ms a galaxy, of the processor "
            f"{1000 * one.processor_s / one.rows:6.1f} ms, {one.memory_mb:.0f} MB afterwards",
        )
    pairs = list(zip(many, few, strict=True))
    cost = statistics.median(m.processor_s / m.rows / (f.processor_s / f.rows) for m, f in pairs) - 1
    growth = many[-1].memory_mb / few[0].memory_mb - 1
    print(f"cost of a galaxy among {arguments.many:,} against {FEW}: {cost:+.1%}; memory: {growth:+.1%}")
    sys.exit(0 if max(cost, growth) < FLAT else 1)


if __name__ == "__main__":
    main()
