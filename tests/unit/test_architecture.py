"""The arrows of docs/architecture.md, held by reading every import of the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# folder or file of the gateway -> those that it may import
MAY: dict[str, set[str]] = {
    "core": set(),
    "telemetry": {"core"},
    "images": {"core"},
    "tables": {"core"},
    "sky": {"core", "telemetry"},
    "inference": {"core", "telemetry"},
    "measure": {"core", "images", "sky", "tables", "telemetry"},
    "settings": {"sky"},
    "api": {"core", "images", "inference", "measure", "settings", "sky", "tables", "telemetry"},
}


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at any depth of the file, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def room(dotted: str) -> str | None:
    parts = dotted.split(".")
    return parts[1] if parts[0] == "gateway" and len(parts) > 1 else None


@pytest.mark.parametrize("name", sorted(MAY))
def test_arrows_of_the_gateway_point_one_way(name: str) -> None:
    files = [path for path in sources("gateway") if path.relative_to(ROOT / "gateway").parts[0] in {name, f"{name}.py"}]
    assert files, f"there is no room {name}"
    used = {target for path in files for one in imports(path) if (target := room(one)) is not None}
    assert used - {name} <= MAY[name]


def test_only_the_api_knows_the_web_framework() -> None:
    for name in MAY.keys() - {"api"}:
        for path in [*sources(f"gateway/{name}"), ROOT / "gateway" / f"{name}.py"]:
            if path.exists():
                assert not {one for one in imports(path) if one.split(".")[0] in {"fastapi", "starlette", "uvicorn"}}, (
                    path
                )


def test_routes_are_imported_by_the_app_only() -> None:
    for path in sources("gateway"):
        if path.relative_to(ROOT / "gateway").parts[0] != "app.py" and "routes" not in path.parts:
            assert not any(one.startswith("gateway.api.routes") for one in imports(path)), path


# what measures a release needs the gateway's own answer, and what fetches real galaxies its one polite client
BESIDE = {"training/data/download/": {"sky"}}


@pytest.mark.parametrize("plane", ["serving", "training"])
def test_the_other_planes_take_only_core_and_images_from_the_gateway(plane: str) -> None:
    for path in sources(plane):
        allowed = {"core", "images"}
        for place, beside in BESIDE.items():
            if path.relative_to(ROOT).as_posix().startswith(place):
                allowed |= beside
        used = {target for one in imports(path) if (target := room(one)) is not None}
        assert used <= allowed, path


def test_a_batch_takes_the_gateway_s_rooms_and_neither_its_http_face_nor_another_plane() -> None:
    for path in sources("batch"):
        used = imports(path)
        assert {target for one in used if (target := room(one)) is not None} <= MAY.keys() - {"telemetry"}, path
        assert not any(one.startswith("gateway.api") and "schemas" not in one for one in used), path
        assert not {one.split(".")[0] for one in used} & {"serving", "training", "fastapi", "tensorflow"}, path


@pytest.mark.parametrize("engine", ["batch.dask.worker", "batch.http.run"])
def test_what_measures_a_batch_loads_neither_the_web_framework_nor_tensorflow(engine: str) -> None:
    script = (
        f"import sys, {engine}\n"
        "heavy = {'fastapi', 'uvicorn', 'tensorflow', 'keras', 'astropy', 'galsim'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_gateway_imports_no_other_plane_and_no_runtime() -> None:
    for path in sources("gateway"):
        used = {one.split(".")[0] for one in imports(path)}
        assert not used & {"serving", "batch", "training", "inclinet", "keras", "dask", "distributed"}, path
        if path.name != "protos.py":
            assert not used & {"tensorflow", "tensorflow_serving"}, path


def test_importing_the_whole_gateway_does_not_load_tensorflow() -> None:
    script = (
        "import sys, gateway.app, inclinet.main, inclinet.up\n"
        "heavy = [m for m in sys.modules if m == 'tensorflow' or m.startswith(('tensorflow.python', 'keras', 'jax'))]\n"
        "assert not heavy, heavy\n"
        # what only some questions need would double the time until the gateway is ready
        "seldom = {'astropy', 'pyarrow', 'pyongc', 'pandas', 'scipy', 'limits', 'matplotlib', 'requests'}\n"
        # FastAPI imports the interfaces of OpenTelemetry; what records and sends spans is another matter
        "seldom |= {'opentelemetry.sdk', 'opentelemetry.exporter', 'gateway.telemetry.otlp'}\n"
        "late = seldom & set(sys.modules)\n"
        "assert not late, late\n"
        "assert not any('_pywrap_tensorflow' in m for m in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_runtime_can_still_be_imported_after_the_messages() -> None:
    script = (
        "import gateway.inference.protos, sys\n"
        "assert 'tensorflow' not in sys.modules\n"
        "import tensorflow as tf\n"
        "from tensorflow_serving.apis import predict_pb2\n"
        "assert tf.constant([1.0, 2.0]).numpy().sum() == 3.0\n"
        "assert predict_pb2.PredictRequest is gateway.inference.protos.PredictRequest\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
