"""Plots of a report: residuals against measured, networks beside ellipticity, ROC curves, isotropy, outliers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.figures import sheets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_POINTS, _LINE, _ZERO = "#4477aa", "#cc3311", "0.55"
_LEAST_SPAN_DEG = 12.0
_REASONS = {"": "all", "face_on": "too face-on", "unsuitable": "unsuitable"}


def _figure(width: float, height: float, layout: Literal["constrained"] | None = "constrained") -> Figure:
    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def residuals(
    labels: NDArray[np.float64],
    predicted: Mapping[str, NDArray[np.float64]],
    path: Path,
    *,
    title: str,
    columns: int = 4,
) -> None:
    """Plot measured minus predicted against measured, one panel per predictor, with its line of best fit.

    Points beyond the panel are drawn as triangles at its edge.

    Parameters
    ----------
    labels : float64 ``[N]``
        Human inclinations, degrees.
    predicted : mapping of str to float64 ``[N]``
        Predicted degrees, by predictor; NaN where it has no answer.
    path : Path
        PNG or PDF file.
    title : str
        Title of the figure.
    columns : int
        Panels per line.
    """
    columns = min(columns, len(predicted))
    lines = -(-len(predicted) // columns)
    width, height = 3.3 * columns + 0.7, 2.6 * lines + 0.8
    figure = _figure(width, height, layout=None)
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    # fixed margins, in inches, because a constrained layout of thirteen panels takes seconds
    figure.subplots_adjust(0.6 / width, 0.45 / height, 1 - 0.15 / width, 1 - 0.8 / height, wspace=0.06, hspace=0.38)
    span = _span([labels - values for values in predicted.values()])
    for place, panel in enumerate(panels.flat):
        if place >= len(predicted):
            panel.set_visible(False)
            continue
        name, values = list(predicted.items())[place]
        _panel(panel, name, labels, values, span)
        if place % columns == 0:
            panel.set_ylabel("measured minus predicted (deg)", fontsize=8)
        if place + columns >= len(predicted):
            panel.set_xlabel("measured by people (deg)", fontsize=8)
            panel.tick_params(labelbottom=True)
    figure.suptitle(title, fontsize=10, y=1 - 0.12 / height, va="top")
    figure.savefig(path, dpi=120)


def _span(errors: Sequence[NDArray[np.float64]]) -> float:
    known = np.abs(np.concatenate(errors))
    known = known[np.isfinite(known)]
    return max(_LEAST_SPAN_DEG, 1.1 * float(np.quantile(known, 0.99))) if len(known) else _LEAST_SPAN_DEG


def _panel(panel: Any, name: str, labels: NDArray[np.float64], values: NDArray[np.float64], span: float) -> None:
    known = np.isfinite(values)
    measured, difference = labels[known], (labels - values)[known]
    panel.axhline(0, color=_ZERO, lw=0.8)
    inside = np.abs(difference) <= span
    size = float(np.clip(60 / math.sqrt(max(len(measured), 1)), 1.5, 4))
    panel.plot(measured[inside], difference[inside], "o", ms=size, color=_POINTS, alpha=0.55, mew=0)
    for marker, beyond in (("^", difference > span), ("v", difference < -span)):
        edge = np.full(int(beyond.sum()), math.copysign(0.96 * span, 1 if marker == "^" else -1))
        panel.plot(measured[beyond], edge, marker, ms=4, color=_POINTS, mew=0)
    if len(measured) > 1 and np.ptp(measured) > 0:
        slope, intercept = np.polyfit(measured, difference, 1)
        ends = np.array([measured.min(), measured.max()])
        panel.plot(ends, slope * ends + intercept, color=_LINE, lw=1.3)
    panel.set_ylim(-span, span)
    panel.tick_params(labelsize=7)
    said = f"{len(measured)} galaxies"
    if len(measured):
        rms, mean = math.sqrt(float(np.mean(difference**2))), float(difference.mean())
        said = f"rms {rms:.2f}°, mean {mean:+.2f}°, {said}"
    panel.set_title(said, fontsize=7, color="0.3")
    above = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center", "va": "bottom"}
    panel.annotate(name, (0.5, 1), (0, 17), fontsize=9, **above)


def roc_curves(
    reasons: Sequence[str], likelihoods: Mapping[str, NDArray[np.float64]], areas: Mapping[str, Any], path: Path
) -> None:
    """Plot the ROC curve of the rejectors' median: all rejected galaxies, and each reason by itself.

    Parameters
    ----------
    reasons : sequence of str
        N reasons of people's rejections; empty for galaxies that they measured.
    likelihoods : mapping of str to float64 ``[N]``
        Likelihoods of rejection, for each rejector and ``ensemble``.
    areas : mapping
        ``rejectors`` of the report.
    path : Path
    """
    why = np.array(reasons)
    figure = _figure(4.2, 3.9)
    panel = figure.subplots()
    panel.plot([0, 1], [0, 1], color=_ZERO, lw=0.8)
    for name, likelihood in likelihoods.items():
        if name != "ensemble":
            _curve(panel, why != "", likelihood, color="0.75", lw=0.8)
    for (reason, words), colour in zip(_REASONS.items(), ("#222222", "#4477aa", "#cc3311"), strict=True):
        compared = (why == "") | (why == reason) if reason else np.ones(len(why), bool)
        rejected = why[compared] != ""
        area = areas["ensemble"]["roc_area" + (f"_{reason}" if reason else "")]
        if rejected.any():
            label = f"{words}: {int(rejected.sum())} rejected, area {area:.3f}"
            _curve(panel, rejected, likelihoods["ensemble"][compared], color=colour, lw=1.5, label=label)
    panel.set_xlabel("share of the measured galaxies that is rejected", fontsize=8)
    panel.set_ylabel("share of the rejected galaxies that is found", fontsize=8)
    panel.tick_params(labelsize=7)
    panel.legend(fontsize=7, loc="lower right", frameon=False)
    panel.set_title("Rejectors: their median (single ones in gray)", fontsize=9)
    figure.savefig(path, dpi=120)


def isotropy(found: Mapping[str, Mapping[str, Any]], path: Path, *, title: str) -> None:
    """Draw the distribution of ``cos i``, which is flat for randomly oriented discs.

    Parameters
    ----------
    found : mapping
        ``isotropy`` of the report: counts in equal bins of ``cos i`` for each method.
    path : Path
    title : str
    """
    figure = _figure(5.2, 3.4)
    panel = figure.subplots()
    colours = {"ensemble": _POINTS, "ellipticity": "#ddaa33", "axis_ratio": _LINE}
    words = {"ensemble": "networks", "ellipticity": "ellipse, r = 0.3", "axis_ratio": "catalogue's axis ratio"}
    for name, one in found.items():
        counts = np.array(one["counts"], float)
        share = counts / max(counts.sum(), 1) * len(counts)
        edges = np.linspace(0, 1, len(counts) + 1)
        label = f"{words[name]}, {one['galaxies']}"
        panel.stairs(share, edges, color=colours[name], lw=2 if name == "ensemble" else 1, label=label)
    panel.axhline(1, color=_ZERO, lw=0.8)
    panel.set_xlim(0, 1)
    panel.set_ylim(0)
    panel.set_xlabel("cos i", fontsize=8)
    panel.set_ylabel("discs, relative to random orientation", fontsize=8)
    above = panel.secondary_xaxis("top", functions=(lambda x: x, lambda x: x))
    degrees = [90, 80, 70, 60, 50, 40, 30, 20, 0]
    above.set_xticks(np.cos(np.radians(degrees)), [f"{d}°" for d in degrees])
    for one_axis in (panel, above):
        one_axis.tick_params(labelsize=7)
    panel.legend(fontsize=7, frameon=False)
    panel.set_title(title, fontsize=9)
    figure.savefig(path, dpi=120)


def _curve(panel: Any, rejected: NDArray[np.bool_], likelihood: NDArray[np.float64], **style: Any) -> None:
    steps = np.concatenate([[np.inf], np.unique(likelihood)[::-1]])
    false = [float(np.mean(likelihood[~rejected] >= step)) for step in steps]
    true = [float(np.mean(likelihood[rejected] >= step)) for step in steps]
    panel.plot(false, true, **style)


def outliers(
    images: NDArray[np.uint8],
    names: Sequence[str],
    labels: NDArray[np.float64],
    said: Mapping[str, NDArray[np.float64]],
    path: Path,
    *,
    count: int = 12,
) -> None:
    """Draw the galaxies whose first prediction differs most from people's measurement, the worst first.

    Parameters
    ----------
    images : uint8 ``[N, 128, 128, 3]``
    names : sequence of str
        N names.
    labels : float64 ``[N]``
        Human inclinations, degrees.
    said : mapping of str to float64 ``[N]``
        Predicted degrees by predictor; the first one decides which galaxies are shown.
    path : Path
    count : int
        Number of galaxies.
    """
    first = next(iter(said.values()))
    worst = np.argsort(-np.abs(first - labels), kind="stable")[:count]
    shown = [
        sheets.CaptionedImage(
            images[n],
            (
                _short(names[n]),
                f"people {labels[n]:.1f}°",
                *(f"{way} {'none' if math.isnan(v[n]) else f'{v[n]:.1f}°'}" for way, v in said.items()),
            ),
        )
        for n in worst
    ]
    sheets.grid(shown, path, title=f"The {len(shown)} galaxies read worst", columns=min(6, max(len(shown), 3)))


def _short(name: str, most: int = 20) -> str:
    return name if len(name) <= most else "…" + name[1 - most :]
