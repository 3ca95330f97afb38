"""Finds the parts of a picture without sky: the empty corners of a turned square, a vignette, half of a mosaic.

A program that turns a picture or cuts it round fills the rest of the rectangle with white, black or gray, or leaves it
transparent. That colour is not the sky's: it must be left out of the sky's level and noise, of detection, and of the
networks' input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import sep

from gateway.images.gaps import ENOUGH

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELLS = 128
"""Number of cells along the longer side, at most; a cell has one pixel or more."""

# sep reserves memory for this many pixels above the threshold for each picture; the number is global to the process.
# The default of 300,000 takes as long as everything else. `sources` extracts from the most pixels.
sep.set_extract_pixstack(192**2 + 1)

_FLAT = 3
"""Counts by which a pixel of an empty part may differ from the part's colour: JPEG rings beside edges."""

_LEAST_RUN, _CORNER = 6, 3
_LEAST_SHARE_OF_SIDE, _MOSTLY = 0.1, 0.7
_LEAST_AREA, _LEAST_PICTURE = 0.004, 0.1
_LEAST_CELLS = 8

_STEP = 10.0
"""Smallest step between an empty part and the sky behind its edge, counts. Clipped or smooth skies of EFIGI's 4,147
pictures end in steps of up to 8. Below this, the part's colour is nearly the sky's and does little harm."""
_STEP_OF_EXACT, _CLEAR_STEP = 4.0, 60.0
_EXACT, _NEARLY_EXACT = 0.97, 0.5
"""Shares of an empty part that have its colour to within a count: without JPEG compression, and in any file."""

_RINGS, _RINGS_AT_EDGE = 0.02, 0.12
"""Shares of the step by which JPEG's ringing changes an empty part, and the outermost pixels of the part."""

_STILL = 0.1
"""Difference of neighbours, in units of the median difference, up to which pixels belong to an empty part, which has
one value, perhaps changed by a lossy compression."""

_NEAR, _FAR = 3, 7
"""Distances behind the edge at which the sky is measured, cells: beyond JPEG's ringing, and farther in."""
_LEAST_GRAIN, _MOST_RISE, _ROUND = 0.5, 0.3, 0.06
_RINGING = 3
"""Width of the margin that resampling and JPEG have mixed with an empty part, pixels."""


def empty(
    rgb: NDArray[np.uint8], outside: NDArray[np.bool_] | None = None, measured: NDArray[np.float32] | None = None
) -> NDArray[np.bool_] | None:
    """Return the pixels of a picture that show no sky.

    A part is empty if it has one colour, reaches the border, and ends in a step behind which the picture begins at
    another level and stays there. The clipped, black sky around a galaxy has one colour too, but behind its edge the
    light keeps rising. A part that has nearly the sky's colour is not found and does no harm.

    Parameters
    ----------
    rgb : uint8 [H, W, 3]
    outside : bool [H, W], optional
        Pixels that the file itself marks as no image, such as transparent ones.
    measured : float32 [P, H, W], optional
        Pixels that a stretch made the picture of. Where they differ from their neighbours, they show a sky that the
        stretch made black; an empty part has one value.

    Returns
    -------
    bool [H, W] or None
        ``outside`` and the empty parts, with a margin of 3 pixels or more; None if every pixel shows sky, or none does.
    """
    unseen = np.zeros(rgb.shape[:2], bool) if outside is None else outside
    is_narrow = min(rgb.shape[:2]) < _LEAST_CELLS * _cell_size(rgb)
    colours = [] if is_narrow else _border_colours(rgb)
    still = _still(measured, _cell_size(rgb)) if colours and measured is not None else None
    for colour in colours:
        part = _part(rgb, colour, still)
        if part is not None:
            unseen = unseen | part
    return unseen if unseen.any() and not unseen.all() else None


def filled(rgb: NDArray[np.uint8], unseen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the picture with its unseen pixels in the colour of the sky beside them.

    Parameters
    ----------
    rgb : uint8 [H, W, 3]
    unseen : bool [H, W]
        Result of :func:`empty`: some pixels, not all.

    Returns
    -------
    uint8 [H, W, 3]
        The colour is the median, plane by plane, of the seen pixels that lie on the border or beside unseen ones.
    """
    size = _cell_size(rgb)
    hidden = unseen[::size, ::size]
    beside = _grown(hidden, 2)
    beside[[0, -1]] = beside[:, [0, -1]] = True
    beside &= ~hidden
    seen = rgb[::size, ::size][beside] if beside.any() else rgb[~unseen]
    picture = rgb.copy()
    # plane by plane, which takes a third of the time of whole pixels
    for plane, level in enumerate(np.rint(np.median(seen, axis=0))):
        picture[..., plane][unseen] = level
    return picture


def _cell_size(rgb: NDArray[np.uint8]) -> int:
    return -(-int(max(rgb.shape[:2])) // CELLS)


def _samples(rgb: NDArray[np.uint8], size: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return two pixels of every cell, int16 [3, rows, columns] each: enough to distinguish one colour from grain."""
    rows, columns = (side // size for side in rgb.shape[:2])
    places = (size // 4, size - 1 - size // 4)
    one, other = (
        # contiguous planes, since numpy is ten times faster along them than along the three values of a pixel
        np.ascontiguousarray(rgb[at::size, at::size][:rows, :columns].transpose(2, 0, 1), np.int16)
        for at in places
    )
    return one, other


def _border_colours(rgb: NDArray[np.uint8]) -> list[NDArray[np.int16]]:
    """Return the colours that the border has over a tenth of a side, from a corner or elsewhere, without repetition."""
    colours: list[NDArray[np.int16]] = []
    for line in (rgb[0], rgb[-1, ::-1], rgb[::-1, 0], rgb[:, -1]):
        levels = line.astype(np.int16)
        least = max(_LEAST_RUN, round(_LEAST_SHARE_OF_SIDE * len(levels)))
        corner = np.sort(levels[:_CORNER], axis=0)[_CORNER // 2]
        if (np.abs(levels[:least] - corner) <= _FLAT).all(axis=1).mean() > _MOSTLY:
            colours.append(corner)
        changes = (np.abs(levels[1:] - levels[:-1]) > 1).any(axis=1)
        ends = np.flatnonzero(np.concatenate([[True], changes, [True]]))
        longest = int((ends[1:] - ends[:-1]).argmax())
        run = levels[ends[longest] : ends[longest + 1]]
        if len(run) >= least:
            colours.append(np.median(run, axis=0).astype(np.int16))
    return [
        colour
        for place, colour in enumerate(colours)
        if all(np.abs(colour - other).max() > _FLAT for other in colours[:place])
    ]


def _part(
    rgb: NDArray[np.uint8], colour: NDArray[np.int16], still: NDArray[np.bool_] | None
) -> NDArray[np.bool_] | None:
    """Return the empty part of one colour, bool [H, W]; None if the pixels of this colour are sky."""
    size = _cell_size(rgb)
    one, other = _samples(rgb, size)
    mean = (one + other) * np.float32(0.5)

    def off(samples: NDArray[np.int16]) -> NDArray[np.int16]:
        return np.asarray(np.abs(samples - colour[:, None, None]).max(axis=0), np.int16)

    most = np.maximum(off(one), off(other))
    flat = most <= _FLAT
    if still is not None:
        flat &= still
    # Most candidates are smooth patches of sky. They are excluded before any region is traced: all else is brighter.
    contrast = np.abs(mean - colour[:, None, None]).max(axis=0)[most > _FLAT]
    if not contrast.size or np.median(contrast) < _least_step(most[flat]):
        return None
    part = _reaching_the_border(flat)
    if part.mean() < _LEAST_AREA:
        return None
    colour = np.rint(np.median(mean[:, part], axis=1)).astype(np.int16)
    step = _step(part, mean, colour)
    off_one, off_other = off(one), off(other)
    most = np.maximum(off_one, off_other)[part]
    if step < _least_step(most) or (most <= max(1, step * _RINGS)).mean() < _NEARLY_EXACT:
        return None
    near = np.minimum(off_one, off_other) <= step * _RINGS_AT_EDGE
    if still is not None:
        near &= still
    part |= _reaching_the_border(near)
    part = _grown(part, -(-_RINGING // size)).repeat(size, axis=0).repeat(size, axis=1)
    # extends the part over the pixels beyond the last whole cell
    return np.pad(part, [(0, full - had) for full, had in zip(rgb.shape[:2], part.shape, strict=True)], "edge")


def _still(measured: NDArray[np.float32], size: int) -> NDArray[np.bool_]:
    """Return the cells whose first measured pixel is like its four neighbours, bool [rows, columns]."""
    _, height, width = measured.shape
    varies = np.zeros((height, width), bool)
    for plane in measured:
        for view, mine in ((plane, varies), (plane.T, varies.T)):
            change = np.abs(view[1:] - view[:-1])
            differs = change > _STILL * np.median(change.ravel()[:: 1 + change.size // ENOUGH])
            mine[1:] |= differs
            mine[:-1] |= differs
    return ~varies[::size, ::size][: height // size, : width // size]


def _least_step(off: NDArray[np.int16]) -> float:
    return _STEP_OF_EXACT if off.size and (off <= 1).mean() >= _EXACT else _STEP


def _regions(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the number of each connected region, from 1; 0 where the mask is off, and in regions of a few cells."""
    regions: NDArray[np.int32] = sep.extract(
        mask.astype(np.float32),
        0.5,
        minarea=_LEAST_CELLS,
        filter_kernel=None,
        deblend_nthresh=1,
        clean=False,
        segmentation_map=True,
    )[1]
    return regions


def _reaching_the_border(flat: NDArray[np.bool_]) -> NDArray[np.bool_]:
    regions = _regions(flat)
    reaching = np.zeros(int(regions.max()) + 1, bool)
    reaching[np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])] = True
    reaching[0] = False
    return reaching[regions]


def _step(part: NDArray[np.bool_], cells: NDArray[np.float32], colour: NDArray[np.int16]) -> float:
    """Return the counts between an empty part and the sky behind its edge; 0 if no sky lies behind it."""
    regions = _regions(~part)
    sizes = np.bincount(regions.ravel())[1:]
    if not sizes.size or sizes.max() < _LEAST_PICTURE * part.size:
        return 0.0
    picture = regions == sizes.argmax() + 1
    grown, within = part, 0
    rings = []
    for distance in (_NEAR, _FAR):
        inner = _grown(grown, distance - 1 - within)
        grown, within = _grown(inner, 1), distance
        rings.append(cells[:, picture & grown & ~inner])
    near, far = rings
    if min(near.shape[1], far.shape[1]) < _LEAST_CELLS:
        return 0.0
    sky = np.median(near, axis=1)
    plane = int(np.abs(sky - colour).argmax())
    step = abs(float(sky[plane]) - int(colour[plane]))
    rise = abs(float(np.median(far[plane])) - float(sky[plane]))
    # A galaxy on clipped sky, or an even disc on an even ground, also ends in a step. A picture reaches the border, or
    # is a rectangle or circle, or its edge is a large part of all contrast; and a sky has grain.
    grain = float(np.median(np.abs(near[plane] - sky[plane])))
    sides = sum(bool(line.any()) for line in (picture[0], picture[-1], picture[:, 0], picture[:, -1]))
    is_picture = sides > 1 or (grain >= _LEAST_GRAIN and (step >= _CLEAR_STEP or _is_frame(picture)))
    return step if is_picture and rise <= _MOST_RISE * step else 0.0


def _is_frame(picture: NDArray[np.bool_]) -> bool:
    """Return whether a region is a rectangle along the border, or a circle, of at least half the picture's side."""
    rows, columns = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    if 2 * height < picture.shape[0] or 2 * width < picture.shape[1]:
        return False
    fill = float(picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean())
    is_round = abs(height - width) <= _ROUND * max(height, width) and abs(fill - np.pi / 4) <= _ROUND
    return is_round or fill >= 1 - _ROUND


def _grown(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """Return the mask extended by this many rows and columns on every side."""
    grown = mask.copy()
    for _ in range(pixels):
        before = grown.copy()
        grown[1:] |= before[:-1]
        grown[:-1] |= before[1:]
        before = grown.copy()
        grown[:, 1:] |= before[:, :-1]
        grown[:, :-1] |= before[:, 1:]
    return grown
