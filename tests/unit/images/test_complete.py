"""A picture that says that no part of it is empty is measured as it is, whatever its sky looks like."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from gateway.core.models import WHOLE
from gateway.images.complete import complete_png, is_complete
from gateway.images.prepare import prepare
from tests.support.pictures import disc, encoded
from tests.unit.images.test_corners import KINDS, sky

MAX_PIXELS = 10**6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [0, 255])
def test_its_file_and_its_pixels_make_the_same_model_input(kind: str, level: int) -> None:
    rgb = sky()
    rgb[KINDS[kind]] = level
    sent, here = prepare(complete_png(rgb), MAX_PIXELS, WHOLE), prepare(rgb, MAX_PIXELS)
    assert np.array_equal(sent.pixels, here.pixels)
    assert sent.ellipse == here.ellipse
    guessed = prepare(encoded(rgb, "PNG"), MAX_PIXELS, WHOLE)
    assert not np.array_equal(sent.pixels, guessed.pixels)


def test_only_a_png_that_says_so_is_complete() -> None:
    assert is_complete(complete_png(disc(64)))
    assert not is_complete(encoded(disc(64), "PNG"))
    rewritten = io.BytesIO()
    Image.open(io.BytesIO(complete_png(disc(64)))).rotate(20).save(rewritten, "PNG")
    assert not is_complete(rewritten.getvalue())
