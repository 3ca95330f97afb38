"""The effects of telescope and picture server on simulated galaxies: frame, neighbours, stars, PSF, noise, stretch."""

from __future__ import annotations

from typing import Any

from keras import ops

from training.networks.backend import fused
from training.simulation import face_on, radiative_transfer
from training.simulation.face_on import each
from training.simulation.gaussian_blur import blur
from training.simulation.stretch import stretch
from training.simulation.surroundings import HALOES

_DIAGONAL = 1.45
"""Half side of the drawn square, in half frames: turned and slightly shifted, the square fills the frame."""

SKY = 4.5
"""Light of the sky itself, nanomaggies per square arcsec: 20.9 mag/arcsec^2 in r."""


def render(drawn: dict[str, Any]) -> Any:
    """Return the pictures of a batch of galaxies.

    Parameters
    ----------
    drawn : dict of arrays ``[N, ...]``
        Result of :func:`training.simulation.render_parameters.arrays`, stacked.

    Returns
    -------
    uint8 tensor ``[N, side, side, 3]``
    """
    side = drawn["noise"].shape[-1]
    drawn = {name: ops.convert_to_tensor(values) for name, values in drawn.items()}
    planes = _blurred(drawn, place(drawn, *aligned(drawn, side)), _neighbours(drawn))
    return stretch(resampled(drawn, add_noise(drawn, planes)), drawn)


def aligned(drawn: dict[str, Any], side: int) -> tuple[Any, Any, Any]:
    """Draw galaxies with their major axes along the rows, wide enough to be turned inside a square frame.

    Parameters
    ----------
    drawn : dict of tensors ``[N, ...]``
    side : int
        Side of the frame, pixels.

    Returns
    -------
    float32 tensors ``[N, 3, V, U]``, ``[N, V]``, ``[N, U]``
        The light, and the positions of rows and columns, in scale lengths. Columns are a pixel apart, rows at most 1.2:
        the flatter a galaxy, the closer.
    """
    half = drawn["half_frame"]
    extent = 1.7 * drawn["isophotal_radius"]
    tall = extent * drawn["cos"] + radiative_transfer.LAYER * drawn["height"] * drawn["sin"]
    tall = ops.minimum(ops.maximum(tall, drawn["bulge_reach"]), _DIAGONAL * half)
    u = face_on.axis(_DIAGONAL * half, 16 * round(_DIAGONAL * side / 16))
    v = face_on.axis(tall, 16 * round(1.25 * side / 16))
    y = face_on.axis(extent, 16 * round(1.5 * side / 16))
    return radiative_transfer.project(drawn, face_on.face_on(drawn, u, y), v), v, u


@fused
def place(drawn: dict[str, Any], light: Any, v: Any, u: Any) -> Any:
    """Turn, shift and warp the galaxies into the frame: float32 ``[N, 3, side, side]``.

    The warp displaces the light across the major axis by ``warp`` at the isophotal radius and by the square of the
    distance within it, seen in projection.
    """
    side = drawn["noise"].shape[-1]
    pixel = 2 * drawn["half_frame"] / side
    grid = (ops.arange(side, dtype="float32") - (side - 1) / 2)[None]
    dx, dy = ((grid - drawn["offset"][:, n, None] * side) * pixel[:, None] for n in range(2))
    dx, dy = dx[:, None, :], dy[:, :, None]
    cos, sin = each(drawn["turn"][:, 0]), each(drawn["turn"][:, 1])
    at_u, at_v = dx * cos - dy * sin, dx * sin + dy * cos
    edge = drawn["isophotal_radius"]
    bend = ops.clip(at_u / each(edge), -1.3, 1.3)
    bend = ops.where(each(drawn["warp_is_odd"]) > 0, bend * ops.abs(bend), bend**2)
    at_v = at_v - each(drawn["warp"] * edge) * bend
    return _looked_up(light, _steps(at_v, v), _steps(at_u, u))


def _steps(at: Any, grid: Any) -> Any:
    """Return places on an evenly spaced grid ``[N, M]``, in steps from its first point."""
    return (at - each(grid[:, 0])) / each(grid[:, 1] - grid[:, 0])


def _looked_up(light: Any, rows: Any, columns: Any) -> Any:
    """Interpolate images ``[N, 3, V, U]`` linearly at positions ``[N, side, side]``; outside they are 0."""
    galaxies, bands, height, width = light.shape
    flat = ops.reshape(ops.transpose(light, (0, 2, 3, 1)), (galaxies * height * width, bands))

    def split(where: Any, count: int) -> tuple[Any, Any, Any]:
        within = ops.clip(where, 0, count - 1.001)
        below = ops.cast(within, "int32")
        return below, within - ops.cast(below, "float32"), ops.abs(where - within) < 0.01  # a tolerance for rounding

    row, down, in_rows = split(rows, height)
    column, across, in_columns = split(columns, width)
    first = (ops.arange(galaxies, dtype="int32")[:, None, None] * height + row) * width + column
    down, across = down[..., None], across[..., None]
    upper = ops.take(flat, first, axis=0) * (1 - across) + ops.take(flat, first + 1, axis=0) * across
    first = first + width
    lower = ops.take(flat, first, axis=0) * (1 - across) + ops.take(flat, first + 1, axis=0) * across
    seen = ops.cast(ops.logical_and(in_rows, in_columns), "float32")[..., None]
    return ops.transpose(((1 - down) * upper + down * lower) * seen, (0, 3, 1, 2))


@fused
def _blurred(drawn: dict[str, Any], planes: Any, neighbours: Any) -> Any:
    """Add neighbours and stars, and blur everything by the PSF."""
    side = planes.shape[-1]
    return blur(planes + neighbours + _stars(drawn, side), drawn["blur"])


@fused
def _neighbours(drawn: dict[str, Any]) -> Any:
    """Return background galaxies: exponential blobs."""
    grid = ops.arange(drawn["noise"].shape[-1], dtype="float32")
    x, y, *tilts = (drawn["neighbours"][:, :, n, None, None] for n in range(6))
    dx, dy = grid[None, None, None, :] - x, grid[None, None, :, None] - y
    far = ops.sqrt((tilts[0] * dx + tilts[1] * dy) ** 2 + (tilts[2] * dx + tilts[3] * dy) ** 2)
    return ops.einsum("nkyx,nkc->ncyx", ops.exp(-far), drawn["neighbour_lights"])


def _stars(drawn: dict[str, Any], side: int) -> Any:
    """Return foreground stars before the PSF; bright ones have a halo and diffraction spikes."""
    grid = ops.arange(side, dtype="float32")
    across, down = (ops.cast(ops.equal(drawn["stars"][:, :, n, None], grid), "float32") for n in range(2))
    rows = drawn["star_lights"][..., None] * down[:, :, None, :]
    points = ops.einsum("nkcy,nkx->ncyx", rows, across)
    for n in range(HALOES):
        column, row, reach, cos, sin, *light = (each(drawn["haloes"][:, n, k]) for k in range(8))
        dx, dy = grid[None, None, :] - column, grid[None, :, None] - row
        reach = ops.maximum(reach, 1e-3)
        halo = 2e-4 * ops.exp(-ops.sqrt(dx**2 + dy**2) / reach)
        along, across = ops.abs(dx * cos + dy * sin), ops.abs(dy * cos - dx * sin)
        spikes = ops.exp(-along / reach - across / 0.7) + ops.exp(-across / reach - along / 0.7)
        spikes = 4e-3 * spikes / (1 + 2 * reach)
        points = points + (halo + spikes)[:, None] * ops.stack(light, axis=1)
    return points


@fused
def add_noise(drawn: dict[str, Any], planes: Any) -> Any:
    """Add the noise of sky and photons, and a gradient of the sky."""
    unit = blur(drawn["noise"], drawn["correlation"], power=2)
    sigma = drawn["sky_sigma"][:, :, None, None]
    slope = drawn["sky_slope"][:, None, None, None] * ops.linspace(-1.0, 1.0, planes.shape[-1])[:, None]
    return planes + unit * sigma * ops.sqrt(1 + ops.maximum(planes, 0) / SKY) + slope


@fused
def resampled(drawn: dict[str, Any], planes: Any) -> Any:
    """Draw another frame of the mosaic beyond the edge, and resample, which blurs light and noise."""
    side = planes.shape[-1]
    along = (ops.arange(side, dtype="float32") - (side - 1) / 2) / side
    cos, sin, distance = (each(drawn["edge"][:, n]) for n in range(3))
    beyond = ops.cast(along[None, None, :] * cos - along[None, :, None] * sin > distance, "float32")[:, None]
    step = (drawn["edge_step"] * drawn["sky_sigma"])[:, :, None, None]
    missing = drawn["edge_missing"][:, None, None, None]
    return blur((planes + beyond * step) * (1 - beyond * missing), drawn["resampling"])
