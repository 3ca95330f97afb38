"""From what people said of galaxies to labels, without any network."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from training import __main__ as cli
from training.data import dataset, labels
from training.data.label_tables import CatalogueFacts, Measurement, PublishedInclination, parse, parse_facts

if TYPE_CHECKING:
    from pathlib import Path

CONCERNS = ("not_sure", "better_image", "bad_TF", "ambiguous", "disturbed", "HI", "face_on", "not_spiral", "multiple")
ZOO = "|".join(["id", "pgcID", "inc", "pgcID1", "pgcID2", "flag", *CONCERNS, "note", "email"])

CF4 = """ pgc | ra | dec | d25 | b_a | pa | ty | note | inc | inc_e | inc_flg | inc_n | inc_note
 2 | 0.0070 | 47.2745 | 1.86 | 0.63 | 163.0 | 3.1 | | 52 | 4 | 0 | 5 |
 12 | 0.0358 | -6.3739 | 1.41 | 0.22 | 168.2 | 1.3 | | 82 | 3 | 0 | 2 |
 83 | 0.2771 | 32.3781 | 0.46 | 0.43 | 45.0 | 7.5 | | 0 | 0 | 1 | 4 | [disturbed] [bad_TF]
 118 | 0.4000 | 10.1000 | 1.10 | 0.90 | | 4.0 | | 0 | 0 | 1 | 6 | [face_on] [bad_TF]
 119 | 0.4000 | 10.1000 | 1.10 | 0.90 | | 4.0 | | 0 | 0 | 1 | 6 | [HI]
"""


def zoo(*rows: tuple[int, str, float | str]) -> str:
    """A table as the Galaxy Inclination Zoo writes it, from (pgc, person, inclination or concerns)."""
    lines = [ZOO]
    for number, (pgc, person, said) in enumerate(rows):
        rejected = isinstance(said, str)
        concerns = [str(int(rejected and name in str(said).split())) for name in CONCERNS]
        inclination = 0.0 if isinstance(said, str) else said
        cells = [
            f" {number} ",
            f"{pgc:8d} ",
            f"{inclination:6.2f} ",
            "   ",
            "   ",
            str(int(rejected)),
            *concerns,
            'a "note',
            person,
        ]
        lines.append(" | ".join(cells))
    return "\n".join(lines) + "\n"


def said(*judgements: tuple[int, str, float | str]) -> list[Measurement]:
    return [
        Measurement(pgc, person, math.nan, what) if isinstance(what, str) else Measurement(pgc, person, what, "")
        for pgc, person, what in judgements
    ]


def test_a_label_is_the_median_of_at_least_three_people() -> None:
    judged = said((7, "a", 60.0), (7, "b", 64.0), (7, "c", 61.0), (8, "a", 70.0), (8, "b", 71.0))
    (label,), too_few = labels.combine(judged)
    assert (label.pgc, label.inclination_deg, label.reject, label.people) == (7, 61.0, "", 3)
    assert label.scatter_deg == pytest.approx(np.std([60, 64, 61], ddof=1))
    assert too_few == 1


def test_who_measures_a_galaxy_again_and_again_is_still_one_person() -> None:
    judged = said((7, "a", 50.0), (7, "a", 54.0), (7, "a", 52.0), (7, "b", 60.0))
    assert labels.combine(judged) == ((), 1)
    (label,), _ = labels.combine([*judged, *said((7, "c", 62.0))])
    assert label.inclination_deg == 60.0
    assert label.people == 3


def test_half_of_the_people_reject_a_galaxy_with_the_reason_of_most() -> None:
    judged = said((7, "a", "face_on"), (7, "b", "face_on"), (7, "c", "unsuitable"), (7, "d", 50.0), (7, "e", 51.0))
    (label,), _ = labels.combine(judged)
    assert (label.reject, label.people) == ("face_on", 3)
    assert math.isnan(label.inclination_deg)
    (kept,), _ = labels.combine([*judged, *said((7, "f", 52.0), (7, "g", 53.0))])
    assert (kept.inclination_deg, kept.reject) == (51.5, "")


def test_one_person_is_not_enough_to_reject() -> None:
    assert labels.combine(said((7, "a", "unsuitable")))[0] == ()


@given(st.permutations(said(*((pgc, who, 50.0 + pgc + n) for pgc in (1, 2) for n, who in enumerate("abcd")))))
def test_the_order_of_the_rows_does_not_matter(shuffled: list[Measurement]) -> None:
    found, _ = labels.combine(shuffled)
    assert [(one.pgc, one.inclination_deg) for one in found] == [(1, 52.5), (2, 53.5)]
    assert labels.two_groups(shuffled, seed=3) == labels.two_groups(sorted(shuffled, key=str), seed=3)


def test_two_groups_differ_as_the_scatter_of_single_people_says() -> None:
    rng = np.random.default_rng(5)
    judged = said(
        *((pgc, f"p{n}", float(np.clip(65 + rng.normal(0, 3), 45, 90))) for pgc in range(400) for n in range(12))
    )
    found = labels.two_groups(judged)
    assert found is not None
    # the variance of the median of six gaussian numbers is 0.2147 (Sarhan & Greenberg 1962, table 10C.1)
    assert found.rms_deg == pytest.approx(3 * math.sqrt(2 * 0.2147), rel=0.08)
    assert found.galaxies == 400


def test_two_groups_need_enough_people_on_both_sides() -> None:
    assert labels.two_groups(said((7, "a", 60.0), (7, "b", 62.0))) is None


def test_the_zoos_table_is_read_with_its_concerns() -> None:
    table = parse(
        zoo(
            (67511, "Ann@x.org", 87.5),
            (22319, "ann@x.org ", "face_on bad_TF"),
            (3, "bob", "bad_TF"),
            (4, "bob", "HI bad_TF"),
            (5, "bob", "disturbed HI"),
            (6, "bob", 41.0),
            (0, "bob", 60.0),
        ),
        "zoo.txt",
    )
    assert table.kind == "measurements"
    assert [(m.pgc, m.person, m.reject) for m in table.measurements] == [
        (67511, "ann@x.org", ""),
        (22319, "ann@x.org", "face_on"),
        (3, "bob", "unsuitable"),
        (4, "bob", "elsewhere"),
        (5, "bob", "unsuitable"),
        (6, "bob", "face_on"),
    ]
    assert table.measurements[0].inclination_deg == 87.5
    assert table.skipped == 1


def test_a_table_says_what_its_standards_began_at_and_which_rows_count() -> None:
    table = parse(
        "galaxy,pgc,person,inc,flag,least_inc,counted\n"
        "A 1,,ann,30.5,0,0,1\nA 1,,bob,0,0,0,1\n,7,ann,12,0,20,1\nA 2,8,ann,20,0,20,1\n"
        ",,ann,50,0,0,1\nA 1,,cid,40,0,0,0\n",
        "own.csv",
    )
    number = dataset.number_of("A 1")
    assert [(m.pgc, m.person, m.inclination_deg, m.reject) for m in table.measurements if not m.reject] == [
        (number, "ann", 30.5, ""),
        (number, "bob", 0.0, ""),
        (8, "ann", 20.0, ""),
    ]
    assert [(m.pgc, m.reject) for m in table.measurements if m.reject] == [(7, "face_on")]
    assert table.names == {number: "A 1", 7: "", 8: "A 2"}
    assert table.skipped == 2


def test_a_name_always_has_the_same_number_and_no_pgc_number_is_like_it() -> None:
    assert dataset.number_of("A 1") == dataset.number_of("A 1") != dataset.number_of("A 2")
    assert max(dataset.number_of(str(n)) for n in range(1000)) < -1
    parts = [dataset.split_of(dataset.number_of(str(n))) for n in range(5000)]
    assert parts.count("test") / 5000 == pytest.approx(0.10, abs=0.015)


def test_what_only_begins_like_a_votable_is_refused_in_a_sentence() -> None:
    with pytest.raises(dataset.TableFault, match=r"^own.xml is no VOTable: "):
        parse("<VOTABLE><RESOURCE>", "own.xml")


def test_the_published_table_is_taken_at_its_word() -> None:
    table = parse(CF4, "cf4.txt")
    assert table.kind == "final"
    found, too_few = labels.published(table.finals)
    assert [(one.pgc, one.reject, one.people) for one in found] == [
        (2, "", 5),
        (83, "unsuitable", 4),
        (118, "face_on", 6),
        (119, "elsewhere", 6),
    ]
    assert found[0].inclination_deg == 52.0
    assert found[0].scatter_deg == 4.0
    assert too_few == 1
    assert table.facts[2] == CatalogueFacts(0.0070, 47.2745, 1.86, 0.63, 163.0, 3.1)
    assert math.isnan(table.facts[118].position_angle_deg)


def test_a_galaxy_that_is_listed_twice_has_one_label() -> None:
    finals = [PublishedInclination(7, 60.0, 2.0, "", 5), PublishedInclination(7, 62.0, 2.0, "", 5)]
    assert [one.inclination_deg for one in labels.published(finals)[0]] == [60.0]


def test_hyperledas_names_of_columns_are_understood_for_a_catalogue() -> None:
    facts = parse_facts(
        "name,ra,dec,diameter,mag,minorDiameter,anglePA\nPGC 2557,10.68,41.27,177.8,15,69.7,35\n", "c.csv"
    )
    assert facts[2557].d25_arcmin == 177.8
    assert facts[2557].axis_ratio == pytest.approx(0.392, abs=1e-3)
    assert facts[2557].position_angle_deg == 35.0


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, ["labels", *map(str, arguments)])


def test_the_command_writes_what_training_and_evaluation_read(tmp_path: Path) -> None:
    rows = [(pgc, f"p{n}@x.org", 50.0 + pgc + n) for pgc in range(1, 9) for n in range(5)]
    rejected: list[tuple[int, str, float | str]] = [(20, f"p{n}@x.org", "disturbed") for n in range(3)]
    (tmp_path / "students.txt").write_text(zoo(*rows))
    (tmp_path / "guests.txt").write_text(zoo(*rejected, (21, "p1@x.org", 66.0)))
    (tmp_path / "cf4.csv").write_text("pgc,ra,dec,d25,b_a,pa,ty\n1,10.5,-2.5,1.5,0.5,30,4\n")
    tables = ["--table", tmp_path / "students.txt", "--table", tmp_path / "guests.txt"]
    out = tmp_path / "made" / "labels.csv"
    result = invoke(*tables, "--catalogue", tmp_path / "cf4.csv", "--out", out)
    assert result.exit_code == 0, result.output
    assert "8 galaxies measured, rejected: 1 unsuitable" in result.output
    galaxies = dataset.read_table(out)
    assert [g.pgc for g in galaxies if g.measured] == list(range(1, 9))
    assert galaxies[0].inclination_deg == 53.0
    assert galaxies[0].path == out.parent / "pgc1_sdss.jpg"
    assert galaxies[0].stage == 4
    assert galaxies[0].axis_ratio_deg == pytest.approx(62.1)
    assert galaxies[-1].reject == "unsuitable"
    facts = parse_facts(out.read_text(), "labels.csv")
    assert (facts[1].ra_deg, facts[1].d25_arcmin, facts[1].position_angle_deg) == (10.5, 1.5, 30.0)
    report = json.loads(out.with_suffix(".json").read_text())
    assert report["too_few_people"] == 1
    assert report["people"] == 5
    assert report["two_groups"]["rms_deg"] > 0
    assert "x.org" not in out.read_text() + out.with_suffix(".json").read_text() + result.output


def test_only_galaxies_with_a_picture_are_kept_when_asked(tmp_path: Path) -> None:
    (tmp_path / "cf4.txt").write_text(CF4)
    (tmp_path / "g_83.png").write_bytes(b"picture")
    out = tmp_path / "labels.csv"
    result = invoke("--table", tmp_path / "cf4.txt", "--out", out, "--images", tmp_path, "--files", "g_{pgc}.png")
    assert result.exit_code == 0, result.output
    assert [(g.pgc, g.path.name) for g in dataset.read_table(out)] == [(83, "g_83.png")]
    assert "left out: 1 rejected for what their pictures do not show" in result.output


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a|b\n1|2\n", "has no columns of PGC numbers and inclinations (pgc or pgcID, inc); it has: a, b."),
        ("", "it has: nothing."),
        ("pgc|inc\n1|60\n", "tells neither who measured (email) nor what was rejected (flag, inc_flg)."),
        ("pgc|inc|email\nx|60|a\n", "has no row with a galaxy's number and an inclination."),
    ],
)
def test_a_table_of_another_kind_is_refused_in_a_sentence(content: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(content)
    result = invoke("--table", tmp_path / "t.txt", "--out", tmp_path / "o.csv")
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert not (tmp_path / "o.csv").exists()


def test_tables_of_two_kinds_are_not_mixed(tmp_path: Path) -> None:
    (tmp_path / "cf4.txt").write_text(CF4)
    (tmp_path / "zoo.txt").write_text(zoo((1, "a", 60.0)))
    result = invoke("--table", tmp_path / "cf4.txt", "--table", tmp_path / "zoo.txt", "--out", tmp_path / "o.csv")
    assert result.exit_code == 1
    assert "of two kinds" in result.stderr


def test_a_galaxy_without_a_number_needs_another_name_for_its_picture(tmp_path: Path) -> None:
    rows = "".join(f"A 1,{who},60,0\n" for who in ("ann", "bob", "cid"))
    (tmp_path / "t.csv").write_text(f"galaxy,person,inc,flag\n{rows}")
    out = tmp_path / "o.csv"
    result = invoke("--table", tmp_path / "t.csv", "--out", out)
    assert result.exit_code == 1
    assert "A 1 has no PGC number: --files needs {galaxy}, or the table a column file." in " ".join(
        result.stderr.split()
    )
    result = invoke("--table", tmp_path / "t.csv", "--out", out, "--files", "{galaxy}.png")
    assert result.exit_code == 0, result.output
    assert [(g.path.name, g.pgc) for g in dataset.read_table(out)] == [("A 1.png", dataset.number_of("A 1"))]


def test_a_file_name_without_the_galaxys_number_is_refused(tmp_path: Path) -> None:
    result = invoke("--table", "t.txt", "--out", tmp_path / "o.csv", "--files", "galaxy.jpg")
    assert result.exit_code == 1
    assert "{pgc}" in result.stderr
