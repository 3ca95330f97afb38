"""The whole service on this machine, for as long as a program needs it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from inclinet.errors import ServiceMissing
from inclinet.queries import DEFAULT_URL

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS = "inclinet.commands"
"""Group of entry points by which an installed service adds its commands."""
INSTALL = "pip install 'inclinet-service[serving]'"
_READY = re.compile(r"Ready\. Page (http://\S+?)/ ")
_STOP_TIMEOUT_S = 60.0
_POLL_S = 0.1


@contextmanager
def service(manifest: str | Path | None = None, *, timeout_s: float = 180.0) -> Iterator[str]:
    """Start the networks and a gateway on a free port, and stop them at the end of the ``with`` block.

    Parameters
    ----------
    manifest : path, optional
        Manifest of the model release; found as by ``inclinet up`` unless given.
    timeout_s : float
        Time limit of the start, seconds.

    Yields
    ------
    str
        URL of the gateway.

    Raises
    ------
    inclinet.errors.ServiceMissing
    """
    if not importlib.metadata.entry_points(group=COMMANDS):
        raise ServiceMissing(
            f"The service is not installed here: {INSTALL}. Or ask a gateway: Inclinet({DEFAULT_URL!r})."
        )
    if importlib.util.find_spec("tensorflow") is None:
        raise ServiceMissing(f"The networks need TensorFlow, which is not installed here: {INSTALL}.")
    with tempfile.TemporaryDirectory(prefix="inclinet-local-") as folder:
        log = Path(folder) / "up.log"
        # INCLINET_SERVING names the networks of another gateway; this one starts its own
        environment = {name: value for name, value in os.environ.items() if name != "INCLINET_SERVING"}
        if manifest is not None:
            environment["INCLINET_MANIFEST"] = str(Path(manifest).absolute())
        command = [sys.executable, "-m", "inclinet", "up", "--port=0", f"--serving-log={folder}/serving.log"]
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            yield _ready(process, log, timeout_s)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(process: subprocess.Popen[bytes], log: Path, timeout_s: float) -> str:
    """Wait until the gateway prints its URL, and return the URL."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        said = log.read_text(errors="replace")
        if found := _READY.search(said):
            return found[1]
        if process.poll() is not None:
            last = " ".join(" ".join(said.strip().splitlines()[-3:]).split())
            raise ServiceMissing(f"The service did not start. It said: {last or 'nothing'}")
        time.sleep(_POLL_S)
    raise ServiceMissing(f"The service was not ready within {timeout_s:g} s.")
