"""``make demo``: the whole service with the fake sky, for trying every kind of question without a network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile


def main() -> None:
    """Start the fakes, then ``inclinet up`` with them and the given arguments; end both together."""
    with (
        tempfile.TemporaryDirectory(prefix="inclinet-demo-") as cache,
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.sky_demo"],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as fakes,
    ):
        try:
            assert fakes.stdout is not None
            urls: dict[str, list[str]] = json.loads(fakes.stdout.readline())
            mirrors = {f"INCLINET_{name.upper()}": json.dumps(mirror) for name, mirror in urls.items()}
            sys.stdout.write(
                "The sky is faked: real catalogues and pictures where they are here, drawn ones elsewhere.\n"
            )
            sys.stdout.flush()
            # the fakes' answers must not stay in a cache that the real service would use
            environment = os.environ | mirrors | {"INCLINET_CACHE_DIR": cache}
            command = [sys.executable, "-m", "inclinet", "up", *sys.argv[1:]]
            with subprocess.Popen(command, env=environment) as service:
                signal.signal(signal.SIGTERM, lambda _number, _frame: service.terminate())
                while True:
                    try:
                        sys.exit(service.wait())
                    except KeyboardInterrupt:
                        continue  # Ctrl-C has reached the service too, which is closing
        finally:
            fakes.terminate()


if __name__ == "__main__":
    main()
