"""From what was measured to what surveys of other sizes take: ``python -m benchmarks.survey_plan [--write]``.

:data:`MEASURED` is the one place of all numbers that a machine gave; everything else is arithmetic on it, checked by a
simulation of the workers partition by partition (:func:`simulate`). ``--write`` puts the table into ``docs/survey.md``.
"""

from __future__ import annotations

import argparse
import heapq
import random
import re
from dataclasses import dataclass
from pathlib import Path

from survey.show import duration
from survey.turns import RATES_PER_S

PAGE = Path(__file__).resolve().parents[1] / "docs" / "survey.md"
_START, _END = "<!-- plan -->\n", "<!-- end of plan -->"


@dataclass(frozen=True)
class Measured:
    """What ``python -m benchmarks.survey`` printed, and on how many cores.

    Attributes
    ----------
    rows_per_s : float
        (b) of model inputs, networks and workers together on ``cores`` cores.
    cores : int
    cutout_ms : float
        CPU time by which a JPEG cutout of 256 pixels costs more than a model input (decoding, and the fit on it), ms.
    cutout_bytes : int
        Of such a file, at quality 90.
    result_bytes : int
        Of a row of the result; names and coordinates of a catalogue come on top.
    worker_mib : int
        Peak of one worker.
    networks_mib : int
        Peak of one TensorFlow Serving.
    """

    rows_per_s: float
    cores: int
    cutout_ms: float
    cutout_bytes: int
    result_bytes: int
    worker_mib: int
    networks_mib: int


# Fifteen networks of the size of release 2026.3; 2026-11-26, two cores. The cutouts were measured on 2026-11-22.
MEASURED = Measured(
    rows_per_s=38.8,
    cores=2,
    cutout_ms=2.3,
    cutout_bytes=8_800,
    result_bytes=105,
    worker_mib=306,
    networks_mib=1190,
)


@dataclass(frozen=True)
class Scale:
    """One size of survey, and what it is run on.

    Attributes
    ----------
    galaxies : int
    machines, cores : int
        Machines, and cores of each; each runs a TensorFlow Serving and a worker per core.
    threads : int
        Partitions that a worker has under way.
    partition_rows : int
    kills_per_day : float
        Of each worker: a preemptible machine, an upgrade, a failure.
    restart_s : float
        Until a killed worker works again.
    """

    galaxies: int
    machines: int
    cores: int = 16
    threads: int = 2
    partition_rows: int = 2000
    kills_per_day: float = 1.0
    restart_s: float = 60.0

    @property
    def workers(self) -> int:
        """On all machines."""
        return self.machines * self.cores

    @property
    def partitions(self) -> int:
        """Of the catalogue, and so tasks of the scheduler and files of the result."""
        return -(-self.galaxies // self.partition_rows)


SCALES = (
    Scale(10**6, machines=1),
    Scale(10**8, machines=10, partition_rows=10_000),
    Scale(10**9, machines=100, partition_rows=20_000),
)


def rows_per_core_s(measured: Measured = MEASURED) -> float:
    """Cutouts a second that one core does, its share of the networks included."""
    return 1 / (measured.cores / measured.rows_per_s + measured.cutout_ms / 1000)


def hours(scale: Scale, measured: Measured = MEASURED) -> float:
    """Return how long a survey takes that has its images beside it, hours.

    The rows, over what all cores do; longer by what kills undo, half of each partition under way and a restart, and by
    the end, when some workers have no partition left: on average half of what one takes.
    """
    partition_s = scale.threads * scale.partition_rows / rows_per_core_s(measured)
    work_s = scale.galaxies / (scale.workers * rows_per_core_s(measured))
    lost = scale.kills_per_day / 86400 * (partition_s / 2 + scale.restart_s)
    return (work_s * (1 + lost) + partition_s / 2) / 3600


def simulate(scale: Scale, measured: Measured = MEASURED, *, seed: int = 1) -> tuple[float, float]:
    """Let workers' threads take partitions one by one, be killed at random and come back, until all are done.

    Returns
    -------
    hours : float
    lost : float
        Work that kills undid, as a fraction of all.
    """
    rng = random.Random(seed)  # noqa: S311 - kills of a simulation
    rate = rows_per_core_s(measured) / scale.threads
    kill_rate = scale.kills_per_day / 86400
    waiting = [scale.partition_rows] * (scale.partitions - 1)
    waiting.append(scale.galaxies - scale.partition_rows * (scale.partitions - 1))
    free = [(0.0, slot) for slot in range(scale.workers * scale.threads)]
    end, undone = 0.0, 0.0
    while waiting:
        now, slot = heapq.heappop(free)
        rows = waiting.pop()
        takes = rows / rate
        dies = rng.expovariate(kill_rate) if kill_rate else float("inf")
        if dies < takes:
            waiting.append(rows)
            undone += dies
            heapq.heappush(free, (now + dies + scale.restart_s, slot))
        else:
            end = max(end, now + takes)
            heapq.heappush(free, (now + takes, slot))
    return end / 3600, undone * rate / scale.galaxies


def table(measured: Measured = MEASURED) -> str:
    """Return the plan as a Markdown table."""
    lines = [f"| | {' | '.join(_count(scale.galaxies) for scale in SCALES)} |", "| --- |" + " --- |" * len(SCALES)]

    def line(name: str, values: list[str]) -> None:
        lines.append(f"| {name} | {' | '.join(values)} |")

    per_machine = [scale.cores * rows_per_core_s(measured) for scale in SCALES]
    rates = [scale.machines * rate for scale, rate in zip(SCALES, per_machine, strict=True)]
    simulated = [simulate(scale, measured) for scale in SCALES]
    slowest = RATES_PER_S["SkyServer"]
    line("cutouts from SkyServer, one a second", [duration(scale.galaxies / slowest) for scale in SCALES])
    line("machines of 16 cores, cutouts beside them", [f"{scale.machines}" for scale in SCALES])
    line("memory of a machine", [f"{_gib(scale, measured):.1f} GiB" for scale in SCALES])
    line("galaxies a second", [f"{rate:,.0f}" for rate in rates])
    line("hours", [f"{hours(scale, measured):.1f}" for scale in SCALES])
    line("hours, simulated", [f"{one[0]:.1f}" for one in simulated])
    line("work undone by a kill a day and worker", [f"{100 * one[1]:.2f} %" for one in simulated])
    line("core hours", [f"{hours(scale, measured) * scale.workers:,.0f}" for scale in SCALES])
    line("cutouts", [_bytes(scale.galaxies * measured.cutout_bytes) for scale in SCALES])
    line("read from the store", [f"{_bytes(rate * measured.cutout_bytes)}/s" for rate in rates])
    line("result", [_bytes(scale.galaxies * measured.result_bytes) for scale in SCALES])
    line("files of it, and tasks", [f"{scale.partitions:,}" for scale in SCALES])
    line("rows of a partition", [f"{scale.partition_rows:,}" for scale in SCALES])
    tasks = [rate / scale.partition_rows for scale, rate in zip(SCALES, rates, strict=True)]
    line("tasks a second", [f"{one:.2g}" for one in tasks])
    return "\n".join(lines) + "\n"


def _gib(scale: Scale, measured: Measured) -> float:
    return (scale.cores * measured.worker_mib + measured.networks_mib) / 1024


def _count(number: int) -> str:
    return f"10<sup>{len(str(number)) - 1}</sup>"


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:  # noqa: PLR2004 - of a decimal unit
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def main() -> None:
    """Print the plan, or write it to the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--write", action="store_true", help="into docs/survey.md")
    if parser.parse_args().write:
        page = PAGE.read_text(encoding="utf-8")
        written = re.sub(f"{_START}.*?{_END}", lambda _: _START + table() + _END, page, flags=re.DOTALL)
        PAGE.write_text(written, encoding="utf-8")
    print(table(), end="")


if __name__ == "__main__":
    main()
