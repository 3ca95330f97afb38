from __future__ import annotations

import re

import pytest

from gateway.core.models_config import CONTAINER_BASE_PATH
from gateway.settings import Settings
from serving.flags import parse
from tests.support.deployment import ROOT, instructions, load, pod, serving_flags, value

GATEWAY, SERVING, BATCH = "gateway/Dockerfile", "serving/Dockerfile", "batch/Dockerfile"
DEFAULTS = Settings()


@pytest.mark.parametrize("dockerfile", [GATEWAY, SERVING])
def test_images_start_from_a_named_tag_and_end_as_a_numeric_user(dockerfile: str) -> None:
    bases = [rest.split()[0] for name, rest in instructions(dockerfile) if name == "FROM"]
    assert all(re.fullmatch(r"docker\.io/[\w/]+:\d[\w.-]+(\$\{VARIANT\})?", base) for base in bases)
    assert value(dockerfile, "USER") == "10001:10001"
    assert "org.opencontainers.image.licenses" in value(dockerfile, "LABEL")


def test_tensorflow_serving_is_of_the_minor_of_our_tensorflow() -> None:
    (locked,) = re.findall(r"^tensorflow-cpu==(\d+\.\d+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    (base,) = (rest for name, rest in instructions(SERVING) if name == "FROM")
    assert base.startswith(f"docker.io/tensorflow/serving:{locked}.")


def test_the_gateways_lock_has_hashes_and_neither_tensorflow_nor_an_index() -> None:
    lock = (ROOT / "requirements-gateway.lock").read_text()
    names = re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE)
    assert {"fastapi", "grpcio", "tensorflow-serving-api"} <= set(names)
    assert not {"tensorflow", "tensorflow-cpu", "keras", "tensorboard"} & set(names)
    assert len(re.findall(r"^[a-z0-9-]+==[^\n]*\\\n    --hash=sha256:", lock, re.MULTILINE)) == len(names)
    assert "index-url" not in lock
    assert "://" not in lock


@pytest.mark.parametrize("lock", ["batch", "hats"])
def test_what_both_locks_hold_they_hold_in_one_version(lock: str) -> None:
    whole, gateways = (
        set(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", f"requirements-{lock}.lock")
    )
    names = {name for name, _ in whole}
    shared = {(name, version) for name, version in gateways if name in names}
    assert len(shared) > 30
    assert shared <= whole


def test_what_the_dockerfiles_copy_passes_the_dockerignore() -> None:
    kept = [line[1:].rstrip("/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for dockerfile in (GATEWAY, SERVING, BATCH):
        copies = [rest.split()[:-1] for name, rest in instructions(dockerfile) if name == "COPY"]
        for source in (source for sources in copies if "--from" not in sources[0] for source in sources):
            folder, _, name = source.rstrip("/").partition("/")
            by_pattern = name.endswith(".config") and f"{folder}/*.config" in kept
            assert by_pattern or folder in kept, source


def test_the_serving_image_uses_only_flags_that_the_model_server_knows() -> None:
    options, unknown = parse(serving_flags())
    assert unknown == []
    assert "--enable_batching=true" in serving_flags()
    assert options.enable_grpc_healthcheck_service
    copied = " ".join(rest for name, rest in instructions(SERVING) if name == "COPY").split()
    named = [flag.partition("=/config/")[2] for flag in serving_flags() if "=/config/" in flag]
    assert len(named) == 3
    assert set(named) <= {source.removeprefix("serving/") for source in copied}
    assert f"{CONTAINER_BASE_PATH}/" in copied


def test_as_many_networks_run_side_by_side_as_every_deployment_gives_processors() -> None:
    options, _ = parse(serving_flags())
    assert options.tensorflow_intra_op_parallelism == 1
    compose = load("docker-compose.yml")["services"]["serving"]["deploy"]["resources"]["limits"]
    (container,) = pod("inclinet-serving")["containers"]
    assert options.tensorflow_inter_op_parallelism == float(compose["cpus"])
    assert options.tensorflow_inter_op_parallelism == float(container["resources"]["limits"]["cpu"])


def test_a_gateways_batch_fits_what_the_server_takes_at_once() -> None:
    text = (ROOT / "serving" / "batching.config").read_text()
    (largest,) = re.findall(r"^max_batch_size \{ value: (\d+) \}", text, re.MULTILINE)
    assert int(largest) >= DEFAULTS.max_batch
