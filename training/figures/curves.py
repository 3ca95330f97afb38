"""Learning curves from a training's metrics, which have one line per step."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

Run = dict[str, "NDArray[np.float64]"]
"""Columns of one run's metrics, float64 ``[steps]`` each, NaN where a step has none."""

_SPARSE = 40


def read(runs: Path) -> dict[str, Run]:
    """Read every ``metrics.jsonl`` below a folder, by the path of its folder.

    A line that a kill has truncated ends a run's metrics, since the steps of later lines are unknown.
    """
    found = {}
    for path in sorted(runs.rglob("metrics.jsonl")):
        lines = _lines(path)
        if lines:
            names = sorted({name for line in lines for name, value in line.items() if isinstance(value, int | float)})
            columns = {name: np.array([_number(line.get(name)) for line in lines], np.float64) for name in names}
            folder = path.parent.relative_to(runs).as_posix()
            found[runs.resolve().name if folder == "." else folder] = columns
    return found


def _lines(path: Path) -> list[dict[str, Any]]:
    lines = []
    for text in path.read_text("utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            break
        if not isinstance(line, dict) or "step" not in line or "loss" not in line:
            break
        lines.append(line)
    return lines


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def smoothed(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the running mean of the loss over a fifteenth of the run, or less at its ends.

    Unlike the mean that a training prints while it runs, it does not lag, except at the ends.
    """
    reach = max(1, len(losses) // 30)
    sums = np.concatenate([[0.0], np.cumsum(losses)])
    places = np.arange(len(losses))
    low, high = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(losses))
    return np.asarray((sums[high] - sums[low]) / (high - low), np.float64)


def _group(name: str) -> str:
    """Return the panel of a run: rejectors have another loss, and a pretraining takes more steps than the rest."""
    last = name.rpartition("/")[2]
    if last.endswith("_reject"):
        return "rejectors (cross-entropy)"
    return "flavors (square error)" if re.search(r"_m\d+$", last) else "before the flavors (square error)"


def learning_curves(runs: Mapping[str, Run], path: Path) -> None:
    """Plot loss against step: single steps faintly, their running mean, and validation losses as points.

    Parameters
    ----------
    runs : mapping
        Result of :func:`read`; columns whose name contains ``validation`` are drawn as points.
    path : Path
        PNG or PDF file.
    """
    groups: dict[str, dict[str, Run]] = {}
    for name, run in runs.items():
        groups.setdefault(_group(name), {})[name] = run
    order = sorted(groups, key=lambda group: (not group.startswith("before"), group))
    figure = Figure(figsize=(4.4 * len(order), 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    for panel, group in zip(figure.subplots(1, len(order), squeeze=False)[0], order, strict=True):
        members = groups[group]
        few = len(members) <= 4  # more clouds of single steps would hide the lines
        for number, (name, run) in enumerate(members.items()):
            colour = f"C{number % 10}"
            step = run["step"] + 1
            style = "-" if number < 10 else "--"  # the number of colours
            if few:
                panel.plot(step, run["loss"], ".", ms=1, alpha=0.15, color=colour, rasterized=True)
            panel.plot(step, smoothed(run["loss"]), style, lw=1.2, color=colour, label=name)
            for column in (c for c in run if "validation" in c and "loss" in c):
                known = np.isfinite(run[column])
                marker = "o" if known.sum() <= _SPARSE else "."
                panel.plot(step[known], run[column][known], marker, ms=3, color=colour, mfc="none")
        panel.set_yscale("log")
        panel.set_xlabel("step", fontsize=8)
        panel.set_title(group, fontsize=9)
        panel.tick_params(which="both", labelsize=7)
        panel.grid(alpha=0.2, which="both", lw=0.5)
        panel.legend(fontsize=7, frameon=False, ncols=1 + len(members) // 8)
    figure.axes[0].set_ylabel("loss", fontsize=8)
    figure.savefig(path, dpi=120)
