from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2
from typer.testing import CliRunner

from gateway.core.manifest import (
    INCLINATION,
    INPUT,
    INPUT_SHAPE,
    REJECTION,
    SIGNATURE,
    Manifest,
    Rejector,
    read_manifest,
)
from tests.support.networks import TINY, noise_pictures
from training import __main__ as cli
from training.data import dataset, human_scale, training_data
from training.evaluation import evaluate
from training.networks import architectures
from training.release import build, export, recipe
from training.simulation import sample, scene

if TYPE_CHECKING:
    from collections.abc import Iterator


SHARED = Path("../shared/galaxies")
COMMITTED = Path("model_repo")
HOW = recipe.Recipe(
    seed=7,
    architectures=("tiny1",),
    bags=2,
    simulated=60,
    pretraining_steps=4,
    finetuning_steps=4,
    rejector_steps=4,
    pretraining_batch=8,
    batch=8,
)

needs_release = pytest.mark.skipif(
    not (COMMITTED / "manifest.json").exists(), reason="no model release is in model_repo/"
)


@pytest.fixture(autouse=True, scope="module")
def tiny_architecture() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(architectures.ARCHITECTURES, "tiny1", TINY)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, training_data.Places]:
    return make(tmp_path_factory.mktemp("release"))


def make(folder: Path, *, resume: bool = False) -> tuple[Manifest, training_data.Places]:
    places = training_data.Places(
        tables=(),
        set_aside=(),
        runs=folder / "runs",
        model_repo=folder / "model_repo",
        models_config=folder / "models.config",
    )
    manifest = build.release(
        HOW, places, name="t", version=3, resume=resume, workers=1, say=lambda _what, _metrics: None
    )
    return manifest, places


def test_without_real_galaxies_a_release_is_made_of_simulated_ones(
    made: tuple[Manifest, training_data.Places],
) -> None:
    manifest, places = made
    assert [m.name for m in manifest.models] == ["tiny1_m0", "tiny1_m1", "tiny1_reject"]
    assert manifest == read_manifest(places.model_repo / "manifest.json")
    assert manifest.training_sample["test_kind"] == "simulated"
    assert 5 < manifest.metrics["rms_deg"] < 45
    assert 'base_path: "/models/tiny1_m1"' in places.models_config.read_text()
    assert not list(places.model_repo.rglob("writing-*"))


def test_every_version_answers_the_contract_for_any_batch(made: tuple[Manifest, training_data.Places]) -> None:
    for model in made[0].models:
        holds_contract(made[1].model_repo / model.name / "3", rejector=isinstance(model, Rejector))


def holds_contract(version: Path, *, rejector: bool) -> None:
    signature = export.load(version)
    (_, inputs) = signature.structured_input_signature
    assert list(inputs) == [INPUT]
    assert inputs[INPUT].dtype == tf.uint8
    assert inputs[INPUT].shape.as_list() == [None, *INPUT_SHAPE]
    assert list(signature.structured_outputs) == [REJECTION if rejector else INCLINATION]
    low, high = (0.0, 1.0) if rejector else human_scale.LABEL_RANGE_DEG
    for count in (1, 3):
        said = next(iter(signature(**{INPUT: tf.constant(noise_pictures(count))}).values()))
        assert said.dtype == tf.float32
        assert said.shape == (count,)
        assert float(tf.reduce_min(said)) >= low
        assert float(tf.reduce_max(said)) <= high
    records = list(tf.data.TFRecordDataset(str(version / export.WARMUP)).as_numpy_iterator())
    logs = [prediction_log_pb2.PredictionLog.FromString(record) for record in records]
    requests = [log.predict_log.request for log in logs]
    assert [tf.make_ndarray(r.inputs[INPUT]).shape for r in requests] == [
        (count, *INPUT_SHAPE) for count in export.WARMUP_BATCHES
    ]
    assert {r.model_spec.signature_name for r in requests} == {SIGNATURE}


def test_a_network_that_says_something_else_once_reloaded_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = architectures.build(TINY, "inclination", seed=1)
    monkeypatch.setattr(export, "answer", lambda _signature, images: np.full(len(images), np.nan))
    with pytest.raises(export.ExportError, match="differs"):
        export.export(network, "inclination", tmp_path / "m" / "1", noise_pictures(2), label_range_deg=(45.0, 90.0))
    assert list((tmp_path / "m").iterdir()) == []


@pytest.mark.parametrize("name", recipe.Recipe().architectures)
def test_an_architecture_is_named_after_its_convolutions_and_stays_within_its_budget(name: str) -> None:
    architecture = architectures.ARCHITECTURES[name]
    network = architectures.build(architecture, "inclination", seed=1)
    assert name == architecture.name == f"vgg{sum(map(len, architecture.stages))}"
    # 40 ms a galaxy on two cores for five networks of each, of which 1,000 million take 10 ms; 80 MB for all of them
    # as the model card counts them
    assert architectures.multiply_adds(network) < 230e6
    assert network.count_params() < 1_700_000


def test_a_release_has_three_architectures_and_the_simplest_is_as_large_as_the_original_s() -> None:
    assert len(recipe.Recipe().architectures) == 3
    simplest = architectures.build(architectures.ARCHITECTURES["vgg4"], "inclination", seed=1)
    assert simplest.count_params() == pytest.approx(1.6e6, rel=0.03)


def test_the_scale_of_the_output_spans_the_label_range() -> None:
    labels = np.array([30.0, 45.0, 67.5, 90.0])
    scaled = architectures.to_scale(labels, (45.0, 90.0))
    assert scaled.tolist() == [-1, -1, 0, 1]
    assert architectures.from_scale(scaled, (45.0, 90.0)).tolist() == [45, 45, 67.5, 90]


def test_the_human_scale_is_learned_from_how_people_read_what_the_network_read() -> None:
    read = np.linspace(46, 89, 50)
    scale = human_scale.fit_human_scale(read + 0.1 * (read - 45), read)
    assert scale(np.array([55.0, 75.0], np.float32)).tolist() == pytest.approx([56, 78], abs=0.01)
    assert scale(np.array([90.0, 30.0], np.float32)).tolist() == pytest.approx([90, 45], abs=0.01)


def test_only_unmeasured_galaxies_are_taken_for_rejects_by_their_catalogue_values() -> None:
    elliptical = dataset.RealGalaxy(1, Path(), float("nan"), "", stage=-3)
    face_on = dataclasses.replace(elliptical, stage=4, axis_ratio_deg=20)
    spiral = dataclasses.replace(elliptical, stage=4, axis_ratio_deg=60)
    measured = dataclasses.replace(elliptical, inclination_deg=55)
    dwarf = dataclasses.replace(spiral, stage=11)
    unknown = dataset.RealGalaxy(1, Path(), float("nan"), "")
    said = [training_data.weak_reject(g) for g in (elliptical, face_on, dwarf, spiral, measured, unknown)]
    assert said == [True, True, True, False, False, False]


def some_of_everything() -> training_data.Material:
    """Twelve measured galaxies, three rejected by people, two by catalogues, and simulated ones of both kinds."""
    measured = [dataset.RealGalaxy(n, Path(), 50.0 + 3 * n, "", stage=4) for n in range(12)]
    judged = [dataset.RealGalaxy(20 + n, Path(), float("nan"), "unsuitable", stage=4) for n in range(3)]
    listed = [dataset.RealGalaxy(30 + n, Path(), float("nan"), "", stage=-3) for n in range(2)]
    real = [*measured, *judged, *listed]
    truth: tuple[scene.Truth, ...] = tuple({"reject": "face_on" if n % 3 == 0 else ""} for n in range(6))
    simulated = sample.Sample(noise_pictures(6), truth)
    return training_data.Material(simulated, real, noise_pictures(len(real)))


def test_a_rejector_sees_as_many_kept_as_rejected_pictures_and_most_of_people_s_own() -> None:
    pools = recipe.rejector_pools(some_of_everything(), batch=24, seed=1)
    shares = [(int(pool.targets[0, 1]), len(pool.targets), pool.share) for pool in pools]
    assert sorted(shares) == [(0, 4, 2), (0, 12, 10), (1, 2, 2), (1, 2, 2), (1, 3, 6), (1, 2000, 2)]


def test_galaxies_made_of_two_come_from_their_bag_alone() -> None:
    # so far apart in inclination that each can be laid over itself only
    real = [dataset.RealGalaxy(n, Path(), 46.0 + 5 * n, "") for n in range(9)]
    given = training_data.Material(some_of_everything().simulated, real, noise_pictures(9))
    pool = recipe.blended_pool(given, 5, count=60, bag=1, seed=1)
    members = dataset.bag(9, number=1, seed=1)
    labels = architectures.from_scale(pool.targets[:, 0], human_scale.LABEL_RANGE_DEG)
    assert {round(float(label)) for label in labels} == {46 + 5 * int(n) for n in members}
    assert len(members) < 9
    assert pool.images.shape == (60, 128, 128, 3)


def test_without_real_galaxies_a_rejector_learns_from_simulated_ones() -> None:
    everything = some_of_everything()
    nothing_real = training_data.Material(everything.simulated, [], np.empty((0, 128, 128, 3), np.uint8))
    pools = recipe.rejector_pools(nothing_real, batch=24, seed=1)
    assert [(int(pool.targets[0, 1]), len(pool.targets), pool.share) for pool in pools] == [(0, 4, 12), (1, 2, 12)]


def test_every_bag_meets_its_galaxies_equally_often() -> None:
    how = recipe.Recipe(finetuning_steps=1000)
    assert [recipe.flavor_steps(how, bag) for bag in (0, 1, 3)] == [1000, 670, 670]


def test_the_report_measures_what_the_labels_allow() -> None:
    galaxies = [
        dataset.RealGalaxy(1, Path(), 60.0, "", axis_ratio_deg=66),
        dataset.RealGalaxy(2, Path(), 80.0, ""),
        dataset.RealGalaxy(3, Path(), float("nan"), "face_on"),
    ]
    said = evaluate.Predictions(
        {"a1_m0": np.array([61.0, 80.0, 47.0]), "a1_m1": np.array([63.0, 80.0, 47.0])},
        {"a1_reject": np.array([0.1, 0.2, 0.9])},
    )
    report = evaluate.report(galaxies, said)
    assert report["ensemble"]["median"]["bias_deg"] == pytest.approx(1.0)
    assert report["flavors"]["a1_m0"]["rms_deg"] == pytest.approx(np.sqrt(0.5))
    assert report["axis_ratio"]["bias_deg"] == pytest.approx(6.0)
    assert report["rejectors"]["a1_reject"]["roc_area"] == 1


def test_the_command_line_simulates_and_measures(made: tuple[Manifest, training_data.Places], tmp_path: Path) -> None:
    runner = CliRunner()
    out = tmp_path / "sample"
    assert runner.invoke(cli.app, ["simulate", "--out", str(out), "--count", "2", "--seed", "9"]).exit_code == 0
    found = sample.load(out)
    tf.io.write_file(str(tmp_path / "a.png"), tf.io.encode_png(found.images[0]))
    (tmp_path / "labels.csv").write_text("file,inclination\na.png,61\n")
    arguments = ["--images", str(tmp_path), "--labels", str(tmp_path / "labels.csv"), "--out", str(tmp_path / "r")]
    result = runner.invoke(cli.app, ["evaluate", *arguments, "--model-repo", str(made[1].model_repo)])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    assert report["ensemble"]["median"]["galaxies"] == 1
    assert "ensemble, median" in result.output


@needs_release
def test_the_committed_models_config_is_what_the_manifest_generates(tmp_path: Path) -> None:
    build.write_models_config(COMMITTED / "manifest.json", tmp_path / "models.config")
    assert (tmp_path / "models.config").read_text() == Path("serving/models.config").read_text()


@needs_release
def test_every_committed_network_answers_the_contract() -> None:
    manifest = read_manifest(COMMITTED / "manifest.json")
    assert len(manifest.flavors) >= 4
    for model in manifest.models:
        holds_contract(COMMITTED / model.name / str(model.version), rejector=isinstance(model, Rejector))


@needs_release
@pytest.mark.skipif(not SHARED.exists(), reason="the shared galaxies are not here")
def test_the_committed_release_reads_real_galaxies_like_a_person() -> None:
    manifest = read_manifest(COMMITTED / "manifest.json")
    galaxies = [g for g in dataset.read_table(SHARED / "giz512.csv") if g.measured]
    said = evaluate.predict(manifest, COMMITTED, dataset.images(galaxies))
    median = dict(zip([g.pgc for g in galaxies], np.median(said.stacked, axis=0), strict=True))
    assert median[44182] == pytest.approx(61, abs=10)
    assert evaluate.report(galaxies, said)["ensemble"]["median"]["median_abs_deg"] < 4


def test_no_partial_version_survives_a_new_export(tmp_path: Path) -> None:
    network = architectures.build(TINY, "rejection", seed=1)
    version = tmp_path / "m" / "1"
    left_over = tmp_path / "m" / "writing-1"
    left_over.mkdir(parents=True)
    export.export(network, "rejection", version, noise_pictures(2), label_range_deg=(45.0, 90.0))
    export.export(network, "rejection", version, noise_pictures(2), label_range_deg=(45.0, 90.0))
    assert [p.name for p in (tmp_path / "m").iterdir()] == ["1"]
    shutil.rmtree(version)
