"""What the command line prints of an answer, asked of a gateway whose networks say what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from inclinet.main import app
from tests.support.fake_serving import FakeServing, inclination_of
from tests.support.gateway import RELEASE
from tests.support.live import live_gateway
from tests.support.manifests import models_of
from tests.support.pictures import disc, encoded

if TYPE_CHECKING:
    from pathlib import Path

DISC = disc(128)


def printed(folder: Path, inclination: float, *, parts: tuple[float, float, float] = (1.0, 0.75, 0.25)) -> str:
    """Return what ``inclinet image`` prints where every flavor says ``inclination``, with spaces once."""
    (folder / "galaxy.png").write_bytes(encoded(DISC, "PNG"))
    offsets = dict.fromkeys(models_of(RELEASE), inclination - inclination_of(DISC))
    with live_gateway(FakeServing(models_of(RELEASE), offsets=offsets, parts=parts)) as live:
        done = CliRunner().invoke(
            app, ["image", str(folder / "galaxy.png"), "--url", live.url], env={"COLUMNS": "200", "NO_COLOR": "1"}
        )
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_an_inclined_galaxy_has_intervals_and_as_many_digits_as_they_warrant(tmp_path: Path) -> None:
    said = printed(tmp_path, 61.4)
    assert "61° 59…63 57…65 0.0 0.06 " in said
    assert "below" not in said


def test_a_face_on_galaxy_has_a_bound_in_place_of_the_interval_that_reaches_face_on(tmp_path: Path) -> None:
    said = printed(tmp_path, 3.2)
    assert "3° 1…5 below 6° 0.0" in said


@pytest.mark.parametrize(
    ("parts", "word", "sentence"),
    [
        ((12.0, 10.0, 2.0), "face-on", "the inclination itself is still measured."),
        ((12.0, 2.0, 10.0), "unsuitable", "disturbed, crowded, poor or not a spiral."),
    ],
)
def test_a_likely_rejection_comes_with_its_reason(
    tmp_path: Path, parts: tuple[float, float, float], word: str, sentence: str
) -> None:
    said = printed(tmp_path, 61.4, parts=parts)
    assert f"{12 * DISC.mean() / 255:.2f} {word}" in said
    assert sentence in said
