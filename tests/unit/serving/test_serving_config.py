"""The ModelServerConfig, its flags and its text files."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from serving import config, flags, standin, textprotos
from serving.repository import main, models_config
from serving.status import StatusError
from tests.support.models import make_manifest

ROOT = Path(__file__).parents[3]


def model(fields: str = "", *, path: str = "/m") -> config.ModelConfig:
    text = f'model_config_list {{ config {{ name: "m" base_path: "{path}" model_platform: "tensorflow" {fields} }} }}'
    return config.checked(config.parse(text), {})["m"]


def test_a_release_becomes_a_config_that_the_server_reads() -> None:
    manifest = make_manifest(["tiny_m0", "tiny_m1"], ["tiny_reject"])
    served = config.checked(config.parse(models_config(manifest, "/models")), {})
    assert {name: entry.base_path for name, entry in served.items()} == {
        "tiny_m0": "/models/tiny_m0",
        "tiny_m1": "/models/tiny_m1",
        "tiny_reject": "/models/tiny_reject",
    }
    assert all(entry.specific == (1,) for entry in served.values())


def test_two_releases_are_served_beside_each_other_while_gateways_change_over() -> None:
    old = make_manifest(["tiny_m0", "tiny_m1"])
    new = make_manifest(["tiny_m1", "tiny_m2"])
    new = new.model_copy(update={"flavors": tuple(one.model_copy(update={"version": 2}) for one in new.flavors)})
    served = config.checked(config.parse(models_config(new, "/models", beside=[old])), {})
    assert {name: entry.specific for name, entry in served.items()} == {
        "tiny_m0": (1,),
        "tiny_m1": (1, 2),
        "tiny_m2": (2,),
    }


@pytest.mark.parametrize("base", ['/a "quoted" \\ path', "/größe/模型", "/trailing/"])
def test_any_absolute_path_survives_the_text_format(base: str) -> None:
    served = config.checked(config.parse(models_config(make_manifest(["tiny_m0"]), base)), {})
    assert served["tiny_m0"].base_path == f"{base.rstrip('/')}/tiny_m0"


def test_a_relative_base_path_is_refused_before_the_server_refuses_it() -> None:
    with pytest.raises(ValueError, match="absolute"):
        models_config(make_manifest(["tiny_m0"]), "model_repo")


def test_the_config_is_printed_for_launchers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = make_manifest(["tiny_m0"])
    (tmp_path / "manifest.json").write_text(manifest.model_dump_json(by_alias=True), encoding="utf-8")
    main(["--manifest", str(tmp_path / "manifest.json"), "--base-path", "/somewhere"])
    assert capsys.readouterr().out == models_config(manifest, "/somewhere")


def test_policies_are_read() -> None:
    assert (model().latest, model().specific) == (1, None)
    assert model("model_version_policy { latest { num_versions: 3 } }").latest == 3
    assert model("model_version_policy { latest {} }").latest == 1
    everything = model("model_version_policy { all {} }")
    assert (everything.latest, everything.specific) == (None, None)
    assert model("model_version_policy { specific { versions: 42 versions: 43 } }").specific == (42, 43)
    assert model("model_version_policy { specific {} }").specific == ()


def test_the_deprecated_model_type_stands_for_the_platform() -> None:
    text = 'model_config_list { config { name: "m" base_path: "/m" model_type: TENSORFLOW } }'
    assert config.checked(config.parse(text), {})["m"].platform == "tensorflow"


def test_a_model_needs_a_platform_that_exists() -> None:
    text = 'model_config_list { config { name: "m" base_path: "/m" } }'
    with pytest.raises(StatusError) as caught:
        config.checked(config.parse(text), {})
    assert caught.value.message == (
        "Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform, "
        "model name is m"
    )
    with pytest.raises(StatusError, match="Model m requests unsupported platform caffe"):
        config.checked(config.parse(text.replace("/m", '/m" model_platform: "caffe')), {})


def test_a_config_that_does_not_parse_says_where() -> None:
    with pytest.raises(StatusError) as caught:
        config.parse("model_config_list { config { nom: 'm' } }")
    assert caught.value.message.startswith("Error parsing text-format tensorflow.serving.ModelServerConfig: 1:")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for name in ("1", "00000123", "v1", "1.0", "2_tmp", ".4", "-1", "+7", "99999999999999999999"):
        (tmp_path / name).mkdir()
    (tmp_path / "3").write_text("a file is a version, and fails to load", encoding="utf-8")
    return tmp_path


def test_versions_are_the_names_that_are_int64(base: Path) -> None:
    found = config.wanted_versions(model("model_version_policy { all {} }", path=str(base)))
    assert {number: Path(path).name for number, path in found.items()} == {
        1: "1",
        123: "00000123",
        -1: "-1",
        7: "+7",
        3: "3",
    }


def test_the_policy_chooses_among_them(base: Path) -> None:
    assert list(config.wanted_versions(model(path=str(base)))) == [123]
    latest = model("model_version_policy { latest { num_versions: 2 } }", path=str(base))
    assert set(config.wanted_versions(latest)) == {123, 7}
    specific = model("model_version_policy { specific { versions: 1 versions: 42 } }", path=str(base))
    assert set(config.wanted_versions(specific)) == {1}


def test_the_plain_spelling_of_a_number_wins(tmp_path: Path) -> None:
    for name in ("001", "1", "01"):
        (tmp_path / name).mkdir()
    assert config.wanted_versions(model(path=str(tmp_path))) == {1: str(tmp_path / "1")}


def test_flags_are_read_as_the_server_reads_them() -> None:
    options, unknown = flags.parse(
        ["--port=9000", "--enable_batching", "--enable_model_warmup=false", "--model_base_path=/a=b", "--nope", "x"]
    )
    assert (options.port, options.enable_batching, options.enable_model_warmup) == (9000, True, False)
    assert options.model_base_path == "/a=b"
    assert unknown == ["--nope", "x"]
    assert options.file_system_poll_wait_seconds == 1


@pytest.mark.parametrize("argument", ["--port=many", "--enable_batching=perhaps", "--rest_api_port="])
def test_a_value_that_can_not_be_read_is_an_error(argument: str) -> None:
    with pytest.raises(flags.BadFlagError):
        flags.parse([argument])


def test_a_name_and_its_value_as_two_arguments_are_unknown() -> None:
    options, unknown = flags.parse(["--port", "9000"])
    assert (options.port, unknown) == (8500, ["--port", "9000"])


def test_every_flag_is_explained() -> None:
    text = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    for field in dataclasses.fields(flags.Options):
        assert f"`--{field.name}`" in text
        assert f"--{field.name}=" in flags.usage()


CONTRADICTIONS = {
    "no port": ["--port=0", "--model_base_path=/m"],
    "no model": [],
    "parameters of what is off": ["--model_base_path=/m", "--batching_parameters_file=/b"],
    "parallelism three times": [
        "--model_base_path=/m",
        "--tensorflow_session_parallelism=1",
        "--tensorflow_intra_op_parallelism=1",
        "--tensorflow_inter_op_parallelism=1",
    ],
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_options_that_contradict_each_other_are_refused(case: str) -> None:
    options, _ = flags.parse(CONTRADICTIONS[case])
    with pytest.raises(StatusError, match=r"^INVALID_ARGUMENT"):
        standin.Standin(options)


def test_encryption_is_refused_rather_than_left_out() -> None:
    options, _ = flags.parse(["--model_base_path=/m", "--ssl_config_file=/s"])
    with pytest.raises(StatusError, match=r"^UNIMPLEMENTED"):
        standin.Standin(options)


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "config"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_batching_limit_is_read(tmp_path: Path) -> None:
    assert textprotos.max_batch_size("") == 1000
    assert textprotos.max_batch_size(written(tmp_path, "num_batch_threads { value: 2 }")) == 1000
    assert textprotos.max_batch_size(written(tmp_path, "max_batch_size { value: 8 } allowed_batch_sizes: 8")) == 8


@pytest.mark.parametrize(
    "text",
    [
        "max_batch_size { value: 8 } allowed_batch_sizes: 4",
        "max_batch_size { value: 8 } allowed_batch_sizes: 8 allowed_batch_sizes: 8",
        "max_batch_size: 8",
        "nonsense { value: 1 }",
    ],
)
def test_batching_parameters_that_make_no_sense_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(StatusError, match=r"^INVALID_ARGUMENT"):
        textprotos.max_batch_size(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(StatusError, match=r"^NOT_FOUND: /nowhere; No such file"):
        textprotos.max_batch_size("/nowhere")


def test_the_configs_for_the_image_can_be_read() -> None:
    assert textprotos.max_batch_size(str(ROOT / "serving" / "batching.config")) >= 64
