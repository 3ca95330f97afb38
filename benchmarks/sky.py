"""Measures many concurrent requests against slow services: the latency of the slowest, and the memory.

Run as ``python -m benchmarks.sky``. The fakes run as a separate process and take a tenth of a second for every answer.
A round is 150 concurrent requests, each a resolution and a cutout of a different galaxy: as many as may wait for a
service that allows six calls at once. The p99 of a round may exceed the time that those six need for all by 1.5 s. Each
round uses new galaxies, so that no answer comes from the cache; the first round also warms the fakes up and does not
count.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil

from gateway.core.models import Deadline
from gateway.core.resources import processors
from gateway.sky import Sky, SkySettings, open_sky
from gateway.sky.catalogues import openngc
from tests.support.sky_services import sdss_has
from tests.support.sky_universe import Thing, universe

if TYPE_CHECKING:
    from collections.abc import Iterator

DELAY_S = 0.1
ALLOWANCE_S = 1.5
DEADLINE_S = 60.0
FLAT = 0.1


@contextmanager
def services(delay_s: float) -> Iterator[SkySettings]:
    """Run the fakes, each answer ``delay_s`` seconds late, and yield the settings that point at them."""
    command = [sys.executable, "-m", "tests.support.sky_demo", "--delay", str(delay_s), "--canned"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout else "{}"
        mirrors: dict[str, Any] = {name: tuple(urls) for name, urls in json.loads(line).items()}
        try:
            yield replace(SkySettings(), simbad_rate_per_s=None, **mirrors)
        finally:
            process.terminate()


async def answered(sky: Sky, thing: Thing) -> None:
    """Resolve a galaxy by its number and fetch its cutout, as a request for it does."""
    galaxy = await sky.resolver.by_pgc(thing.pgc, deadline=Deadline.after(DEADLINE_S))
    await sky.cutouts.fetch(galaxy, fov_arcmin=3.0, deadline=Deadline.after(DEADLINE_S))


async def timed(sky: Sky, thing: Thing) -> float:
    """Return the seconds that one request takes."""
    began = time.perf_counter()
    await answered(sky, thing)
    return time.perf_counter() - began


async def rounds(settings: SkySettings, title: str, things: list[Thing], *, calls: int, size: int) -> bool:
    """Run rounds of ``size`` concurrent requests of ``calls`` slow calls each; return whether all met the limits."""
    sky = open_sky(settings)
    await sky.warm()
    process = psutil.Process()
    limit = (size / settings.cutouts_concurrency + calls) * DELAY_S + ALLOWANCE_S
    fine, memory, busy = True, [], process.cpu_times().user
    for number, start in enumerate(range(0, len(things), size)):
        took = sorted(await asyncio.gather(*(timed(sky, thing) for thing in things[start : start + size])))
        spent, busy = process.cpu_times().user - busy, process.cpu_times().user
        memory.append(process.memory_info().rss / 1e6)
        p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99) - 1]
        fine &= p99 <= limit or number == 0
        print(
            f"{title}, round {number}: {len(took)} requests of {calls} slow call(s): p50 {p50:.2f} s, p99 {p99:.2f} s "
            f"(limit {limit:.1f} s), processor {spent:.1f} s, memory {memory[-1]:.0f} MB"
        )
    await sky.aclose()
    growth = memory[-1] / memory[0] - 1
    print(f"{title}: memory after the last round against the first: {growth:+.1%}")
    return fine and growth < FLAT


def galaxies(*, offline: bool, count: int) -> list[Thing]:
    """Return galaxies within the fake footprint, known or unknown to the offline catalogue."""
    known = {pgc for row in range(len(openngc.load().kinds)) if (pgc := openngc.load().catalogue.galaxy(row).pgc)}
    there = [one for one in universe().things if one.kind == "G" and one.pgc and sdss_has(one.ra, one.dec)]
    chosen = {one.pgc: one for one in there if (one.pgc in known) is offline}
    ordered = sorted(chosen.values(), key=lambda one: one.pgc)
    return random.Random(1).sample(ordered, min(count, len(ordered)))  # noqa: S311 - a reproducible choice


def main() -> None:
    """Measure, print, and exit with 1 when a limit is exceeded."""
    parser = argparse.ArgumentParser(description="Many requests at once against slow services.")
    parser.add_argument("--requests", type=int, default=150, help="concurrent requests in a round")
    parser.add_argument("--rounds", type=int, default=5, help="the first one warms up")
    arguments = parser.parse_args()
    size, count = arguments.requests, arguments.requests * arguments.rounds
    one_minute, _, _ = os.getloadavg()
    print(f"{processors()} processors, load {one_minute:.1f} before the measurement")
    with services(DELAY_S) as settings:
        fine = asyncio.run(rounds(settings, "known offline", galaxies(offline=True, count=count), calls=1, size=size))
        others = galaxies(offline=False, count=count)
        if len(others) == count:
            fine &= asyncio.run(rounds(settings, "asked of HyperLEDA", others, calls=2, size=size))
        else:
            print("asked of HyperLEDA: passed over, the shared catalogue is not at hand")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
