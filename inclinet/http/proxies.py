"""The proxies of the environment: which request goes through which one. The one rule of the whole project.

``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy`` are read in lower case first, then in upper case, as
curl and Requests do. Loopback never goes through a proxy, whatever they say. TensorFlow Serving is asked by gRPC, which
reads the environment by itself and is kept from it (:class:`gateway.inference.predictor.Predictor`).
"""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from ipaddress import IPv4Network

_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65535
_KINDS = frozenset({"http", "https", "socks5", "socks5h"})


class ProxyUnusable(httpx.ProxyError):
    """The environment sends a request through a proxy that can't be used, and why, in one sentence."""


@dataclass(frozen=True, slots=True)
class _Exception:
    """One entry of ``no_proxy``: a domain, an address or a network, at any port or at one."""

    name: str
    network: IPv4Network | IPv6Network | None
    port: int | None

    def covers(self, host: str, address: IPv4Address | IPv6Address | None, port: int | None) -> bool:
        if self.port is not None and self.port != port:
            return False
        if self.network is not None:
            return address is not None and address.version == self.network.version and address in self.network
        return host == self.name or (address is None and host.endswith(f".{self.name}"))


class Proxies:
    """Says which proxy a URL is to be asked through.

    ``no_proxy`` holds entries between commas or spaces: ``*`` for everything; a domain, with all below it, a leading
    dot or ``*.`` making no difference; an IPv4 or IPv6 address, the latter with or without brackets; a network such as
    ``10.0.0.0/8`` or ``fd00::/8``, for hosts that are written as addresses; each but networks also with a port,
    ``archive.example.org:8443`` or ``[::1]:8080``. An entry that is none of these excepts nothing.

    Parameters
    ----------
    variables : mapping
        As :func:`urllib.request.getproxies` returns it: from ``http``, ``https``, ``all`` to the URL of a proxy, and
        from ``no`` to ``no_proxy``.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = {name: value.strip() for name, value in variables.items()}
        entries = self._variables.get("no", "").replace(",", " ").split()
        self._nothing = "*" in entries
        self._exceptions = tuple(one for entry in entries if (one := _exception(entry)) is not None)

    def of(self, url: httpx.URL | str) -> str | None:
        """Return the URL of the proxy that ``url`` goes through, None where it goes straight.

        Raises
        ------
        ProxyUnusable
            It would go through one that can't be used.
        """
        try:
            asked = httpx.URL(url)
        except httpx.InvalidURL:
            # what asks it says so
            return None
        variable = next((name for name in (asked.scheme, "all") if self._variables.get(name)), None)
        if asked.scheme not in _PORTS or variable is None or self._nothing:
            return None
        if is_loopback(asked.host):
            return None
        host = asked.host.rstrip(".").lower()
        address = _address(host)
        port = asked.port or _PORTS[asked.scheme]
        if any(one.covers(host, address, port) for one in self._exceptions):
            return None
        return _usable(self._variables[variable], f"{variable}_proxy")

    def check(self, urls: Iterable[str]) -> None:
        """Raise :class:`ProxyUnusable` if one of ``urls`` can't be asked for want of a proxy that can be used."""
        for url in urls:
            self.of(url)


def from_environment() -> Proxies:
    """Return the proxies that the environment names now."""
    return Proxies(getproxies())


def client(url: str, *, headers: Mapping[str, str], timeout: float) -> httpx.Client:
    """Return a client of one site, which goes through the site's proxy, if it has one.

    Raises
    ------
    ProxyUnusable
    """
    transport = httpx.HTTPTransport(proxy=from_environment().of(url))
    return httpx.Client(base_url=url, headers=headers, timeout=timeout, transport=transport)


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, is this machine; also as ``0.0.0.0``, which leads there."""
    name = host.rstrip(".").lower()
    if (address := _address(name)) is not None:
        return address.is_loopback or address.is_unspecified
    return name == "localhost" or name.endswith(".localhost")


def _exception(entry: str) -> _Exception | None:
    """Read an entry of ``no_proxy``."""
    # some write URLs
    text = entry.lower().rpartition("://")[2].rstrip("/")
    with suppress(ValueError):
        # a network without its prefix is one address
        return _Exception("", ip_network(text.strip("[]"), strict=False), None)
    if "/" in text:
        return None
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if (address := _address(host)) is not None:
        return _Exception("", ip_network(address), port)
    host = host.removeprefix("*").strip(".")
    return _Exception(host, None, port) if host else None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host is written as: also in the old ways of IPv4, such as ``127.1``."""
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        with suppress(OSError, ValueError):
            return IPv4Address(socket.inet_aton(host)) if host.isascii() and host else None
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _usable(text: str, variable: str) -> str:
    """Return the URL of a proxy, or say why it can't be used, without the credentials that it may hold."""
    url = text if "://" in text else f"http://{text}"
    scheme = url.partition("://")[0].lower()
    said = f"The environment's {variable} names"
    if scheme not in _KINDS:
        raise ProxyUnusable(
            f"{said} a proxy of the kind {scheme[:20] or '(none)'}://, which is not known: "
            "write http://, https://, socks5:// or socks5h://."
        )
    try:
        parts = httpx.URL(url)
        httpx.Proxy(url)
    except (httpx.InvalidURL, ValueError):
        parts = None
    if parts is None or not parts.host or (parts.port or 1) > _LAST_PORT or len(url.split()) != 1:
        raise ProxyUnusable(f"{said} no address of a proxy; it should look like http://proxy.example.org:3128.")
    return url
