"""Draws an answer: the galaxy with the fitted ellipse, and the networks' inclinations with the intervals."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from inclinet.answers import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from inclinet.answers.answer import Answer

MODEL_INPUT_PX = 128
_LINE, _DOT, _BAR = "#d97706", "#2563eb", "#94a3b8"
_FACE_ON_DEG, _EDGE_ON_DEG = 0.0, 90.0


class _OnPicture(NamedTuple):
    """An ellipse on a picture, pixels from the upper left corner; the angle is counter-clockwise from the right."""

    width: float
    height: float
    x: float
    y: float
    semi_major: float
    semi_minor: float
    angle_deg: float


def on_picture(answer: Answer) -> _OnPicture | None:
    """Return the fitted ellipse on :attr:`Answer.picture`; None without an ellipse."""
    if answer.ellipticity is None:
        return None
    image, ellipse = answer.json["image"], answer.ellipticity.ellipse
    width, height = float(image["width"]), float(image["height"])
    longer = max(width, height)
    # a cutout is the whole picture; the model input is a square of it, which may extend beyond its edges
    left, top, scale, size = 0.0, 0.0, 1.0, (width, height)
    if not image.get("cutout"):
        frame = image.get("frame") or {"x": width / 2, "y": height / 2, "side": longer}
        left, top = frame["x"] - frame["side"] / 2, frame["y"] - frame["side"] / 2
        scale, size = MODEL_INPUT_PX / frame["side"], (float(MODEL_INPUT_PX), float(MODEL_INPUT_PX))
    return _OnPicture(
        *size,
        (ellipse["x"] * width - left) * scale,
        (ellipse["y"] * height - top) * scale,
        ellipse["semi_major"] * longer * scale,
        ellipse["semi_minor"] * longer * scale,
        ellipse["angle_deg"],
    )


def title(answer: Answer) -> str:
    """Return the galaxy's name, or its substitute."""
    galaxy = answer.galaxy
    if galaxy is None:
        return "Image"
    return galaxy.name or (f"PGC {galaxy.pgc}" if galaxy.pgc else "Galaxy")


def axes(answer: Answer) -> tuple[Axes, Axes]:
    """Draw an answer with pyplot; see :meth:`Answer.plot`."""
    try:
        from matplotlib import image, patches  # an extra
        from matplotlib import pyplot as plt  # an extra
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"Plots need {error.name}: pip install 'inclinet[plot]'.") from None

    _, (seen, said) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained", width_ratios=(4, 5))
    seen.set_title(title(answer))
    seen.set_axis_off()
    if answer.picture is not None:
        kind = "png" if answer.picture.startswith(b"\x89PNG") else "jpeg"
        seen.imshow(image.imread(io.BytesIO(answer.picture), format=kind))
        if (drawn := on_picture(answer)) is not None:
            # rows run downwards in the picture, so matplotlib's angles run clockwise
            middle, width, height = (drawn.x, drawn.y), 2 * drawn.semi_major, 2 * drawn.semi_minor
            outline = patches.Ellipse(middle, width, height, angle=-drawn.angle_deg, fill=False, edgecolor=_LINE)
            seen.add_patch(outline)
    values = answer.json["inclination"]
    for (low, high), alpha in _bands(values):
        said.axvspan(low, high, color=_BAR, alpha=alpha, linewidth=0)
    said.axvline(values["median_deg"], color=_LINE)
    flavors = answer.json["flavors"]
    said.plot([one["inclination_deg"] for one in flavors], range(len(flavors)), "o", color=_DOT, clip_on=False)
    said.set_yticks(range(len(flavors)), [one["name"] for one in flavors])
    said.invert_yaxis()
    said.set_xlim(_FACE_ON_DEG, _EDGE_ON_DEG)
    said.set_xlabel("inclination (deg), intervals of 68 % and 95 %")
    bound = words.below(values)
    said.set_title(f"{words.median(values)}, {bound} (95 %)" if bound else words.median(values))
    return seen, said


def _bands(values: Mapping[str, Any]) -> tuple[tuple[tuple[float, float], float], ...]:
    """Return the limits of the intervals, and the shade of each: 95 %, up to a bound, then 68 %."""
    wide, narrow = values["interval95_deg"], values["interval68_deg"]
    bound = values.get("below95_deg")
    return ((wide["low"], wide["high"] if bound is None else bound), 0.25), ((narrow["low"], narrow["high"]), 0.45)


def html(answer: Answer) -> str:
    """Return an answer as a fragment of HTML that loads nothing from the network."""
    values = answer.json["inclination"]
    fit, bound = answer.ellipticity, words.below(values)
    lines = [
        ("68 % interval", f"{words.interval(values, 68)} deg"),
        ("95 % bound", bound) if bound else ("95 % interval", f"{words.interval(values, 95)} deg"),
        ("Networks", f"{len(answer.json['flavors'])}, standard deviation {values['stdev_deg']:.1f} deg"),
        ("Rejection", words.rejection(answer.json["rejection"])),
        ("Ellipse says", "" if fit is None else f"{fit.json['inclination_deg']:.1f} deg (q = {fit.axis_ratio:.2f})"),
        ("Image", escape(str(answer.json["image"]["source"]))),
        ("Release", escape(answer.release)),
    ]
    rows = "".join(
        f'<tr><th style="text-align:left">{name}</th><td style="text-align:left">{text}</td></tr>'
        for name, text in lines
        if text
    )
    warnings = "".join(f"<li>{escape(warning)}</li>" for warning in answer.warnings)
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:1.2em;align-items:flex-start">'
        f"{_picture(answer)}<div><strong>{escape(title(answer))}: {words.median(values)}</strong>"
        f"<table>{rows}</table></div>{_dots(answer)}</div>{f'<ul>{warnings}</ul>' if warnings else ''}"
    )


def _picture(answer: Answer) -> str:
    data = answer.picture
    if data is None:
        return ""
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
    url = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    drawn = on_picture(answer)
    overlay = "" if drawn is None else (
        f'<svg viewBox="0 0 {drawn.width:g} {drawn.height:g}" style="position:absolute;inset:0;width:100%;height:100%">'
        f'<ellipse rx="{drawn.semi_major:.2f}" ry="{drawn.semi_minor:.2f}" fill="none" stroke="{_LINE}" '
        'stroke-width="2" vector-effect="non-scaling-stroke" '
        f'transform="translate({drawn.x:.2f} {drawn.y:.2f}) rotate({-drawn.angle_deg:.2f})"/></svg>'
    )  # fmt: skip
    return (
        f'<div style="position:relative;width:220px"><img src="{url}" alt="{escape(title(answer))}" '
        f'style="width:100%;display:block">{overlay}</div>'
    )


def _dots(answer: Answer) -> str:
    """Return the SVG of the networks as dots over the intervals, from face-on to edge-on."""
    values, flavors = answer.json["inclination"], answer.json["flavors"]
    left, width, step = 70.0, 260.0, 16.0
    height = step * (len(flavors) + 1)

    def at(value: float) -> float:
        return left + (value - _FACE_ON_DEG) / (_EDGE_ON_DEG - _FACE_ON_DEG) * width

    bars = "".join(
        f'<rect x="{at(low):.1f}" width="{at(high) - at(low):.1f}" '
        f'y="0" height="{height - step}" fill="{_BAR}" opacity="{opacity}"/>'
        for (low, high), opacity in _bands(values)
    )
    dots = "".join(
        f'<text x="{left - 6}" y="{step * row + 12}" text-anchor="end">{escape(one["name"])}</text>'
        f'<circle cx="{at(one["inclination_deg"]):.1f}" cy="{step * row + 8}" r="4" fill="{_DOT}"/>'
        for row, one in enumerate(flavors)
    )
    middle = at(values["median_deg"])
    marks = "".join(
        f'<text x="{at(tick):.1f}" y="{height - 2}" text-anchor="middle">{tick}°</text>' for tick in (0, 30, 60, 90)
    )
    return (
        f'<svg width="{left + width + 20}" height="{height}" font-size="11" fill="currentColor">{bars}'
        f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="0" y2="{height - step}" stroke="{_LINE}" stroke-width="2"/>'
        f"{dots}{marks}</svg>"
    )
