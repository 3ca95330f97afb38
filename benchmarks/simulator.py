"""Measures the simulator's rate, galaxies per second, and the time of each stage: ``python -m benchmarks.simulator``.

First each stage by itself, for galaxies of both sizes in the proportion of a sample: drawing on the host, the
arithmetic on the device (of ``KERAS_BACKEND``), compression and model inputs on the host again. Then all of them
together as in ``python -m training simulate``. Compilation is not counted.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gateway.core.resources import processors

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from training.simulation.scene import Scene

_SEED = 1


def _milliseconds(work: Callable[[], Any], galaxies: int, rounds: int) -> float:
    """Return the shortest time of a round, per galaxy."""
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return 1000 * min(took) / galaxies


def _pictures(batch: list[Scene]) -> NDArray[np.uint8]:
    """Compute the pictures of a batch, and wait for them."""
    from training.simulation import sample  # processes that draw import this module, and need no Keras

    return np.asarray(sample.render(batch))


def _stages(rounds: int) -> None:
    from training.simulation import sample, scene

    drawn = scene.draw_some(_SEED, range(8 * sample.BATCH))
    print(f"drawing:    {_milliseconds(lambda: scene.draw_some(_SEED, range(64)), 64, rounds):6.2f} ms a galaxy")
    arithmetic = finishing = 0.0
    for side in sorted({one.side for one in drawn}):
        alike = [one for one in drawn if one.side == side]
        batch, share = alike[: sample.BATCH], len(alike) / len(drawn)
        pictures = _pictures(batch)
        device = _milliseconds(partial(_pictures, batch), len(batch), rounds)
        host = _milliseconds(partial(sample.model_inputs, batch, pictures), len(batch), rounds)
        print(f"arithmetic: {device:6.2f} ms a galaxy of {side} pixels, finishing {host:.2f} ms")
        arithmetic, finishing = arithmetic + share * device, finishing + share * host
    print(f"of a sample: arithmetic {arithmetic:.2f} ms, finishing {finishing:.2f} ms")


def _together(count: int, workers: int) -> float:
    """Return the rate, galaxies per second, while all processes work."""
    from training.simulation import sample

    done: list[tuple[int, float]] = []
    sample.simulate(seed=_SEED, count=count, workers=workers, progress=lambda n: done.append((n, time.perf_counter())))
    early = next(place for place, (n, _) in enumerate(done) if n >= count // 4)
    return (done[-1][0] - done[early][0]) / (done[-1][1] - done[early][1])


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=2000, help="galaxies of the sample")
    parser.add_argument("--workers", type=int, default=processors())
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    _stages(arguments.rounds)
    for workers in dict.fromkeys((1, arguments.workers)):
        speed = _together(arguments.count, workers)
        print(f"workers {workers}: {speed:.0f} galaxies a second, {1000 / speed:.2f} ms each")


if __name__ == "__main__":
    main()
