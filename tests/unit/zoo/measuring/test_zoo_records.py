"""Snapshots by which galaxies are chosen: made anew beside the server, and at once where somebody decided something."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.support.waiting import wait_until
from zoo.database.engine import Database
from zoo.database.models import ProjectRow, TargetRow
from zoo.measuring import records
from zoo.measuring.records import Snapshots

if TYPE_CHECKING:
    from pathlib import Path


def add_target(database: Database, name: str) -> None:
    with database.write() as session:
        nothing = dict.fromkeys(
            ("pgc", "ra_deg", "dec_deg", "fov_arcmin", "position_angle_deg", "hubble_stage", "file", "network_deg")
        )
        session.add(TargetRow(project_id=1, name=name, network_spread_deg=None, closed="", **nothing))


@pytest.mark.slow
def test_an_old_snapshot_is_made_anew_in_another_process_while_it_is_still_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{tmp_path}/zoo.sqlite")
    with database.write() as session:
        session.add(ProjectRow(slug="p", title="P", survey=None, created_at=time.time()))
    snapshots = Snapshots(database)
    try:
        assert len(snapshots.recent(1).candidates.galaxy) == 0
        add_target(database, "a")
        assert len(snapshots.recent(1).candidates.galaxy) == 0
        monkeypatch.setattr(records, "STALE_S", 0.0)
        assert len(snapshots.recent(1).candidates.galaxy) == 0
        wait_until(lambda: len(snapshots.recent(1).candidates.galaxy) == 1, "a new snapshot", 120)
        add_target(database, "b")
        snapshots.expire()
        assert len(snapshots.recent(1).candidates.galaxy) == 2
    finally:
        snapshots.close()
        database.close()
