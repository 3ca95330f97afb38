"""Formats a report as tables for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

_REASONS = {"": "ROC, all", "_face_on": "face-on", "_unsuitable": "unsuitable"}


def of(report: dict[str, Any]) -> Iterator[Table]:
    """Yield the tables of the report's parts that exist."""
    if "ensemble" in report:
        yield _errors(report)
        yield _bins(report)
    if "ranges" in report and "truth" in report:
        yield _ranges(report)
    if "isotropy" in report:
        yield _isotropy(report["isotropy"])
    if "coverage" in report or "orientation" in report:
        yield _promises(report)
    if "surveys" in report:
        yield _surveys(report["surveys"])
    if "rejectors" in report:
        yield _rejectors(report["rejectors"])


def _table(title: str, first: str, *others: str) -> Table:
    # without lines between columns, since a table has to fit into eighty columns
    table = Table(first, title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.columns[0].no_wrap = True
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _number(value: float | None, digits: int = 2) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def _with_error(value: float, error: float | None, digits: int = 2) -> str:
    said = _number(error, digits)
    return f"{_number(value, digits)}±{said}" if said else _number(value, digits)


def _errors(report: dict[str, Any]) -> Table:
    table = _table("Predicted minus measured, degrees", "", "n", "rms", "mean abs", "med abs", "bias", "slope")
    names = {"median": "ensemble, median", "mean": "ensemble, mean", "accepted": "median of the accepted"}
    rows = {name: report["ensemble"][key] for key, name in names.items() if key in report["ensemble"]}
    rows |= {f"median of {name}": found for name, found in report.get("architectures", {}).items()}
    rows |= report.get("flavors", {})
    rows |= {name: report[key] for key, name in _RIVALS.items() if key in report and key != "ensemble"}
    for name, found in rows.items():
        table.add_row(
            name,
            f"{found['galaxies']:.0f}",
            _with_error(found["rms_deg"], found["rms_error_deg"]),
            _with_error(found["mae_deg"], found["mae_error_deg"]),
            _number(found["median_abs_deg"]),
            _number(found["bias_deg"]),
            _number(found["slope"]),
        )
    return table


def _bins(report: dict[str, Any]) -> Table:
    table = _table("Median of the ensemble by measured inclination", "degrees", "n", "rms", "bias")
    for found in report["ensemble"]["median"]["bins"]:
        span = f"{found['from_deg']:.0f} to {found['to_deg']:.0f}"
        table.add_row(span, f"{found['galaxies']:.0f}", _number(found["rms_deg"]), _number(found["bias_deg"]))
    return table


_RIVALS = {"ensemble": "ensemble", "ellipticity": "ellipticity, r = 0.3", "axis_ratio": "catalogue's axis ratio"}


def _ranges(report: dict[str, Any]) -> Table:
    table = _table(
        f"By range of the truth: people, and {report['truth']['table']}", "", "n", "rms", "bias", "in 68 %", "in 95 %"
    )
    parts = [("ensemble, people", report["ranges"])]
    parts += [(name, report["truth"][key]["ranges"]) for key, name in _RIVALS.items() if key in report["truth"]]
    for name, ranges in parts:
        for found in ranges:
            held = [_number(found[key] * 100, 0) if key in found else "" for key in ("inside68", "inside95")]
            span = f"{name}, {found['from_deg']:.0f} to {found['to_deg']:.0f}"
            numbers = [_number(found[key]) for key in ("rms_deg", "bias_deg")]
            table.add_row(span, f"{found['galaxies']:.0f}", *numbers, *held)
    return table


def _isotropy(found: dict[str, dict[str, Any]]) -> Table:
    """Return the counts in bins of the cosine, which are equal for randomly oriented discs."""
    edges = [f"{n / 10:.1f}" for n in range(10)]
    table = _table("Discs of stage 1 to 8 by cos i, from edge-on in tenths", "", *edges)
    for key, name in _RIVALS.items():
        table.add_row(name, *map(str, found[key]["counts"]))
    return table


def _surveys(found: dict[str, Any]) -> Table:
    spread = _number(found["spread_deg"])
    table = _table(
        f"Simulated galaxies by survey; one galaxy scatters by {spread} deg", "", "n", "rms", "mean abs", "bias"
    )
    for name, one in found["by_survey"].items():
        numbers = [_number(one[key]) for key in ("rms_deg", "mae_deg", "bias_deg")]
        table.add_row(name, f"{one['galaxies']:.0f}", *numbers)
    return table


def _promises(report: dict[str, Any]) -> Table:
    table = _table("Intervals and orientation", "", "found")
    for level, found in ((level, report.get("coverage", {})) for level in (68, 95)):
        if found:
            share, error = (100 * found[f"interval{level}{end}"] for end in ("", "_error"))
            width = found[f"interval{level}_width_deg"]
            table.add_row(f"inside the {level} % interval", f"{share:.1f} ± {error:.1f} %, {width:.1f} deg wide")
    if found := report.get("orientation"):
        spread = f"{found['median_stdev_deg']:.2f} deg (a tenth above {found['p90_stdev_deg']:.2f})"
        table.add_row(f"spread over {found['turns']} orientations, median", spread)
    return table


def _rejectors(found: dict[str, dict[str, float]]) -> Table:
    counted = next(iter(found.values()))
    title = f"Rejectors: {counted['rejected']:.0f} rejected, {counted['kept']:.0f} kept by people"
    table = _table(title, "", "prec.", "recall", "acc.", *_REASONS.values())
    for name, one in found.items():
        said = [_with_error(one[f"roc_area{key}"], one[f"roc_area_error{key}"], 3) for key in _REASONS]
        table.add_row(name, *(_number(one[key]) for key in ("precision", "recall", "accuracy")), *said)
    return table
