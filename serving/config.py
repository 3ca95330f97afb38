"""What is to be served: the ModelServerConfig, checked as the real server checks it, and the versions found on disk."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf import text_format

from serving import status
from serving.messages import model_server_config_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PLATFORM = "tensorflow"

_INT64 = range(-(2**63), 2**63)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """One model of the config.

    Attributes
    ----------
    name, base_path, platform : str
    latest : int, optional
        Serve so many of the highest numbers. Absent with ``specific`` or with policy ``all``.
    specific : tuple of int, optional
        Serve these numbers.
    labels : mapping of str to int
    """

    name: str
    base_path: str
    platform: str = PLATFORM
    latest: int | None = 1
    specific: tuple[int, ...] | None = None
    labels: Mapping[str, int] = field(default_factory=dict)


def parse(text: str) -> Any:
    """Read a text-format ``ModelServerConfig``.

    Raises
    ------
    serving.status.StatusError
        INVALID_ARGUMENT with the place of the error.
    """
    try:
        return text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except text_format.ParseError as error:
        raise status.invalid(f"Error parsing text-format tensorflow.serving.ModelServerConfig: {error}") from error


def checked(proto: Any, current: Mapping[str, ModelConfig]) -> dict[str, ModelConfig]:
    """Return the models of a ``model_config_list`` by name.

    Parameters
    ----------
    proto : tensorflow.serving.ModelServerConfig
    current : mapping of str to ModelConfig
        What is being served: a model can't change its platform.

    Raises
    ------
    serving.status.StatusError
        INVALID_ARGUMENT: a model twice, a relative path, no platform or another one.
    """
    models: dict[str, ModelConfig] = {}
    for entry in proto.model_config_list.config:
        if entry.name in models:
            raise status.invalid(f"Illegal to list model {entry.name} multiple times in config list")
        if not entry.base_path.startswith("/") and "://" not in entry.base_path:
            raise status.invalid(
                f"Expected model {entry.name} to have an absolute path or URI; got base_path()={entry.base_path}"
            )
        models[entry.name] = _model(entry)
    for model in models.values():
        _check_platform(model, current.get(model.name))
    return models


def _model(entry: Any) -> ModelConfig:
    platform = entry.model_platform
    if not platform and entry.model_type == model_server_config_pb2.TENSORFLOW:
        platform = PLATFORM
    if not platform:
        raise status.invalid(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform, "
            f"model name is {entry.name}"
        )
    policy = entry.model_version_policy
    choice = policy.WhichOneof("policy_choice")
    return ModelConfig(
        name=entry.name,
        base_path=entry.base_path,
        platform=platform,
        latest=(policy.latest.num_versions or 1) if choice in (None, "latest") else None,
        specific=tuple(policy.specific.versions) if choice == "specific" else None,
        labels=dict(entry.version_labels),
    )


def _check_platform(model: ModelConfig, served: ModelConfig | None) -> None:
    if served is not None and served.platform != model.platform:
        raise status.invalid(
            f"Illegal to change a model's platform. For model {model.name} platform was {served.platform} "
            f"and new platform requested is {model.platform}"
        )
    if model.platform != PLATFORM:
        raise status.invalid(f"Model {model.name} requests unsupported platform {model.platform}")


def wanted_versions(model: ModelConfig) -> dict[int, str]:
    """Return the versions below the model's base path that its policy asks for, number to path.

    Raises
    ------
    OSError
        The base path can't be read; the real server then changes no model at all.
    """
    found = _versions(child.name for child in Path(model.base_path).iterdir())
    if not found:
        _log.warning("No versions of servable %s found under base path %s", model.name, model.base_path)
    if model.specific is not None:
        numbers = [number for number in model.specific if number in found]
        for absent in sorted(set(model.specific) - set(found)):
            _log.warning("Version %d of servable %s, which was requested, was not found", absent, model.name)
    elif model.latest is not None:
        numbers = sorted(found, reverse=True)[: model.latest]
    else:
        numbers = sorted(found)
    return {number: str(Path(model.base_path) / found[number]) for number in numbers}


def _versions(names: Iterable[str]) -> dict[int, str]:
    """Map number to directory name, as absl::SimpleAtoi reads it; the plain spelling beats ``001``."""
    found: dict[int, str] = {}
    for name in sorted(names, key=lambda text: (len(text), text), reverse=True):
        if re.fullmatch(r"[+-]?[0-9]+", name.strip()) and int(name) in _INT64:
            if int(name) in found:
                _log.warning("%s and %s are one version; %s is used", found[int(name)], name, name)
            found[int(name)] = name
    return found
