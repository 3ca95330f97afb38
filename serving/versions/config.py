"""Models (``tensorflow.serving.ModelConfig``) and versions to serve, from text files and directories."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf import text_format

from serving.errors import invalid, not_found

if TYPE_CHECKING:
    from collections.abc import Mapping

PLATFORM = "tensorflow"

_INT64 = range(-(2**63), 2**63)
_log = logging.getLogger(__name__)


def parsed_file(path: str, message: Any) -> Any:
    """Read a text-format file into ``message``; raises StatusError if it is missing or invalid."""
    try:
        return text_format.Parse(Path(path).read_text(encoding="utf-8"), message)
    except OSError as error:
        raise not_found(f"{path}; {error.strerror}") from error
    except text_format.ParseError as error:
        raise invalid(f"Invalid protobuf file: '{path}': {error}") from error


def checked_models(config: Any, served: Mapping[str, Any]) -> dict[str, Any]:
    """Return the models of a ``ModelServerConfig`` by name, checked as the real server checks them.

    ``served`` holds the models that are served now, which can't change their platform.
    """
    models: dict[str, Any] = {}
    for model in config.model_config_list.config:
        if model.name in models:
            raise invalid(f"Illegal to list model {model.name} multiple times in config list")
        if not model.base_path.startswith("/") and "://" not in model.base_path:
            raise invalid(
                f"Expected model {model.name} to have an absolute path or URI; got base_path()={model.base_path}"
            )
        if not model.model_platform:
            raise invalid(
                "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
                f"ModelServerConfig::model_platform, model name is {model.name}"
            )
        models[model.name] = model
    for name, model in models.items():
        if name in served and served[name].model_platform != model.model_platform:
            raise invalid(
                f"Illegal to change a model's platform. For model {name} platform was {served[name].model_platform} "
                f"and new platform requested is {model.model_platform}"
            )
        if model.model_platform != PLATFORM:
            raise invalid(f"Model {name} requests unsupported platform {model.model_platform}")
    return models


def wanted_versions(model: Any) -> dict[int, str]:
    """Return the versions on disk that a model's policy selects, path by number.

    Raises
    ------
    OSError
        The base path can't be read.
    """
    found = {}
    # The plain spelling of a number comes last and replaces others, such as 001. The real server uses absl::SimpleAtoi.
    for child in sorted(Path(model.base_path).iterdir(), key=lambda path: -len(path.name)):
        if re.fullmatch(r"[+-]?[0-9]+", child.name) and int(child.name) in _INT64:
            found[int(child.name)] = str(child)
    if not found:
        _log.warning("No versions of servable %s found under base path %s", model.name, model.base_path)
    policy = model.model_version_policy
    chosen = policy.WhichOneof("policy_choice")
    if chosen == "specific":
        absent = set(policy.specific.versions) - found.keys()
        if absent:
            _log.warning("Versions %s of servable %s, which were requested, were not found", absent, model.name)
        return {number: found[number] for number in policy.specific.versions if number in found}
    newest = sorted(found, reverse=True)
    newest = newest if chosen == "all" else newest[: policy.latest.num_versions or 1]
    return {number: found[number] for number in newest}
