"""The address of a target, and whether load may go there: other machines only on purpose and at a stated rate."""

import ipaddress
import socket
import ssl
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from loadtest.targets.port import Address, BadTarget
from loadtest.targets.requester import SetUpFailed

LISTENS_WITHIN_S = 3.0  # a service that was started just now
LOOK_EVERY_S = 0.1
_WEB = {"ws": "http", "wss": "https"}
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443, "tcp": None, "tls": None}  # of the last two none is usual


def address_of(url: str, ca_file: str | None = None) -> Address:
    """Return where *url* connects; TLS is verified, by *ca_file* if there is one. Raises BadTarget."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is not closed
        raise BadTarget(f"target: {_shown(url)} is no URL") from None
    try:
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        port = None
    if port is None or parts.scheme not in _PORTS:
        raise BadTarget(
            f"target: {_shown(url)} must read like http://NAME:PORT or ws://NAME:PORT (an adapter's: tcp, tls)"
        )
    if not parts.hostname:
        raise BadTarget(f"target: {_shown(url)} names no host")
    if parts.query or parts.fragment or "@" in parts.netloc or "{" in parts.path or "//" in parts.path:
        raise BadTarget(
            f"target: {_shown(url)} must end with its path, and have no user, query or place; use headers instead"
        )
    tls = None
    if parts.scheme in ("https", "wss", "tls"):
        try:
            tls = ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise BadTarget(f"target.ca_file: {ca_file} cannot be read: {error}") from None
    return Address(parts.hostname, port, parts.netloc, tls, parts.path.rstrip("/"))


def server_url(given: str, ca_file: str | None = None) -> str:
    """
    Return the base URL, http or https, of a server of ours that is *given* as its URL or as NAME:PORT.

    Raises BadTarget for what cannot be one.
    """
    scheme, colon, rest = given.strip().rpartition("://")
    url = f"{_WEB.get(scheme, scheme) if colon else 'http'}://{rest.rstrip('/')}"
    address_of(url, ca_file)
    if not url.startswith(("http://", "https://")):
        raise BadTarget(f"target: {_shown(url)} must read like http://NAME:PORT or https://NAME:PORT/PREFIX")
    return url


def _shown(url: str) -> str:
    """Return a URL as it may be shown: without what may be a credential."""
    scheme, colon, rest = url.rpartition("://")
    kept = rest.partition("?")[0].rpartition("@")[2]
    return f"{scheme}{colon}{kept}"


def check_reach(urls: Sequence[str], *, allow_remote: bool, max_rate: float | None) -> None:
    """
    Raise BadTarget if load would go to another machine without leave.

    Whoever aims at an address that is not loopback says so, and how many requests a second it may bear at most.
    """
    remote = [url for url in urls if not is_loopback(_host_of(url))]
    if not remote:
        return
    if not allow_remote:
        raise BadTarget(
            f"target: {remote[0]} is not on this machine, and load does harm to a service that is not yours. "
            "If it is yours, say so with --allow-remote and --max-rate REQUESTS_PER_SECOND"
        )
    if max_rate is None:
        raise BadTarget("max-rate: with --allow-remote say how many requests a second the service may get at most")


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError as error:
        raise BadTarget(f"target: {url} is no URL: {error}") from None


def check_listening(addresses: Sequence[Address], within_s: float = LISTENS_WITHIN_S) -> None:
    """Raise SetUpFailed unless something takes connections at each address by then: an audience would wait in vain."""
    deadline = time.monotonic() + within_s
    for address in addresses:
        while (why := _no_connection(address, max(LOOK_EVERY_S, deadline - time.monotonic()))) is not None:
            if time.monotonic() >= deadline:
                raise SetUpFailed(
                    f"target: nothing takes connections at {address.netloc} ({why}): start the service first, in "
                    "another terminal, or mend base_url (--target URL)"
                )
            time.sleep(LOOK_EVERY_S)


def _no_connection(address: Address, within_s: float) -> str | None:
    """Return why *address* takes no connection, or None if it does."""
    try:
        socket.create_connection((address.host, address.port), within_s).close()
    except (OSError, UnicodeError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def is_loopback(host: str) -> bool:
    """Return whether *host* is this machine by every address that it has."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return host == "localhost"
    return bool(found) and all(ipaddress.ip_address(each[4][0]).is_loopback for each in found)
