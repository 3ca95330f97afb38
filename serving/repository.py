"""Prints the ModelServerConfig of a release, made from its manifest.

python -m serving.repository --manifest model_repo/manifest.json --base-path /abs/model_repo
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gateway.core.manifest import read_manifest
from gateway.core.models_config import CONTAINER_BASE_PATH, models_config


def main(arguments: list[str] | None = None) -> None:
    """Print the config for the release of ``--manifest``."""
    parser = argparse.ArgumentParser(
        prog="python -m serving.repository", description="Print a release's models.config."
    )
    parser.add_argument("--manifest", type=Path, required=True, help="the release's manifest.json")
    parser.add_argument("--base-path", default=CONTAINER_BASE_PATH, help="absolute directory above the models")
    beside = "manifest of a release to serve as well, while gateways go from one to the other"
    parser.add_argument("--beside", type=Path, action="append", default=[], help=beside)
    options = parser.parse_args(arguments)
    others = [read_manifest(path) for path in options.beside]
    sys.stdout.write(models_config(read_manifest(options.manifest), options.base_path, beside=others))


if __name__ == "__main__":
    main()
