"""The models.config of a release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import text_format

from gateway.core.models_config import models_config
from serving.protos import model_server_config_pb2
from serving.repository import main
from serving.versions.config import checked_models
from tests.support.models import make_manifest

if TYPE_CHECKING:
    from pathlib import Path


def served(text: str) -> dict[str, Any]:
    return checked_models(text_format.Parse(text, model_server_config_pb2.ModelServerConfig()), {})


def specific(models: dict[str, Any]) -> dict[str, list[int]]:
    return {name: list(model.model_version_policy.specific.versions) for name, model in models.items()}


def test_a_release_becomes_a_config_that_the_server_reads() -> None:
    models = served(models_config(make_manifest(["tiny_m0", "tiny_m1"], ["tiny_reject"]), "/models"))
    assert {name: model.base_path for name, model in models.items()} == {
        "tiny_m0": "/models/tiny_m0",
        "tiny_m1": "/models/tiny_m1",
        "tiny_reject": "/models/tiny_reject",
    }
    assert specific(models) == {"tiny_m0": [1], "tiny_m1": [1], "tiny_reject": [1]}


def test_two_releases_are_served_beside_each_other_while_gateways_change_over() -> None:
    old = make_manifest(["tiny_m0", "tiny_m1"])
    new = make_manifest(["tiny_m1", "tiny_m2"])
    new = new.model_copy(update={"flavors": tuple(one.model_copy(update={"version": 2}) for one in new.flavors)})
    models = served(models_config(new, "/models", beside=[old]))
    assert specific(models) == {"tiny_m0": [1], "tiny_m1": [1, 2], "tiny_m2": [2]}


@pytest.mark.parametrize("base", ['/a "quoted" \\ path', "/größe/模型", "/trailing/"])
def test_any_absolute_path_survives_the_text_format(base: str) -> None:
    models = served(models_config(make_manifest(["tiny_m0"]), base))
    assert models["tiny_m0"].base_path == f"{base.rstrip('/')}/tiny_m0"


def test_a_relative_base_path_is_refused_before_the_server_refuses_it() -> None:
    with pytest.raises(ValueError, match="absolute"):
        models_config(make_manifest(["tiny_m0"]), "model_repo")


def test_the_config_is_printed_for_operators(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = make_manifest(["tiny_m0"])
    (tmp_path / "manifest.json").write_text(manifest.model_dump_json(by_alias=True), encoding="utf-8")
    main(["--manifest", str(tmp_path / "manifest.json"), "--base-path", "/somewhere"])
    assert capsys.readouterr().out == models_config(manifest, "/somewhere")
