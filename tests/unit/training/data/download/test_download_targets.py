"""Which galaxies and which exposures of them are downloaded."""

from __future__ import annotations

from training.data.download import archive, run
from training.data.label_tables import CatalogueFacts


def test_more_observations_of_the_same_sky_go_deeper_up_to_a_limit() -> None:
    exposures = [
        archive.Exposure(run_number, 301, 1, field, 150.0, 20.0) for field in (1, 2) for run_number in range(10, 16)
    ]
    kept = archive.chosen(exposures, runs=3)
    assert {one.run for one in kept} == {10, 11, 12}
    assert len(kept) == 6


def test_galaxies_without_a_position_or_a_size_are_counted() -> None:
    facts = {
        1: CatalogueFacts(10.0, 5.0, d25_arcmin=1.0),
        2: CatalogueFacts(10.0, 5.0),
        3: CatalogueFacts(d25_arcmin=1.0),
        4: CatalogueFacts(-5.0, 5.0, 1.0),
    }
    targets, others = run.galaxies(facts)
    assert [(target.pgc, target.ra_deg) for target in targets] == [(1, 10.0), (4, 355.0)]
    assert others == 2
    assert targets[0].position_angle_deg is None
