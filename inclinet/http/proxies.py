"""The proxies of the environment, by one rule for the whole project.

``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy`` are read in lower case first, then in upper case, as
curl and Requests do. Loopback never uses a proxy, whatever they say. TensorFlow Serving is called by gRPC, whose own
reading of the environment is switched off (:class:`gateway.inference.predictor.Predictor`).
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
    """The environment's proxy for a request can't be used; the message tells why."""


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
    """Finds the proxy for a URL.

    ``no_proxy`` holds entries separated by commas or spaces: ``*`` for everything; a domain, with its subdomains, where
    a leading dot or ``*.`` makes no difference; an IPv4 or IPv6 address, the latter with or without brackets; a network
    such as ``10.0.0.0/8`` or ``fd00::/8``, for hosts that are written as addresses. All but networks may have a port,
    ``archive.example.org:8443`` or ``[::1]:8080``. Any other entry excepts nothing.

    Parameters
    ----------
    variables : mapping
        Result of :func:`urllib.request.getproxies`: URL of the proxy for ``http``, ``https`` and ``all``; ``no``
        holds ``no_proxy``.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = {name: value.strip() for name, value in variables.items()}
        entries = self._variables.get("no", "").replace(",", " ").split()
        self._nothing = "*" in entries
        self._exceptions = tuple(one for entry in entries if (one := _exception(entry)) is not None)

    def of(self, url: httpx.URL | str) -> str | None:
        """Return the URL of the proxy for ``url``; None for a direct connection.

        Raises
        ------
        ProxyUnusable
            The proxy for ``url`` can't be used.
        """
        try:
            asked = httpx.URL(url)
        except httpx.InvalidURL:
            # the request itself will report the invalid URL
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
        """Raise :class:`ProxyUnusable` if the proxy for one of ``urls`` can't be used."""
        for url in urls:
            self.of(url)


def from_environment() -> Proxies:
    """Return the proxies that the environment names now."""
    return Proxies(getproxies())


def client(url: str, *, headers: Mapping[str, str], timeout: float) -> httpx.Client:
    """Return a client of one site, which uses the site's proxy, if it has one.

    Raises
    ------
    ProxyUnusable
    """
    transport = httpx.HTTPTransport(proxy=from_environment().of(url))
    return httpx.Client(base_url=url, headers=headers, timeout=timeout, transport=transport)


def is_loopback(host: str) -> bool:
    """Return whether a host, by name or address, is this machine; ``0.0.0.0`` too, which leads there."""
    name = host.rstrip(".").lower()
    if (address := _address(name)) is not None:
        return address.is_loopback or address.is_unspecified
    return name == "localhost" or name.endswith(".localhost")


def _exception(entry: str) -> _Exception | None:
    """Return an entry of ``no_proxy``; None for one that excepts nothing."""
    # some environments hold URLs here
    text = entry.lower().rpartition("://")[2].rstrip("/")
    with suppress(ValueError):
        # a network without a prefix length is one address
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
    """Return the address in a host name, also in IPv4's old forms, such as ``127.1``; None for another name."""
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        with suppress(OSError, ValueError):
            return IPv4Address(socket.inet_aton(host)) if host.isascii() and host else None
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _usable(text: str, variable: str) -> str:
    """Return the URL of a proxy; raise an error, without the credentials in it, if it can't be used."""
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
