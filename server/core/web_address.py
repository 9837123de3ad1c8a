"""Web addresses: the host and port that a request names, and the origin of a page, as a browser compares them."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

_PORT_MAX: Final = 65_535
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# A name as browsers send it (international ones in ASCII), an IPv4 address, or an IPv6 address in brackets.
_AUTHORITY: Final = re.compile(r"([a-z0-9_.-]*[a-z0-9_-]\.?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.IGNORECASE)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Authority:
    """A host, in lower case, and the port if one was named."""

    host: str
    port: int | None = None

    @classmethod
    def read(cls, text: str) -> "Authority | None":
        """Return the host and port of a ``Host`` header, or None if it is malformed."""
        found = _AUTHORITY.fullmatch(text)
        if found is None:
            return None
        host, port = found[1].lower(), None if found[2] is None else int(found[2])
        if host.startswith("[") and _address(host) is None:
            return None
        return cls(host, port) if port is None or port <= _PORT_MAX else None

    @property
    def name(self) -> str:
        """The host in the one form in which names are compared: no final dot, addresses as short as can be."""
        return plain_name(self.host)

    def origin(self, scheme: str) -> str:
        """Return the origin of a page at this address, which names no port that its scheme implies."""
        implied = self.port is None or self.port == _DEFAULT_PORTS.get(scheme)
        return f"{scheme}://{self.host}" if implied else f"{scheme}://{self.host}:{self.port}"


def read_origin(text: str) -> str | None:
    """Return an ``Origin`` header as ``Authority.origin`` writes it; None if it is ``null`` or malformed."""
    scheme, separator, rest = text.partition("://")
    authority = Authority.read(rest)
    if not separator or authority is None or not _SCHEME.fullmatch(scheme):
        return None
    return authority.origin(scheme.lower())


def plain_name(host: str) -> str:
    """Return a host in lower case, without its final dot; an address without brackets and in its shortest form."""
    address = _address(host)
    return host.lower().removesuffix(".") if address is None else str(address)


def is_host(text: str) -> bool:
    """Return whether *text* is a host name or an address, without a port."""
    named = Authority.read(text)
    return _address(text) is not None or (named is not None and named.port is None)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine wherever it is asked for (RFC 6761, 6.3)."""
    name = plain_name(host)
    address = _address(name)
    return name == "localhost" or name.endswith(".localhost") if address is None else address.is_loopback


def listed(given: str) -> list[str]:
    """Return the entries of a list with commas."""
    return [each.strip() for each in given.split(",") if each.strip()]


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
