from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data import dataset

SHARED = Path("../shared/galaxies")


def test_a_tenth_of_all_galaxies_is_set_aside_for_testing_and_a_tenth_for_validation() -> None:
    parts = [dataset.split_of(pgc) for pgc in range(20_000)]
    assert parts.count("test") / 20_000 == pytest.approx(0.10, abs=0.01)
    assert parts.count("validation") / 20_000 == pytest.approx(0.10, abs=0.01)


def test_a_galaxy_never_changes_its_part() -> None:
    assert [dataset.split_of(pgc) for pgc in (2, 4, 44182)] == ["test", "validation", "train"]


def test_no_galaxy_of_one_part_is_in_another_nor_an_excluded_one_in_any() -> None:
    galaxies = [dataset.RealGalaxy(pgc, Path(), 60.0, "") for pgc in range(500)]
    parts = [
        {g.pgc for g in dataset.select(galaxies, part, exclude={7, 8})} for part in ("train", "validation", "test")
    ]
    assert sum(len(part) for part in parts) == 498
    assert set.union(*parts) == set(range(500)) - {7, 8}


def test_the_first_bag_holds_all_and_the_others_two_thirds() -> None:
    assert dataset.bag(100, number=0, seed=1).tolist() == list(range(100))
    first, again, second = (dataset.bag(100, number=n, seed=1) for n in (1, 1, 2))
    assert len(set(first.tolist())) == 67
    assert first.tolist() == again.tolist() != second.tolist()


def test_every_inclination_comes_equally_often_whatever_the_sample() -> None:
    labels = np.array([47.0] * 100 + [62.0] * 50 + [88.0] * 350, np.float32)
    rates = dataset.uniform_rates(labels, (45.0, 90.0))
    assert [rates[labels == i].sum() for i in (47, 62, 88)] == pytest.approx([1 / 3] * 3)


def test_a_lonely_galaxy_is_not_learned_by_heart() -> None:
    labels = np.array([47.0] + [62.0] * 499, np.float32)
    assert dataset.uniform_rates(labels, (45.0, 90.0))[0] < 0.02


def test_a_table_needs_only_a_file_and_an_inclination(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), (9, 9, 9)).save(tmp_path / "a.png")
    table = tmp_path / "labels.csv"
    table.write_text("file,inclination\na.png,61\nb.png,\n")
    measured, unmeasured = dataset.read_table(table)
    assert (measured.inclination_deg, measured.measured, unmeasured.measured) == (61.0, True, False)
    assert measured.path == tmp_path / "a.png"


def test_a_rejected_galaxy_does_not_count_as_measured(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("pgc,file,inclination,reject,ttype\n4,a.png,50,face_on,3\n")
    (galaxy,) = dataset.read_table(table)
    assert not galaxy.measured
    assert galaxy.stage == 3


@pytest.mark.skipif(not SHARED.exists(), reason="the shared galaxies are not here")
def test_the_shared_table_has_the_human_measured_galaxies() -> None:
    galaxies = dataset.read_table(SHARED / "efigi.csv")
    assert sum(g.measured for g in galaxies) == 1199
    assert dataset.images(galaxies[:2]).shape == (2, 128, 128, 3)
