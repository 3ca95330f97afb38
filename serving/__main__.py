"""``python -m serving``: runs the stand-in with the real server's flags."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading

# One thread waits for these signals, all others block them: Python's signal handlers need the main thread, which waits
# without end. Set before the imports, because these start threads.
STOPPING = (signal.SIGTERM, signal.SIGINT)
signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
# TensorFlow reads this variable when its library is loaded: it logs warnings and errors, but no progress.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

from serving import flags  # noqa: E402 - the code above has to come first
from serving.errors import StatusError  # noqa: E402 - as above
from serving.runtime.library import library  # noqa: E402 - as above
from serving.server import ModelServer  # noqa: E402 - as above

FAILED = 255


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    try:
        options, unknown = flags.parse(arguments)
    except flags.FlagError as error:
        sys.stdout.write(f"{error}\n{flags.usage()}\n")
        return FAILED
    if options.version:
        sys.stdout.write(f"TensorFlow ModelServer: stand-in\nTensorFlow Library: {library().TF_Version().decode()}\n")
        return 0
    if (parent := os.environ.get("INCLINET_STANDIN_PARENT")) and sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: the process ends with the thread that started it
        if os.getppid() != int(parent):
            return FAILED
    if unknown:
        sys.stdout.write(f"unknown argument: {unknown[0]}\n{flags.usage()}\n")
        sys.stdout.flush()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname).1s %(name)s] %(message)s")
    try:
        server = ModelServer(options)
        threading.Thread(target=_stop_on_signal, args=(server,), name="signals", daemon=True).start()
        server.run()
    except StatusError as error:
        sys.stderr.write(f"Failed to start server. Error: {error}\n")
        return FAILED
    return 0


def _stop_on_signal(server: ModelServer) -> None:
    signal.sigwait(STOPPING)
    server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
