"""The ModelServerConfig of a release, which tells TensorFlow Serving and the stand-in what to serve."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from google.protobuf import text_encoding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.core.manifest import Manifest

CONTAINER_BASE_PATH = "/models"
"""Mount point of a model repository in this project's container images."""


def models_config(
    manifest: Manifest, base_path: str | PurePath = CONTAINER_BASE_PATH, *, beside: Sequence[Manifest] = ()
) -> str:
    """Return the text-format ``ModelServerConfig`` that serves every model of a release.

    Each model is served only in the version that the manifest names: another version below ``<base_path>/<name>``
    belongs to no release, and the default policy would replace the release's version by it.

    Parameters
    ----------
    manifest : Manifest
        Release that is served.
    base_path : str or path
        Directory that holds ``<name>/<version>/``, as the server sees it. A relative path raises ValueError, because
        TensorFlow Serving refuses it at start-up.
    beside : sequence of Manifest
        Other releases to serve at the same time, while gateways change from one release to the other.
    """
    base = str(base_path).rstrip("/")
    if not base.startswith("/") and "://" not in base and not PurePath(base).is_absolute():
        raise ValueError(f"TensorFlow Serving needs an absolute base path, and {str(base_path)!r} is relative")
    versions: dict[str, set[int]] = {}
    for release in (manifest, *beside):
        for model in release.models:
            versions.setdefault(model.name, set()).add(model.version)
    entries = "".join(_entry(name, f"{base}/{name}", sorted(numbers)) for name, numbers in versions.items())
    return f"# Generated from the release's manifest.\nmodel_config_list {{\n{entries}}}\n"


def _entry(name: str, path: str, versions: Sequence[int]) -> str:
    escaped = text_encoding.CEscape(path.encode(), as_utf8=False)
    served = " ".join(f"versions: {version}" for version in versions)
    return (
        "  config {\n"
        f'    name: "{name}"\n'
        f'    base_path: "{escaped}"\n'
        '    model_platform: "tensorflow"\n'
        f"    model_version_policy {{ specific {{ {served} }} }}\n"
        "  }\n"
    )
