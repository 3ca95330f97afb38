"""Simulated people label 200 galaxies through the HTTP API; labels, the vandal, and every figure in the exports."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from tests.support import labellers
from tests.support.zoo import MODERATOR, bearer, said
from training import __main__ as cli
from training.data import dataset
from zoo.database.models import LeaseRow, StandardRow, TargetRow
from zoo.measuring import records
from zoo.statistics import calibrate, labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.labellers import JudgedGalaxy, Labeller
    from tests.support.live import Live

GALAXIES, PEOPLE, SEED = 120, 14, 2026


class Eyes:
    """What people see of a galaxy that was given: who looks at pictures of the zoo's database knows its inclination."""

    def __init__(self, database: str, targets: list[JudgedGalaxy]) -> None:
        self.engine = create_engine(database)
        self._targets = {one.number: one for one in targets}

    def see(self, lease: str) -> JudgedGalaxy:
        with Session(self.engine) as session:
            row = session.scalars(select(LeaseRow).where(LeaseRow.code == lease)).one()
            if row.target_id is not None:
                return self._targets[number_of(session.get_one(TargetRow, row.target_id).name)]
            standard = session.get_one(StandardRow, row.standard_id)
            return labellers.JudgedGalaxy(10_000 + standard.id, standard.truth_deg, is_standard=True)


def number_of(name: str) -> int:
    return int("".join(c for c in name if c.isdigit()))


def tables(targets: list[JudgedGalaxy], folder: Path) -> list[bytes]:
    """Half of the galaxies by PGC number, half by pictures; networks are off by 5 deg and say so."""
    rng = np.random.default_rng(SEED)
    by_pgc, by_file = ["pgc,inclination_deg,stdev_deg"], ["file,inclination_deg,stdev_deg"]
    for one in targets:
        network = np.clip(one.inclination_deg + rng.normal(0, 5), 0, 90)
        if one.number % 2:
            by_pgc.append(f"{one.number},{network:.2f},5")
        else:
            (folder / f"g{one.number}.jpg").write_bytes(b"never looked at")
            by_file.append(f"g{one.number}.jpg,{network:.2f},5")
    return ["\n".join(rows).encode() for rows in (by_pgc, by_file)]


def work(client: httpx.Client, header: dict[str, str], person: Labeller, eyes: Eyes, turn: int) -> int:
    """Judge some galaxies; return how many there were."""
    judged = 0
    while judged < 20:
        given = client.post("/api/projects/p/next?count=10", headers=header).raise_for_status().json()
        if not given:
            break
        entries = []
        for one in given:
            inclination, flag = person.judge(eyes.see(one["lease"]), time=turn + judged)
            flags = [] if flag == 0 else [flag.name.lower()]
            entries.append(said(one["lease"], None if flags else inclination, *flags))
        taken = client.post("/api/answers", headers=header, json={"said": entries}).raise_for_status().json()
        assert {one["status"] for one in taken} == {"taken"}
        judged += len(given)
    return judged


def exported(client: httpx.Client, table: str, **more: str) -> str:
    asked = {"table": table, **more}
    return client.get("/api/projects/p/export", params=asked, headers=bearer(MODERATOR)).raise_for_status().text


@pytest.mark.slow
def test_labels_by_simulated_people_are_nearly_the_best_possible_and_come_back_from_the_export(
    live: Callable[..., Live], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # how fast this machine is must not decide what people are given: labels are made anew when nothing is left
    monkeypatch.setattr(records, "STALE_S", math.inf)
    crowd = labellers.crowd(PEOPLE, SEED)
    targets = labellers.targets(GALAXIES, SEED)
    with (
        live(seed=SEED, pictures=tmp_path, practice=2) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        boss = bearer(MODERATOR)
        client.post("/api/projects", headers=boss, json={"slug": "p", "title": "P"}).raise_for_status()
        for content in tables(targets, tmp_path):
            answer = client.post("/api/projects/p/targets", headers=boss, content=content).raise_for_status()
            assert answer.json()["left_out"] == 0, answer.text
        eyes = Eyes(f"sqlite:///{tmp_path}/zoo.sqlite", targets)
        headers = [bearer(client.post("/api/people").json()["token"]) for _ in crowd]
        turn = 0
        while sum([work(client, header, one, eyes, turn) for header, one in zip(headers, crowd, strict=True)]):
            turn += 20
        with Session(eyes.engine) as session:
            project = session.scalars(select(TargetRow.project_id)).first()
            assert project is not None
            judged = records.measurements(session, project)
            numbers = {row.id: number_of(row.name) for row in session.scalars(select(TargetRow))}
        eyes.engine.dispose()
        agreement = client.get("/api/projects/p/agreement", headers=headers[0]).raise_for_status().json()
        documents = {
            (table, kind): exported(client, table, format=kind)
            for table in ("labels", "measurements")
            for kind in ("csv", "votable")
        }

    calibration = calibrate(judged)
    people = dict(zip(calibration.person.tolist(), crowd, strict=True))
    found = {numbers[label.galaxy]: label for label in labels(judged, calibration)}
    assert [people[n].carelessness for n in calibration.person[calibration.quarantined].tolist()] == [1.0]

    counted = judged.where(calibration.counted(judged))
    known = [labellers.Labeller(n, p.bias_deg, p.slope, p.scatter, p.carelessness) for n, p in people.items()]
    best = {
        numbers[int(galaxy)]: estimate
        for galaxy, estimate in zip(*labellers.best_possible_deg(known, counted), strict=True)
    }
    truth = {one.number: one for one in targets}
    ours = {
        n: label.inclination_deg
        for n, label in found.items()
        if truth[n].kind == 0 and np.isfinite(label.inclination_deg)
    }
    rms = [np.sqrt(np.mean([(value[n] - truth[n].inclination_deg) ** 2 for n in ours])) for value in (ours, best)]
    kinds = [(label.reject != "") == (truth[n].kind != 0) for n, label in found.items()]
    assert np.mean(kinds) > 0.95
    # 1.03 for this seed, 1.08 for another; of many more galaxies tests/unit/zoo/statistics holds it to 1.07
    assert rms[0] / rms[1] < 1.10
    assert len(found) == GALAXIES
    # what is told of the noise without any truth: of labels by three, which are the noisiest
    assert rms[0] < agreement["label_noise_deg"] * 1.2 < 4

    for (table, kind), document in documents.items():
        source, out = tmp_path / f"{table}.{kind}", tmp_path / "labels.csv"
        source.write_text(document, encoding="utf-8")
        result = CliRunner().invoke(
            cli.app, ["labels", "--table", str(source), "--out", str(out), "--files", "{galaxy}.x"]
        )
        assert result.exit_code == 0, result.output
        read = {number_of(row.path.stem): row for row in dataset.read_table(out)}
        with_label = {n: label for n, label in found.items() if label.reject or np.isfinite(label.inclination_deg)}
        assert read.keys() == with_label.keys()
        for n, row in read.items():
            given = with_label[n].inclination_deg if table == "labels" else with_label[n].median_deg
            assert row.inclination_deg == pytest.approx(given, abs=0.006, nan_ok=True)
            assert row.reject == with_label[n].reject
    rows = list(csv.DictReader(io.StringIO(documents["measurements", "csv"])))
    assert len(rows) == np.count_nonzero(~counted.is_standard)
