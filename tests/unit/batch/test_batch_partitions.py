"""An output folder belongs to one survey, and says what of it is done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from survey import ledger, storage, table
from survey.catalogue import Partition
from survey.errors import SurveyError
from survey.ledger import Identity

if TYPE_CHECKING:
    from pathlib import Path

IDENTITY = Identity(
    fingerprint="f00d",
    partition_rows=2,
    release="2026.1",
    models={"vgg8_m0": 1, "vgg8_m1": 1},
    manifest="cafe",
    settings={"survey": "sdss", "r": 0.3},
    program="0.1.0",
)
PARTITIONS = [Partition(0, "c", 0, 2, 0), Partition(1, "c", 2, 4, 2), Partition(2, "c", 4, 5, 4)]


def write(out: Path, partition: Partition, identity: Identity = IDENTITY, rows: int | None = None) -> None:
    count = partition.rows if rows is None else rows
    empty = dict.fromkeys(column.name for column in table.COLUMNS)
    made = [empty | {"row": partition.first + n, "key": "k"} for n in range(count)]
    storage.write(
        str(out / table.file_name(partition.number)), table.encoded(made, partition, identity.about(), described="")
    )


def test_the_same_survey_is_let_in_again(tmp_path: Path) -> None:
    for _ in range(2):
        ledger.check(str(tmp_path), IDENTITY, location="a.csv")
        ledger.claim(str(tmp_path), IDENTITY, location="a.csv")
    assert ledger.recorded_partition_rows(str(tmp_path)) == 2


def test_the_same_catalogue_elsewhere_is_the_same_survey(tmp_path: Path) -> None:
    ledger.claim(str(tmp_path), IDENTITY, location="a.csv")
    ledger.check(str(tmp_path), IDENTITY, location="b.csv")


@pytest.mark.parametrize(
    ("changes", "location", "words"),
    [
        ({"fingerprint": "beef"}, "a.csv", "the catalogue a.csv has changed since"),
        ({"fingerprint": "beef"}, "b.csv", "its catalogue is a.csv, not b.csv"),
        ({"partition_rows": 3}, "a.csv", "its rows of a partition is 2, not 3"),
        ({"release": "2026.2"}, "a.csv", r"its model release is 2026\.1, not 2026\.2"),
        ({"manifest": "beef"}, "a.csv", r"the manifest of release 2026\.1 has changed"),
        ({"models": {"vgg8_m0": 2, "vgg8_m1": 1}}, "a.csv", r"the manifest of release 2026\.1 has changed"),
        ({"settings": {"survey": "sdss", "r": 0.2}}, "a.csv", r"its r is 0\.3, not 0\.2"),
        ({"settings": {"survey": "dss2", "r": 0.3}}, "a.csv", "its survey is sdss, not dss2"),
        ({"program": "0.2.0"}, "a.csv", r"its inclinet is 0\.1\.0, not 0\.2\.0"),
    ],
)
def test_another_survey_is_refused_with_the_difference(
    tmp_path: Path, changes: dict[str, Any], location: str, words: str
) -> None:
    ledger.claim(str(tmp_path), IDENTITY, location="a.csv")
    other = replace(IDENTITY, **changes)
    assert other.digest != IDENTITY.digest
    with pytest.raises(SurveyError, match=f"holds another survey: {words}.*Give another --out"):
        ledger.check(str(tmp_path), other, location=location)


def test_a_folder_with_results_of_nobody_knows_whom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.parquet").write_bytes(b"x")
    with pytest.raises(SurveyError, match=r"holds mine\.parquet and no survey"):
        ledger.check(str(tmp_path), IDENTITY, location="a.csv")


def test_a_damaged_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / ledger.NAME).write_text("{")
    with pytest.raises(SurveyError, match="damaged"):
        ledger.check(str(tmp_path), IDENTITY, location="a.csv")


def test_partitions_with_a_whole_file_are_done_and_others_are_not(tmp_path: Path) -> None:
    write(tmp_path, PARTITIONS[0])
    write(tmp_path, PARTITIONS[1], rows=1)
    (tmp_path / table.file_name(2)).write_bytes(b"PAR1 cut short")
    done = ledger.done(str(tmp_path), IDENTITY, PARTITIONS)
    assert {number: tally.rows for number, tally in done.items()} == {0: 2}


def test_a_file_of_another_survey_is_not_taken_for_done(tmp_path: Path) -> None:
    write(tmp_path, PARTITIONS[0], replace(IDENTITY, release="2025.9"))
    with pytest.raises(SurveyError, match="belongs to another survey"):
        ledger.done(str(tmp_path), IDENTITY, PARTITIONS)


def test_rows_cut_elsewhere_are_not_taken_for_done(tmp_path: Path) -> None:
    write(tmp_path, PARTITIONS[1])
    moved = replace(PARTITIONS[1], first=7)
    assert ledger.done(str(tmp_path), IDENTITY, [moved]) == {}
