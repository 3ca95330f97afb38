"""The counters and histograms of the model server, and their page in Prometheus's text format.

Names are the real server's: ``/`` of a metric's name becomes ``:``; latencies are microseconds in buckets of
10 x 1.8^i.
"""

from __future__ import annotations

import bisect
import threading
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain"

_BOUNDS = [10 * 1.8**exponent for exponent in range(33)]
_REQUESTS = ":tensorflow:serving:request_count"
_LATENCY = ":tensorflow:serving:request_latency"
_RUNTIME = ":tensorflow:serving:runtime_latency"
_WARMUP = ":tensorflow:serving:model_warmup_latency"

_Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Histogram:
    total: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))

    def observe(self, value: float) -> None:
        self.total += value
        self.counts[bisect.bisect_right(_BOUNDS, value)] += 1


class Metrics:
    """What has happened in this process. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[_Labels, int] = {}
        self._histograms: dict[str, dict[_Labels, _Histogram]] = {}

    def count_request(self, model: str, code: str) -> None:
        """Count a call by the name of its status code, such as ``NOT_FOUND``."""
        labels = (("model_name", model), ("status", code))
        with self._lock:
            self._requests[labels] = self._requests.get(labels, 0) + 1

    def observe_request(self, model: str, *, api: str, entrypoint: str, seconds: float) -> None:
        """Add a successful call's duration."""
        self._observe(_LATENCY, (("model_name", model), ("API", api), ("entrypoint", entrypoint)), seconds)

    def observe_run(self, model: str, seconds: float) -> None:
        """Add the duration of a run of the graph."""
        self._observe(_RUNTIME, (("model_name", model), ("API", "Predict"), ("runtime", "TF1")), seconds)

    def observe_warmup(self, path: str, code: str, seconds: float) -> None:
        """Add the duration of a version's warm-up."""
        self._observe(_WARMUP, (("model_path", path), ("status", code)), seconds)

    def _observe(self, name: str, labels: _Labels, seconds: float) -> None:
        with self._lock:
            self._histograms.setdefault(name, {}).setdefault(labels, _Histogram()).observe(seconds * 1e6)

    def page(self) -> str:
        """Return the page."""
        lines: list[str] = []
        with self._lock:
            if self._requests:
                lines.append(f"# TYPE {_REQUESTS} counter")
            lines += [f"{_REQUESTS}{_braced(labels)} {count}" for labels, count in self._requests.items()]
            for name, cells in self._histograms.items():
                lines.append(f"# TYPE {name} histogram")
                for labels, histogram in cells.items():
                    lines += _histogram_lines(name, labels, histogram)
        return "".join(f"{line}\n" for line in lines)


def _histogram_lines(name: str, labels: _Labels, histogram: _Histogram) -> list[str]:
    lines = []
    running = 0
    for bound, count in zip([*map(_number, _BOUNDS), "+Inf"], histogram.counts, strict=True):
        running += count
        lines.append(f"{name}_bucket{_braced((*labels, ('le', bound)))} {running}")
    return [
        *lines,
        f"{name}_sum{_braced(labels)} {_number(histogram.total)}",
        f"{name}_count{_braced(labels)} {running}",
    ]


def _number(value: float) -> str:
    return f"{value:.6g}"


def _braced(labels: _Labels) -> str:
    return "{" + ",".join(f'{key}="{_escaped(value)}"' for key, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
