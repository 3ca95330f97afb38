"""What importing the gateway may cost; the arrows between its rooms are contracts in pyproject.toml (``make lint``)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("engine", ["batch.dask.worker", "batch.http.run"])
def test_what_measures_a_batch_loads_neither_the_web_framework_nor_tensorflow(engine: str) -> None:
    script = (
        f"import sys, {engine}\n"
        "heavy = {'fastapi', 'uvicorn', 'tensorflow', 'keras', 'astropy', 'galsim'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_the_whole_gateway_does_not_load_tensorflow() -> None:
    script = (
        "import sys, gateway.app, inclinet.main, inclinet_service.up\n"
        "heavy = [m for m in sys.modules if m == 'tensorflow' or m.startswith(('tensorflow.python', 'keras', 'jax'))]\n"
        "assert not heavy, heavy\n"
        # what only some questions need would double the time until the gateway is ready
        "seldom = {'astropy', 'pyarrow', 'pandas', 'scipy', 'limits', 'matplotlib', 'requests'}\n"
        # FastAPI imports the interfaces of OpenTelemetry; what records and sends spans is another matter
        "seldom |= {'opentelemetry.sdk', 'opentelemetry.exporter', 'gateway.telemetry.otlp'}\n"
        "late = seldom & set(sys.modules)\n"
        "assert not late, late\n"
        "assert not any('_pywrap_tensorflow' in m for m in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
