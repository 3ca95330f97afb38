"""The images themselves: how large, whose, with what in them and without what."""

from __future__ import annotations

import json

import pytest

from tests.containers.conftest import FIRST
from tests.support import podman
from tests.support.podman import PYTHON_BASE

OFFICIAL_BASE_MB = 130
"""python:3.11-slim-bookworm unpacked; its stand-in here is twice that."""
LIMIT_MB = 300

pytestmark = pytest.mark.usefixtures("images")


def size_mb(image: str) -> float:
    return float(podman.inspect(image, "image")["Size"]) / 1e6


def in_gateway(*words: str) -> str:
    image = f"localhost/inclinet-gateway:{FIRST}"
    return podman.podman("run", "--rm", "--network", "none", "--read-only", "--entrypoint", words[0], image, *words[1:])


def test_the_gateways_image_is_small() -> None:
    own = size_mb(f"localhost/inclinet-gateway:{FIRST}") - size_mb(PYTHON_BASE)
    assert own + OFFICIAL_BASE_MB < LIMIT_MB


@pytest.mark.parametrize("name", ["gateway", "serving"])
def test_an_image_says_what_it_is_and_runs_as_nobody(name: str) -> None:
    found = podman.inspect(f"localhost/inclinet-{name}:{FIRST}", "image")
    labels = {key.removeprefix("org.opencontainers.image."): text for key, text in found["Labels"].items()}
    assert labels["title"] == f"inclinet-{name}"
    assert labels["licenses"] == "Apache-2.0"
    assert {"version", "revision", "description"} <= set(labels)
    assert found["Config"]["User"] == "10001:10001"
    assert found["Healthcheck"]["Test"][0] == "CMD"


def test_no_runtime_of_tensorflow_no_installer_and_no_compiler_is_in_the_gateways_image() -> None:
    script = (
        "import importlib.util, json, os, shutil, sys\n"
        "names = ('pip', 'setuptools', 'keras', 'pyarrow')\n"
        "found = {name: importlib.util.find_spec(name) is not None for name in names}\n"
        "folder = os.path.join(sys.prefix, 'lib/python3.11/site-packages/tensorflow')\n"
        "others = [f for _, _, files in os.walk(folder) for f in files if not f.endswith('.py')]\n"
        "print(json.dumps([found, others, [shutil.which(n) for n in ('gcc', 'cc', 'curl', 'git')]]))\n"
    )
    found, others, programs = json.loads(in_gateway("python", "-c", script))
    assert found == {"pip": False, "setuptools": False, "keras": False, "pyarrow": False}
    assert others == []
    assert programs == [None] * 4


def test_what_a_gateway_imports_is_compiled_already() -> None:
    script = (
        "import json, os, sys\n"
        "import inclinet_service.local\n"
        "cached = {name: getattr(module, '__cached__', None) for name, module in sys.modules.items()}\n"
        "missing = [name for name, path in cached.items() if path and not os.path.exists(path)]\n"
        "print(json.dumps([len(cached), missing]))\n"
    )
    imported, not_compiled = json.loads(in_gateway("python", "-c", script))
    assert imported > 500
    assert not_compiled == []


def test_settings_that_are_wrong_end_the_container_with_a_sentence() -> None:
    image = f"localhost/inclinet-gateway:{FIRST}"
    with pytest.raises(podman.CommandFailed, match="ended with 2"):
        podman.podman("run", "--rm", "--network", "none", "-e", "INCLINET_QUORUM=2", image)
