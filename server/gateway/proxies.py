"""
Trusted proxies: the address of a client that comes through one.

Without a proxy that is trusted, what a request says about its sender is not believed.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

from uvicorn.middleware.proxy_headers import _TrustedHosts

Header = tuple[bytes, bytes]
"""Name, in lower case, and value."""

_X_FORWARDED_FOR: Final = b"x-forwarded-for"
_FORWARDED: Final = b"forwarded"
# RFC 7239, 4: NAME=VALUE, where VALUE may be quoted, then ";" within a hop and "," after it. As proxies write it, an
# address with a port need not be quoted.
_PAIR: Final = re.compile(r"\s*([\w!#$%&'*+.^`|~-]+)=(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\",;]+))\s*([;,]|$)")


class TrustedProxies:
    """
    The proxies of a server: addresses and networks with commas between them, or ``*`` for every peer.

    The client is the last address in the chain that is not a proxy's, as with uvicorn; with ``*`` it is the first one.
    """

    def __init__(self, given: str) -> None:
        self._trusted = _TrustedHosts(given)

    def trusts(self, peer: str) -> bool:
        """Return whether *peer* may say for whom it speaks."""
        return peer in self._trusted

    def client(self, peer: str, headers: Iterable[Header]) -> str:
        """
        Return the address of the client that *peer* speaks for, or of *peer* itself if it does not say so clearly.

        A proxy passes on the header that it does not write as the client sent it: two that disagree are not believed.
        """
        if not self.trusts(peer):
            return peer
        chains: dict[bytes, list[str]] = {}
        for name, value in headers:
            if name in (_X_FORWARDED_FOR, _FORWARDED):
                chains.setdefault(name, []).append(value.decode("latin-1"))
        found = {
            self._last_client(", ".join(lines) if name == _X_FORWARDED_FOR else _hops(", ".join(lines)))
            for name, lines in chains.items()
        }
        return (found.pop() or peer) if len(found) == 1 else peer

    def _last_client(self, chain: str) -> str:
        """Return the client's address in *chain*, or "" if what stands there is none."""
        try:
            address = ipaddress.ip_address(self._trusted.get_trusted_client_address(chain)[0])
        except ValueError:
            return ""
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return str(mapped or address)


def _hops(forwarded: str) -> str:
    """Return the addresses of a ``Forwarded`` header as ``X-Forwarded-For`` writes them; "" if it is malformed."""
    hops, hop, at = [], "", 0
    while at < len(forwarded):
        pair = _PAIR.match(forwarded, at)
        if pair is None:
            return ""  # a client can leave a quote open, and so hide in it what the proxy adds
        name, quoted, plain, end = pair.groups()
        if name.lower() == "for":
            hop = plain or quoted or ""
        if end != ";":
            hops.append(hop)
            hop = ""
        at = pair.end()
    return ", ".join(hops) if not any("," in each for each in hops) else ""
