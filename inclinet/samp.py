"""Sends tables and images to TOPCAT, Aladin, DS9 and other programs at the SAMP hub of this desktop."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from inclinet.answers.answer import Answer
from inclinet.errors import SampError
from inclinet.http.questions import picture, table_bytes

TABLE, IMAGE = "table.load.votable", "image.load.fits"
_LOADED = "samp.ok"


def broadcast(thing: Any, *, name: str = "inclinet", timeout: float = 30.0) -> list[str]:
    """Send a table or a FITS image to every program that accepts it, and wait until they have loaded it.

    Parameters
    ----------
    thing : Table, Answer, path, HDU or HDUList
        A table is sent as a VOTable with its units, UCDs, descriptions and links; a path or HDU is a FITS image.
    name : str
        Name of the sender that the programs show.
    timeout : float
        Time limit for each program to load it, seconds.

    Returns
    -------
    list of str
        Names of the programs that received it.

    Raises
    ------
    TypeError
        ``thing`` is none of these.
    inclinet.errors.SampError
        No hub runs, or no program accepted it.

    Examples
    --------
    >>> from inclinet import samp
    >>> samp.broadcast(result)
    ['topcat']
    """
    from astropy.samp import SAMPHubError, SAMPIntegratedClient, SAMPProxyError

    table = thing.to_table() if isinstance(thing, Answer) else thing
    if hasattr(table, "colnames"):
        message, data, ending = TABLE, table_bytes(table), "vot"
    else:
        message, data, ending = IMAGE, picture(table)[1], "fits"
        if not data.startswith((b"SIMPLE  =", b"\x1f\x8b")):
            raise TypeError("By SAMP go tables and FITS images.")
    client = SAMPIntegratedClient(name="inclinet", description="Inclinations of spiral galaxies", callable=False)
    try:
        client.connect()
    except SAMPHubError:
        raise SampError("No SAMP hub runs on this desktop: start TOPCAT or Aladin first.") from None
    try:
        # programs read the file after the message, so it stays until each has confirmed
        with tempfile.TemporaryDirectory(prefix="inclinet-samp-") as folder:
            path = Path(folder) / f"{name}.{ending}"
            path.write_bytes(data)
            params = {"url": path.as_uri(), "name": name}
            takers = list(client.get_subscribed_clients(message))
            took = []
            for taker in takers:
                try:
                    answer = client.ecall_and_wait(taker, message, str(int(timeout)), **params)
                except SAMPProxyError:
                    continue
                if answer["samp.status"] == _LOADED:
                    took.append(str(client.get_metadata(taker).get("samp.name", taker)))
    finally:
        client.disconnect()
    if not took:
        kind = "tables" if message == TABLE else "FITS images"
        raise SampError(f"Of the programs at the SAMP hub none took it: start one that takes {kind}, such as TOPCAT.")
    return took
