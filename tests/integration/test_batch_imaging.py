"""A batch measures galaxies on a mosaic of nine tiles as in their ideal cutouts, however it is grouped and ended."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from batch.http.pacing import Pace
from gateway.images.complete import complete_png
from tests.support import batch_runs
from tests.support.batch_runs import Command, rows_of
from tests.support.galaxies import simulated_pictures
from tests.support.mosaic import Survey
from tests.support.service import UpProcess
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

MANIFEST = Path(__file__).parents[2] / "model_repo" / "manifest.json"
COUNT = 25
"""Of the simulated galaxies."""
PACE = Pace(concurrency=2, patience_s=600.0, first_patience_s=600.0)
TOLERANCE_DEG = 0.3


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # a busy machine is slow, not wrong
    patient = {f"INCLINET_{name}_TIMEOUT_S": "600" for name in ("REQUEST", "UPLOAD", "PREDICT", "BATCH_ROW")}
    folder = tmp_path_factory.mktemp("up")
    with UpProcess(folder, f"--manifest={MANIFEST}", environment=patient) as service:
        yield service.url


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> tuple[Survey, Path]:
    folder = tmp_path_factory.mktemp("survey")
    made = Survey.of(simulated_pictures())
    made.write(folder / "tiles")
    (folder / "tiles" / "notes.fits").write_text("none")
    return made, folder


def inclinations(out: Path) -> dict[str, float]:
    """Return those of a result by the galaxies' keys, each of which it has once."""
    rows = rows_of(out)
    assert not [row["problem"] for row in rows if row["problem"]]
    assert len(rows) == len({row["key"] for row in rows}) == COUNT
    return {row["key"]: float(row["inclination_deg"]) for row in rows}


@pytest.mark.timeout(1800)
def test_galaxies_on_a_mosaic_are_measured_as_in_their_ideal_cutouts_in_any_grouping_and_killed(
    url: str, survey: tuple[Survey, Path], tmp_path: Path
) -> None:
    made, folder = survey
    (tmp_path / "ideal").mkdir()
    for number in range(COUNT):
        (tmp_path / "ideal" / f"g{number}.png").write_bytes(complete_png(made.ideal(number)))
    expected_at = tmp_path / "ideal.csv"
    batch_runs.run(tmp_path / "ideal", expected_at, url, pace=PACE, frame="whole")
    ideal = {Path(key).stem: value for key, value in inclinations(expected_at).items()}

    ear = batch_runs.MessageRecorder()
    imaging = str(folder / "tiles")
    whole = tmp_path / "whole.csv"
    batch_runs.run(made.table(tmp_path / "in-order.csv"), whole, url, ear, PACE, rows=COUNT, imaging=imaging)
    found = inclinations(whole)
    apart = [found[key] - value for key, value in ideal.items()]
    assert np.mean(np.abs(apart)) < TOLERANCE_DEG, np.round(apart, 2)
    assert "Images of the sky: 9 in i, 9 in r, 9 in g." in ear.notes
    assert any("notes.fits: The FITS file is no FITS" in note for note in ear.notes)

    shuffled = random.Random(5).sample(range(COUNT), COUNT)
    table, again = made.table(tmp_path / "shuffled.csv", shuffled), tmp_path / "again.csv"
    arguments = (table, "--imaging", imaging, "--url", url, "--rows=4", "--concurrency=1")
    killed = Command(again, *arguments)
    parts = again.with_suffix(".parts")
    wait_until(lambda: list(parts.glob("part-*.parquet")) or killed.ended, f"a partition: {killed.complained}", 300)
    killed.kill()
    index = (parts / "_imaging.parquet").stat().st_mtime_ns
    done = {path: path.stat().st_mtime_ns for path in parts.glob("part-*.parquet")}
    rest = Command(again, *arguments)
    assert rest.wait(900) == 0, rest.complained
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert (parts / "_imaging.parquet").stat().st_mtime_ns == index
    assert [row["key"] for row in rows_of(again)] == [f"g{number}" for number in shuffled]
    # the sum of a batch of images rounds by the images that share it
    assert inclinations(again) == pytest.approx(found, abs=0.02)
