from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gateway.images.frame import Square, cut
from gateway.images.model_input import model_input
from tests.support.fake_serving import inclination_of
from tests.support.gateway import gateway
from tests.support.pictures import disc, encoded
from tests.support.starfields import starfield

FIELD = starfield(disc(96, 0.4), np.random.default_rng(1), wider=4.5, place=(0.3, 0.65))
PNG = encoded(FIELD.rgb, "PNG")
FILE = {"file": ("field.png", PNG)}
HEIGHT, WIDTH = FIELD.rgb.shape[:2]


async def ask(query: str = "", data: bytes = PNG) -> Any:
    async with gateway() as client:
        return await client.post(f"/api/file{query}", files={"file": ("field.png", data)})


async def test_a_small_galaxy_is_framed_and_the_answer_says_so() -> None:
    answer = (await ask()).json()
    frame = answer["image"]["frame"]
    assert frame["chosen_by"] == "service"
    assert (frame["x"], frame["y"]) == pytest.approx((FIELD.x, FIELD.y), abs=8)
    assert 0.6 * FIELD.side < frame["side"] < 1.4 * FIELD.side
    assert any(f"x = {frame['x']:.0f}" in said for said in answer["warnings"])
    # the ellipse stays in units of the whole picture
    fitted = answer["ellipticity"]["ellipse"]
    assert (fitted["x"] * WIDTH, fitted["y"] * HEIGHT) == pytest.approx((FIELD.x, FIELD.y), abs=8)
    assert 2 * fitted["semi_major"] * max(HEIGHT, WIDTH) == pytest.approx(frame["side"], rel=0.35)


async def test_frame_whole_measures_the_picture_as_it_is() -> None:
    answer = (await ask("?frame=whole")).json()
    assert answer["image"]["frame"] == {
        "x": WIDTH / 2,
        "y": HEIGHT / 2,
        "side": max(WIDTH, HEIGHT),
        "chosen_by": "whole",
    }
    assert answer["inclination"]["median_deg"] == pytest.approx(inclination_of(model_input(FIELD.rgb)), abs=0.01)


async def test_the_caller_s_frame_is_what_the_networks_see() -> None:
    answer = (await ask("?X=200&Y=150&Side=100")).json()
    assert answer["image"]["frame"] == {"x": 200.0, "y": 150.0, "side": 100.0, "chosen_by": "caller"}
    seen = model_input(cut(FIELD.rgb, Square(200, 150, 100)))
    assert answer["inclination"]["median_deg"] == pytest.approx(inclination_of(seen), abs=0.01)


async def test_a_place_alone_takes_the_galaxy_there() -> None:
    frame = (await ask(f"?x={FIELD.x + 5}&y={FIELD.y}")).json()["image"]["frame"]
    assert frame["chosen_by"] == "caller"
    assert (frame["x"], frame["y"]) == pytest.approx((FIELD.x, FIELD.y), abs=8)


async def test_the_place_is_that_in_the_upright_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side: to be turned by 90 degrees, clockwise
    buffer = io.BytesIO()
    Image.fromarray(np.rot90(FIELD.rgb)).save(buffer, "PNG", exif=exif)
    frame = (await ask(data=buffer.getvalue())).json()["image"]["frame"]
    assert (frame["x"], frame["y"]) == pytest.approx((FIELD.x, FIELD.y), abs=8)


@pytest.mark.parametrize(
    ("query", "kind", "said"),
    [
        ("?x=10", "bad-request", "both"),
        ("?y=10", "bad-request", "both"),
        ("?side=100", "bad-request", "place"),
        ("?frame=whole&x=10&y=10", "bad-request", "not both"),
        ("?frame=half", "bad-request", "frame"),
        ("?x=-1&y=10", "bad-request", "x"),
        ("?x=nan&y=10", "bad-request", "x"),
        ("?x=inf&y=10", "bad-request", "x"),
        ("?x=10&y=10&side=0", "bad-request", "side"),
        (f"?x={WIDTH + 1}&y=10", "bad-target", "not in the picture"),
        (f"?x=10&y={HEIGHT + 1}&side=50", "bad-target", "not in the picture"),
        ("?x=10&y=10&side=3", "bad-target", "side"),
        ("?x=10&y=10&side=1e8", "bad-target", "side"),
    ],
)
async def test_a_frame_that_can_t_be_is_told_why(query: str, kind: str, said: str) -> None:
    response = await ask(query)
    body = response.json()
    assert (response.status_code, body["type"].rpartition(":")[2]) == (422, kind)
    assert said in json.dumps(body)
    assert body["detail"].endswith(".")


async def test_a_batch_frames_its_images_unless_asked_not_to() -> None:
    async with gateway() as client:
        chosen = []
        for query in ("", "?frame=auto", "?frame=whole"):
            response = await client.post(f"/api/batch{query}", files=FILE)
            (line,) = response.text.splitlines()
            chosen.append(json.loads(line)["answer"]["image"]["frame"]["chosen_by"])
        refused = await client.post("/api/batch?frame=half", files=FILE)
    assert chosen == ["service", "service", "whole"]
    assert refused.status_code == 422
