"""The zoo's HTTP server on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvicorn

from gateway.api.keys import KeysError, make
from gateway.telemetry.logs import configure_logging
from inclinet.http.proxies import ProxyUnusable
from inclinet_service.local import KEEP_ALIVE_S, StartError, listen
from zoo.app import create_app
from zoo.database.engine import DatabaseUnusable
from zoo.standards.archive import StandardsUnusable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from zoo.settings import ZooSettings


def moderators_key(folder: Path, name: str, say: Callable[[str], None]) -> Path:
    """Return the file of keys in a folder; if it is missing, make it with a moderator's key, which is shown once.

    Raises
    ------
    StartError
        The file can't be written.
    """
    path = folder / "keys"
    if not path.exists():
        key, line = make(name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(f"{line}\n", encoding="utf-8")
        except OSError as error:
            raise StartError(f"The file of keys {path} can't be written: {error.strerror}.") from None
        say(f"The key of the moderator, shown this once: {key}")
    return path


def up(settings: ZooSettings, *, host: str, port: int, say: Callable[[str], None]) -> None:
    """Run the zoo until a signal ends it; accepted requests are finished first.

    Raises
    ------
    StartError
        The port, the database, the standards or the keys can't be used.
    """
    configure_logging(settings.log_level)
    taken = listen(host, port)
    try:
        app = create_app(settings)
    except (DatabaseUnusable, StandardsUnusable, KeysError, ProxyUnusable) as error:
        taken.close()
        raise StartError(str(error)) from None
    # connections made after the next message wait in the socket's queue until the server runs
    taken.listen()
    shown = f"[{host}]" if ":" in host else host
    say(f"The zoo is at http://{shown}:{taken.getsockname()[1]}{settings.root_path}/")
    uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(settings.request_timeout_s) + 5,
        )
    ).run(sockets=[taken])
