"""What a project hands on is what ``training labels`` reads: every figure comes back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from gateway.tables.results import Format, table
from tests.support import labellers
from tests.support.measured import joined, said
from training import __main__ as cli
from training.data import dataset
from training.data.label_tables import parse
from training.data.labels import combine, two_groups
from zoo.statistics import Flag, GalaxyLabel, Measurements, PeopleCalibration, calibrate, labels
from zoo.statistics.export import LABEL_COLUMNS, MEASUREMENT_COLUMNS, ExportedGalaxy, label_rows, measurement_rows

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = [Format.CSV, Format.VOTABLE]
PEOPLE = {number: f"person{number}" for number in range(1, 13)}


def galaxy(number: int) -> ExportedGalaxy:
    """Every other one has no PGC number."""
    name = f"Field-{number}, north"
    return ExportedGalaxy(
        name, f"cut/{number}.jpg", 0 if number % 2 else number, ra_deg=10.0 + number, hubble_stage=3.0
    )


@pytest.fixture(scope="module")
def campaign() -> tuple[Measurements, PeopleCalibration, list[GalaxyLabel]]:
    people = labellers.crowd(12, 70)
    galaxies = [
        labellers.JudgedGalaxy(one.number, one.inclination_deg * 2 - 90 if one.kind == 0 else 80.0, one.kind)
        for one in labellers.targets(150, 70)
    ]
    once = labellers.campaign(people, galaxies, 70, people_each=5, known=40)
    # everybody judges some edge-on galaxies again, where corrected values are cut off at 90 deg
    steep = [one for one in galaxies if one.inclination_deg > 80]
    judged = joined(once, labellers.judged([(person, one) for one in steep for person in people[:6]], time=1))
    calibration = calibrate(judged)
    return judged, calibration, labels(judged, calibration)


def exported(
    campaign: tuple[Measurements, PeopleCalibration, list[GalaxyLabel]], file_format: Format, *, least_deg: float = 0.0
) -> tuple[str, str]:
    judged, calibration, found = campaign
    galaxies = {label.galaxy: galaxy(label.galaxy) for label in found}
    first = label_rows(found, galaxies, least_deg=least_deg)
    second = measurement_rows(judged, calibration, galaxies, PEOPLE, least_deg=least_deg)
    tables = table(first, LABEL_COLUMNS, file_format), table(second, MEASUREMENT_COLUMNS, file_format)
    return tables[0].decode(), tables[1].decode()


@pytest.mark.parametrize("file_format", FORMATS)
def test_training_reads_the_labels_as_they_are(
    campaign: tuple[Measurements, PeopleCalibration, list[GalaxyLabel]], file_format: Format, tmp_path: Path
) -> None:
    source, out = tmp_path / "zoo.txt", tmp_path / "labels.csv"
    source.write_text(exported(campaign, file_format)[0])
    done = CliRunner().invoke(cli.app, ["labels", "--table", str(source), "--out", str(out)])
    assert done.exit_code == 0, done.output
    given = {label.galaxy: label for label in campaign[2] if label.reject or np.isfinite(label.inclination_deg)}
    read = {int(row.path.stem): row for row in dataset.read_table(out)}
    assert read.keys() == given.keys()
    assert min(row.inclination_deg for row in read.values() if row.measured) < 30
    for number, row in read.items():
        assert row.inclination_deg == pytest.approx(given[number].inclination_deg, abs=0.006, nan_ok=True)
        assert row.reject == given[number].reject
        assert row.pgc == (dataset.number_of(galaxy(number).name) if number % 2 else number)
        assert row.stage == 3.0


@pytest.mark.parametrize("file_format", FORMATS)
def test_training_makes_the_same_medians_of_the_measurements(
    campaign: tuple[Measurements, PeopleCalibration, list[GalaxyLabel]], file_format: Format
) -> None:
    read = parse(exported(campaign, file_format)[1], "zoo")
    combined, _ = combine(read.measurements)
    given = {label.galaxy: label for label in campaign[2]}
    assert len(combined) > 100
    for one in combined:
        label = given[int(read.files[one.pgc].split("/")[1].split(".")[0])]
        assert one.inclination_deg == pytest.approx(label.median_deg, abs=1e-4, nan_ok=True)
        assert (one.reject, one.people) == (
            label.reject,
            label.people - label.measured if label.reject else label.measured,
        )
        assert one.scatter_deg == pytest.approx(np.nan if label.reject else label.scatter_deg, abs=1e-3, nan_ok=True)
    assert two_groups(read.measurements) is not None
    assert "person12" not in {one.person for one in read.measurements}
    assert "person12" in exported(campaign, file_format)[1]


def test_both_formats_say_the_same(campaign: tuple[Measurements, PeopleCalibration, list[GalaxyLabel]]) -> None:
    text, document = (parse(exported(campaign, one)[1], "zoo") for one in FORMATS)
    assert text == document or json.dumps(str(text)) == json.dumps(str(document))


def test_who_measured_is_read_as_having_measured_whatever_the_range() -> None:
    judged = said((2, 1, 45.5), (2, 2, 46.0), (2, 3, Flag.NOT_A_SPIRAL))
    calibration = calibrate(judged)
    calibration.bias_deg[:] = 3.0
    rows = measurement_rows(judged, calibration, {2: galaxy(2)}, PEOPLE, least_deg=45.0)
    assert [(row["inc"], row["inc_said"], row["flag"], row["not_spiral"]) for row in rows] == [
        (45.0, 45.5, 0, 0),
        (45.0, 46.0, 0, 0),
        (None, None, 1, 1),
    ]
    assert [row["counted"] for row in rows] == [0, 0, 0]


def test_standards_and_galaxies_without_a_label_are_not_handed_on() -> None:
    standard = said((9, 1, 60.0), truth_deg=61.0)
    assert measurement_rows(standard, calibrate(standard), {}, PEOPLE, least_deg=0.0) == []
    label = GalaxyLabel(2, np.nan, 60.0, 3.0, 60.0, 3.0, np.nan, 1, 1, "", 0.9, 0.05, 0.05)
    assert label_rows([label], {2: galaxy(2)}, least_deg=0.0) == []
