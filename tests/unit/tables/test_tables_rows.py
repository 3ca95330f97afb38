"""What a row asks: an image that is there, a PGC number, a position, a name; the rest is warned of, never lost."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.models import Target
from gateway.tables.cells.rows import Row, question
from gateway.tables.header.columns import recognise

M31: dict[str, Any] = {"ra": 10.684708, "dec": 41.26875}
AT: dict[str, Any] = {"ra": "10.684708", "dec": "41.26875"}


def asked(record: dict[str, Any], **more: Any) -> Row:
    return question(0, record, recognise(record), more.pop("files", frozenset()), **more)


@pytest.mark.parametrize("private", ["GAL_0001", "SGA2020 100"])
def test_a_name_beside_a_position_is_a_label_and_hides_nothing(private: str) -> None:
    row = asked({"name": private, **M31})
    assert row.target == Target(name=private, **AT)
    assert row.target.asked == "10.684708 41.26875"
    assert row.key == private


@pytest.mark.parametrize("flag", [17, True, 1, 64, "T"])
def test_a_number_in_a_column_of_names_hides_no_position(flag: object) -> None:
    assert asked({"object": flag, **M31}).target == Target(**AT)


@pytest.mark.parametrize("nothing", [-1, 0, -99, -9999, "NA", "nan", "null", "--", "N/A", None, float("nan")])
def test_a_pgc_number_that_stands_for_none_blocks_nothing(nothing: object) -> None:
    row = asked({"pgc": nothing, **M31})
    assert (row.target, row.warnings) == (Target(**AT), ())
    assert asked({"pgc": nothing, "name": "NGC 224"}).target == Target(name="NGC 224")
    alone = asked({"pgc": nothing})
    assert alone.problem is not None
    assert alone.problem.detail.startswith("The row has no PGC number")


@pytest.mark.parametrize("wrong", ["2557.5", "99999999999", "1e3", "what"])
def test_a_pgc_number_that_is_none_is_warned_of_where_a_position_answers(wrong: str) -> None:
    row = asked({"pgc": wrong, **M31})
    assert row.target == Target(**AT)
    assert wrong in row.warnings[0]
    assert "passed over" in row.warnings[0]
    alone = asked({"pgc": wrong})
    assert alone.problem is not None
    assert wrong in alone.problem.detail


def test_an_image_counts_only_where_it_is() -> None:
    record = {"file": "/data/m31.fits", **M31}
    assert asked(record, files={"/data/m31.fits"}).file == "/data/m31.fits"
    row = asked(record)
    assert row.target == Target(**AT)
    assert "/data/m31.fits did not come along" in row.warnings[0]
    alone = asked({"file": "m31.fits"})
    assert alone.problem is not None
    assert alone.problem.detail == "No image named m31.fits was sent along."
    assert asked({"file": "m31.fits"}, lasting=True).file == "m31.fits"


def test_pgc_is_believed_before_the_position_and_the_position_before_the_name() -> None:
    row = asked({"pgc": 2557, "name": "NGC 628", **M31})
    assert row.target == Target(pgc=2557, name="NGC 628", **AT)
    assert (row.key, row.target.asked) == ("PGC 2557", "PGC 2557")


def test_a_position_that_is_none_is_warned_of_where_a_name_answers() -> None:
    row = asked({"name": "NGC 224", "ra": 400, "dec": 41})
    assert row.target == Target(name="NGC 224")
    assert "400 deg" in row.warnings[0]
    assert asked({"name": "NGC 224", "ra": -999.0, "dec": -999.0}).warnings == ()
    assert "0, 0" in asked({"name": "NGC 224", "ra": 0.0, "dec": 0}).warnings[0]


def test_angles_that_are_none_are_left_out_and_said() -> None:
    row = asked({"pgc": 2557, "fov": 0, "pa": -999})
    assert row.target == Target(pgc=2557)
    assert len(row.warnings) == 2
    assert asked({"pgc": 2557, "fov": None, "pa": "nan"}).warnings == ()


def test_identifiers_of_nineteen_digits_are_kept_to_the_last() -> None:
    keys = [asked({"objid": number, **M31}).key for number in (1237653665258930303, 2**64 - 1, "1237653665258930304")]
    assert keys == ["1237653665258930303", "18446744073709551615", "1237653665258930304"]


def test_catalogue_numbers_stand_in_for_an_empty_name() -> None:
    assert asked({"name": "", "NGC": 224}).target == Target(name="NGC 224")
    assert asked({"NGC": None, "UGC": "454"}).target == Target(name="UGC 454")
