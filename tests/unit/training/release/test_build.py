from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from gateway.core.manifest import (
    FACE_ON,
    INCLINATION,
    INPUT,
    INPUT_SHAPE,
    REJECTION,
    SIGNATURE,
    UNSUITABLE,
    Rejector,
    read_manifest,
)
from tests.support.networks import TINY, noise_pictures
from training.data import dataset, human_scale
from training.evaluation import evaluate
from training.networks import architectures, train
from training.release import build, earlier, export

if TYPE_CHECKING:
    from gateway.core.manifest import Manifest
    from training.data.training_data import ReleasePaths

pytestmark = pytest.mark.slow

SHARED = Path("../shared/galaxies")
COMMITTED = Path("model_repo")

needs_release = pytest.mark.skipif(
    not (COMMITTED / "manifest.json").exists(), reason="no model release is in model_repo/"
)


def test_without_real_galaxies_a_release_is_made_of_simulated_ones(
    tiny_release: tuple[Manifest, ReleasePaths],
) -> None:
    manifest, paths = tiny_release
    assert [m.name for m in manifest.models] == ["tiny1_m0", "tiny1_m1", "tiny1_reject"]
    assert manifest.training_sample["test_kind"] == "simulated"
    assert 5 < manifest.metrics["rms_deg"] < 45
    assert 'base_path: "/models/tiny1_m1"' in paths.models_config.read_text()
    assert not list(paths.model_repo.rglob("writing-*"))


def test_every_version_answers_the_contract_for_any_batch(tiny_release: tuple[Manifest, ReleasePaths]) -> None:
    for model in tiny_release[0].models:
        holds_contract(tiny_release[1].model_repo / model.name / "3", rejector=isinstance(model, Rejector))


def holds_contract(version: Path, *, rejector: bool) -> None:
    signature = export.load(version)
    (_, inputs) = signature.structured_input_signature
    assert list(inputs) == [INPUT]
    assert inputs[INPUT].dtype == tf.uint8
    assert inputs[INPUT].shape.as_list() == [None, *INPUT_SHAPE]
    assert set(signature.structured_outputs) == ({REJECTION, FACE_ON, UNSUITABLE} if rejector else {INCLINATION})
    low, high = (0.0, 1.0) if rejector else human_scale.LABEL_RANGE_DEG
    for count in (1, 3):
        answers = signature(**{INPUT: tf.constant(noise_pictures(count))})
        for said in answers.values():
            assert said.dtype == tf.float32
            assert said.shape == (count,)
            assert float(tf.reduce_min(said)) >= low
            assert float(tf.reduce_max(said)) <= high
        if rejector:
            parts = answers[FACE_ON] + answers[UNSUITABLE]
            assert np.asarray(parts) == pytest.approx(np.asarray(answers[REJECTION]), abs=1e-5)
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
    monkeypatch.setattr(export, "answers", lambda _signature, images: {INCLINATION: np.full(len(images), np.nan)})
    with pytest.raises(export.ExportError, match="differs"):
        export.export(network, "inclination", tmp_path / "m" / "1", noise_pictures(2), label_range_deg=(45.0, 90.0))
    assert list((tmp_path / "m").iterdir()) == []


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


@pytest.mark.parametrize("name", ["tiny1_m1", "tiny1_reject"])
def test_a_network_goes_on_from_that_of_its_name_in_an_earlier_release(
    tiny_release: tuple[Manifest, ReleasePaths], name: str
) -> None:
    repo = tiny_release[1].model_repo
    purpose: architectures.Purpose = "rejection" if name.endswith("reject") else "inclination"
    network = earlier.start(TINY, name, purpose, repo, seed=5)
    said = train.predict(network, noise_pictures(4))
    served = export.answers(export.load(repo / name / "3"), noise_pictures(4))
    if purpose == "rejection":
        assert said[:, 1] == pytest.approx(served[FACE_ON], abs=1e-4)
    else:
        assert architectures.from_scale(said[:, 0], human_scale.LABEL_RANGE_DEG) == pytest.approx(
            served[INCLINATION], abs=0.01
        )


def test_a_network_that_an_earlier_release_does_not_have_starts_elsewhere(
    tiny_release: tuple[Manifest, ReleasePaths],
) -> None:
    repo = tiny_release[1].model_repo
    assert earlier.start(TINY, "tiny1_m7", "inclination", repo, seed=5) is None
    deeper = dataclasses.replace(TINY, stages=((2, 2), (2,), (2,), (2,)))
    assert earlier.start(deeper, "tiny1_m0", "inclination", repo, seed=5) is None


def test_no_partial_version_survives_a_new_export(tmp_path: Path) -> None:
    network = architectures.build(TINY, "rejection", seed=1)
    version = tmp_path / "m" / "1"
    left_over = tmp_path / "m" / "writing-1"
    left_over.mkdir(parents=True)
    export.export(network, "rejection", version, noise_pictures(2), label_range_deg=(45.0, 90.0))
    export.export(network, "rejection", version, noise_pictures(2), label_range_deg=(45.0, 90.0))
    assert [p.name for p in (tmp_path / "m").iterdir()] == ["1"]
