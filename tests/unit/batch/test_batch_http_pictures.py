"""A gateway gets from a picture that was cut here what the Dask engine gets: the same model input."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from batch.http.engine import HttpEngine
from batch.http.pacing import Pace, Pacing
from gateway.core.models import WHOLE
from gateway.images.prepare import prepare
from gateway.tables.cells.rows import Row
from inclinet import InclinetError
from tests.support.pictures import disc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from numpy.typing import NDArray

MAX_PIXELS = 10**6


class HearingClient:
    """A client that keeps what it is to send, and answers nothing good."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def stream(self, bodies: list[bytes], **_params: Any) -> AsyncIterator[tuple[int, InclinetError]]:
        self.bodies += bodies
        for place in range(len(bodies)):
            yield place, InclinetError("It is no galaxy.", slug="not-a-galaxy", status=422)


def clipped(level: int) -> NDArray[np.uint8]:
    """Draw a galaxy whose sky is black beside a slanted edge, and ``level`` counts bright behind it."""
    rgb: NDArray[np.uint8] = np.clip(disc(160, 0.5, 30).astype(int) + level, 0, 255).astype(np.uint8)
    y, x = np.mgrid[:160, :160]
    rgb[x + y < 90] = 0
    return rgb


async def test_a_black_sky_is_not_taken_for_an_empty_corner() -> None:
    pictures = [clipped(level) for level in (0, 10, 40)]

    async def read(name: str) -> NDArray[np.uint8]:
        return pictures[int(name)]

    client = HearingClient()
    images: Any = SimpleNamespace(read=read)
    engine = HttpEngine(
        client,  # type: ignore[arg-type]
        SimpleNamespace(),  # type: ignore[arg-type]  # nothing is settled
        images,
        params={},
        pacing=Pacing(Pace(), "http://127.0.0.1"),
        release="",
    )
    rows = [Row(number, str(number), file=str(number)) for number in range(len(pictures))]
    outcomes = [outcome async for outcome in engine.ask(rows, images)]
    assert len(outcomes) == len(client.bodies) == len(pictures)
    for body, picture in zip(client.bodies, pictures, strict=True):
        assert np.array_equal(prepare(body, MAX_PIXELS, WHOLE).pixels, prepare(picture, MAX_PIXELS).pixels)
