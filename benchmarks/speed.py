"""Compares the speed of the service with the limit of the machine: ``python -m benchmarks.speed``.

The parts are measured alternately within one run, so that other load disturbs all alike:

(a) the limit: all SavedModels of the release called in one process with batches of 32, no network;
(b) the stand-in over gRPC, batches of 32;
(c) the gateway over HTTP at concurrency 1, 8 and 32, and as a batch;
(d) the monolith: one process, ``Model.predict`` per network and request, two orientations.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from benchmarks import load
from gateway.core.manifest import INPUT, SIGNATURE, read_manifest
from gateway.core.models import Deadline
from gateway.core.resources import processors
from gateway.images.decode import decode
from gateway.images.model_input import model_input
from gateway.inference.predictor import Predictor
from tests.support.pictures import disc, encoded
from tests.support.service import UpProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = ROOT / "model_repo" / "manifest.json"
BATCH = 32


def pictures(count: int) -> list[bytes]:
    """Return pictures of real galaxies where they are available, else drawn ones."""
    real = sorted((ROOT.parent / "shared" / "galaxies" / "efigi").glob("*.jpg"))[:count]
    if len(real) == count:
        return [path.read_bytes() for path in real]
    return [encoded(disc(88, 0.2 + 0.8 * n / count), "JPEG") for n in range(count)]


def _batch() -> NDArray[np.uint8]:
    return np.stack([model_input(decode(data).rgb) for data in pictures(BATCH)])


def _limit(seconds: float, side_by_side: int) -> float:
    """Return the rate of all networks in this process, images per second, in batches of 32.

    ``side_by_side`` networks run at a time on one core each; a single one has all cores.
    """
    import tensorflow as tf

    if side_by_side > 1:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(side_by_side)
    paths = [MANIFEST.parent / model.name / str(model.version) for model in read_manifest(MANIFEST).models]
    signatures = [tf.saved_model.load(str(path)).signatures[SIGNATURE] for path in paths]
    images = tf.constant(_batch())

    def ask(signature: Any) -> None:
        next(iter(signature(**{INPUT: images}).values())).numpy()

    with ThreadPoolExecutor(side_by_side) as pool:
        # as many batches as networks at once, so that no core idles at the end of a batch
        work = signatures * side_by_side
        list(pool.map(ask, work))
        return BATCH * side_by_side * _per_second(lambda: list(pool.map(ask, work)), seconds)


def _monolith(seconds: float) -> float:
    """Return the rate of the original's method, galaxies per second."""
    import keras
    import tensorflow as tf  # noqa: F401 - Keras' layer for SavedModels needs it loaded

    paths = [MANIFEST.parent / model.name / str(model.version) for model in read_manifest(MANIFEST).models]
    models = []
    for path in paths:
        given = keras.Input((128, 128, 3), dtype="uint8", name=INPUT)
        models.append(keras.Model(given, keras.layers.TFSMLayer(str(path), call_endpoint=SIGNATURE)(given)))
    image = _batch()[:1]
    turned = np.ascontiguousarray(np.rot90(image, axes=(1, 2)))

    def step() -> None:
        for model in models:
            model.predict(image, verbose=0)
            model.predict(turned, verbose=0)

    step()
    return _per_second(step, seconds)


PARTS = {
    "in turn": lambda seconds: _limit(seconds, 1),
    "side by side": lambda seconds: _limit(seconds, processors()),
    "monolith": _monolith,
}


def _per_second(step: Any, seconds: float) -> float:
    started, steps = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        step()
        steps += 1
    return steps / (time.perf_counter() - started)


def apart(part: str, seconds: float) -> float:
    """Run a part that loads TensorFlow in a process of its own, so that its memory and threads are freed afterwards."""
    command = [sys.executable, "-m", "benchmarks.speed", "--part", part, "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return float(json.loads(done.stdout.splitlines()[-1]))


async def _grpc(address: str, seconds: float) -> float:
    predictor = Predictor(
        address,
        read_manifest(MANIFEST),
        quorum_fraction=1.0,
        call_timeout_s=60,
        retry_s=0,
        observe=lambda _model, _code, _seconds: None,
    )
    images = _batch()
    await predictor.read(images, Deadline.after(60))
    started, answered = time.perf_counter(), 0

    async def worker() -> None:
        nonlocal answered
        while time.perf_counter() - started < seconds:
            readings = await predictor.read(images, Deadline.after(60))
            # in two statements, since += would use the value from before the wait
            answered += len(readings)

    await asyncio.gather(worker(), worker())
    rate = answered / (time.perf_counter() - started)
    await predictor.aclose()
    return rate


@contextmanager
def service(folder: Path) -> Iterator[UpProcess]:
    """Run the whole service with the committed release, with a queue that accepts everything."""
    many = {"INCLINET_MAX_QUEUE": "1000"}
    with UpProcess(folder, f"--manifest={MANIFEST}", environment=many) as running:
        yield running


def _worked_s(process: psutil.Process) -> float:
    """Return the processor time of a process, seconds, without its children's."""
    times = process.cpu_times()
    return float(times.user + times.system)


def _own_work_ms(url: str) -> dict[str, float]:
    """Return the mean time of each stage, ms, from the gateway's own metrics."""
    import httpx

    sums: dict[str, dict[str, float]] = {}
    for line in httpx.get(f"{url}/metrics", trust_env=False).text.splitlines():
        if line.startswith(("inclinet_stage_seconds_sum", "inclinet_stage_seconds_count", "inclinet_predict_seconds_")):
            name, value = line.rsplit(" ", 1)
            if "_sum" in name or "_count" in name:
                stage = name.partition('stage="')[2].rstrip('"}') or "one Predict"
                sums.setdefault(stage, {})["sum" if "_sum" in name else "count"] = float(value)
    return {stage: 1000 * one["sum"] / one["count"] for stage, one in sums.items() if one.get("count")}


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=8.0, help="for each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(PARTS[arguments.part](arguments.seconds)))
        return
    _measure(arguments.seconds, arguments.rounds)


def _measure(seconds: float, rounds: int) -> None:
    manifest = read_manifest(MANIFEST)
    print(
        f"{platform.processor() or platform.machine()}, {processors()} cores, Python {platform.python_version()}, "
        f"TensorFlow {manifest.tensorflow}, release {manifest.release}: {len(manifest.models)} networks",
    )
    images = pictures(64)
    rates: dict[str, list[float]] = {}
    ratios: dict[str, list[float]] = {}
    lone: list[load.LoadResult] = []
    own: dict[int, list[float]] = {}
    eight: list[load.LoadResult] = []
    with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as running:
        url = running.url
        (networks,) = [one for one in running.process.children() if "serving" in one.cmdline()]
        port = next(one.laddr.port for one in networks.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
        singles = [load.request(url, "/api/file", [load.part("file", "x.jpg", data)]) for data in images]
        many = load.request(
            url, "/api/batch", [load.part("file", f"{n}.jpg", images[n % len(images)]) for n in range(256)]
        )
        asyncio.run(load.run(url, singles, concurrency=8, total=64))
        for _ in range(rounds):
            now = {f"(a) limit, networks {how}": apart(how, seconds) for how in ("in turn", "side by side")}
            limit = max(now.values())
            now["(b) stand-in over gRPC"] = asyncio.run(_grpc(f"127.0.0.1:{port}", seconds))
            for concurrency in (1, 8, 32):
                total = max(16, int(limit * seconds * (0.4 if concurrency == 1 else 1)))
                worked = _worked_s(running.process)
                measured = asyncio.run(load.run(url, singles, concurrency=concurrency, total=total))
                worked = (_worked_s(running.process) - worked) / measured.answered
                now[f"(c) gateway, concurrency {concurrency}"] = measured.rate
                own.setdefault(concurrency, []).append(1000 * worked)
                if concurrency == 1:
                    lone.append(measured)
                if concurrency == 8:
                    eight.append(measured)
            rows, took = asyncio.run(load.batch(url, many))
            now["(c) gateway, one batch of 256"] = rows / took
            now["(d) monolith"] = apart("monolith", seconds)
            for name, rate in now.items():
                rates.setdefault(name, []).append(rate)
                ratios.setdefault(name, []).append(rate / limit)
        stages = _own_work_ms(url)
    print(f"\n{'':34}{'galaxies/s':>12}{'of (a)':>9}   (medians of {rounds} rounds of {seconds:g} s)")
    for name, values in rates.items():
        print(f"{name:34}{statistics.median(values):12.1f}{statistics.median(ratios[name]):9.2f}")
    gateway, monolith = rates["(c) gateway, concurrency 32"], rates["(d) monolith"]
    faster = statistics.median(one / other for one, other in zip(gateway, monolith, strict=True))
    tail = statistics.median(one.quantile(0.99) / one.quantile(0.5) for one in eight)
    print(f"\n(c) at concurrency 32 is {faster:.1f} times (d); p99 at concurrency 8 is {tail:.2f} times p50")
    whole = statistics.median(one.quantile(0.5) for one in lone)
    print(
        f"one galaxy at concurrency 1: p50 {1000 * whole:.1f} ms; a galaxy costs the gateway's process "
        + ", ".join(f"{statistics.median(worked):.1f} ms at {callers}" for callers, worked in own.items())
    )
    print("mean ms by stage, all loads: " + ", ".join(f"{name} {value:.1f}" for name, value in stages.items()))


if __name__ == "__main__":
    main()
