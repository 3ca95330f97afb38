"""Serves the whole fake sky: ``python -m tests.support.sky_demo [--host H] [--port N] [--delay S] [--canned]``.

It prints one line of JSON, the settings for a gateway with the fakes, and runs until SIGTERM or SIGINT. With ``--port``
the services use that port and the six after it.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading

from tests.support.sky_fakes import FakeSky
from tests.support.sky_universe import universe


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the fake sky on loopback.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; a container needs 0.0.0.0")
    parser.add_argument("--port", type=int, default=0, help="first of seven ports; 0 takes any free ones")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before every answer")
    parser.add_argument("--canned", action="store_true", help="the same picture everywhere, for measurements")
    arguments = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    sky = FakeSky()
    for offset, fake in enumerate(sky.services.values()):
        fake.host = arguments.host
        fake.port = arguments.port + offset if arguments.port else 0
        fake.delay_s = arguments.delay
    sky.skyserver.canned = arguments.canned
    universe()
    with sky:
        sys.stdout.write(json.dumps(sky.urls) + "\n")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    main()
