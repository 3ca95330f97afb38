"""Which models and versions the text files ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format

from serving.errors import StatusError
from serving.protos import model_server_config_pb2
from serving.versions import config


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "a.config"
    path.write_text(text, encoding="utf-8")
    return str(path)


def model(base: Path, fields: str = "") -> Any:
    entry = model_server_config_pb2.ModelConfig(name="m", base_path=str(base), model_platform="tensorflow")
    return text_format.Parse(fields, entry)


def checked(tmp_path: Path, text: str) -> dict[str, Any]:
    parsed = config.parsed_file(written(tmp_path, text), model_server_config_pb2.ModelServerConfig())
    return config.checked_models(parsed, {})


def test_a_model_needs_a_platform_that_exists(tmp_path: Path) -> None:
    text = 'model_config_list { config { name: "m" base_path: "/m" } }'
    with pytest.raises(StatusError) as caught:
        checked(tmp_path, text)
    assert caught.value.message == (
        "Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform, "
        "model name is m"
    )
    with pytest.raises(StatusError, match="Model m requests unsupported platform caffe"):
        checked(tmp_path, text.replace("/m", '/m" model_platform: "caffe'))


def test_a_config_that_does_not_parse_says_where(tmp_path: Path) -> None:
    with pytest.raises(StatusError, match=r"^INVALID_ARGUMENT: Invalid protobuf file: '.*a\.config': 1:") as caught:
        checked(tmp_path, "model_config_list { config { nom: 'm' } }")
    assert "nom" in caught.value.message


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(StatusError, match=r"^NOT_FOUND: /nowhere; No such file"):
        config.parsed_file("/nowhere", model_server_config_pb2.ModelServerConfig())


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for name in ("1", "00000123", "v1", "1.0", "2_tmp", ".4", "-1", "+7", "99999999999999999999"):
        (tmp_path / name).mkdir()
    (tmp_path / "3").write_text("a file is a version, and fails to load", encoding="utf-8")
    return tmp_path


def test_versions_are_the_names_that_are_int64(base: Path) -> None:
    found = config.wanted_versions(model(base, "model_version_policy { all {} }"))
    assert {number: Path(path).name for number, path in found.items()} == {
        1: "1",
        123: "00000123",
        -1: "-1",
        7: "+7",
        3: "3",
    }


@pytest.mark.parametrize(
    ("policy", "numbers"),
    [
        ("", {123}),
        ("latest {}", {123}),
        ("latest { num_versions: 2 }", {123, 7}),
        ("specific { versions: 1 versions: 42 }", {1}),
        ("specific {}", set()),
    ],
)
def test_the_policy_chooses_among_them(base: Path, policy: str, numbers: set[int]) -> None:
    fields = f"model_version_policy {{ {policy} }}" if policy else ""
    assert set(config.wanted_versions(model(base, fields))) == numbers


def test_the_plain_spelling_of_a_number_wins(tmp_path: Path) -> None:
    for name in ("001", "1", "01"):
        (tmp_path / name).mkdir()
    assert config.wanted_versions(model(tmp_path)) == {1: str(tmp_path / "1")}
