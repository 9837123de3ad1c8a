"""
The door: which requests are let in before anything else of them is looked at, by the headers that a browser sets.

A web page anywhere can make a browser send requests to this server. The ``Host`` header says by which name it was
found, which stops DNS rebinding; ``Origin`` or ``Sec-Fetch-Site`` says from which site the request comes. A client that
is no browser sends neither of the latter. docs/protocol.md has the rules.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from server.core.web_address import Authority, is_loopback, listed, plain_name, read_origin
from server.gateway.handshake import Rejection
from server.gateway.proxies import Header

_SAFE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS"})
_FOREIGN_SITES: Final = frozenset({b"cross-site", b"same-site"})
_FORWARDED_HOST, _FORWARDED_PROTO = b"x-forwarded-host", b"x-forwarded-proto"
_SCHEMES: Final = {b"http": "http", b"https": "https", b"ws": "http", b"wss": "https"}
_ONCE: Final = frozenset({b"host", b"origin", b"sec-fetch-site", b"content-type"})
_ONCE_OF_PROXIES: Final = _ONCE | {_FORWARDED_HOST, _FORWARDED_PROTO}
KNOWN_MAX: Final = 1_000  # names differ only in ports and letters, or are made up by one who was let in anyway

NOT_JSON: Final = Rejection(415, "not_json", "Content-Type: must be application/json; nothing was changed")


class Door:
    """
    The names of a server, and the origins whose pages may use it beside its own.

    *hosts* and *origins* are lists with commas; ``*.c`` is every name under c, ``*`` every name. *bound* is the address
    that the server listens on. Loopback names and the address that a connection reached are its own too: no name
    server can point to it by those.
    """

    def __init__(self, *, bound: str = "", hosts: str = "", origins: str = "") -> None:
        given = listed(hosts)
        self._any = "*" in given
        self._suffixes = tuple(plain_name(each[1:]) for each in given if each.startswith("*."))
        self._names = frozenset(map(plain_name, (bound, *given)))
        self._origins = frozenset(map(read_origin, listed(origins)))
        self._known: set[bytes] = set()

    def refusal(
        self, headers: Sequence[Header], method: bytes, *, upgrade: bool, proxied: bool, reached: str
    ) -> Rejection | None:
        """
        Return why a request is not let in, or None.

        *upgrade* says that it opens a WebSocket, *proxied* that its peer is a trusted proxy, *reached* at which address
        of ours it arrived.
        """
        named = dict(headers)
        if len(named) != len(headers) and (twice := _sent_twice(headers, _ONCE_OF_PROXIES if proxied else _ONCE)):
            return Rejection(400, "repeated_header", f"{twice}: may be sent only once")
        hosts = [named.get(b"host", b"")]
        if proxied and _FORWARDED_HOST in named:
            hosts.append(named[_FORWARDED_HOST])  # a client may have written it: both must be names of ours
        for host in hosts:
            if host not in self._known and (wrong := self._look_at(host, reached)):
                return wrong
        if method in _SAFE and not upgrade:
            return None
        scheme = _SCHEMES.get(named.get(_FORWARDED_PROTO, b""), "http") if proxied else "http"
        if wrong := self._foreign(named, hosts[-1], scheme):
            return wrong
        return None if upgrade or _is_json(named) else NOT_JSON

    def _look_at(self, host: bytes, reached: str) -> Rejection | None:
        text = host.decode("latin-1")
        authority = Authority.read(text)
        if authority is None:
            return Rejection(400, "bad_host", "Host: missing, or not a host with an optional port")
        name = authority.name
        ours = self._any or name in self._names or is_loopback(name) or name == plain_name(reached)
        if not ours and not name.endswith(self._suffixes):
            return Rejection(
                403, "host_not_allowed", f"Host: {name} is no name of this server; --allowed-hosts {name} allows it"
            )
        if len(self._known) < KNOWN_MAX:
            self._known.add(host)
        return None

    def _foreign(self, named: dict[bytes, bytes], host: bytes, scheme: str) -> Rejection | None:
        origin = named.get(b"origin")
        if origin is None:
            if named.get(b"sec-fetch-site") not in _FOREIGN_SITES:
                return None
            told = "Sec-Fetch-Site: the request comes from a page of another site"
        else:
            page, authority = read_origin(origin.decode("latin-1")), Authority.read(host.decode("latin-1"))
            own = authority.origin(scheme) if authority else ""
            if page is not None and (page == own or page in self._origins):
                return None
            told = f"Origin: {page or 'null'} is not {own}, the origin of this server"
        return Rejection(
            403,
            "origin_not_allowed",
            f"{told}; --allowed-origins allows another, and --trusted-proxies believes a proxy about its own",
        )


def _sent_twice(headers: Iterable[Header], once: frozenset[bytes]) -> str:
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in seen:
            return name.decode("latin-1")
        if name in once:
            seen.add(name)
    return ""


def _is_json(named: dict[bytes, bytes]) -> bool:
    """Return whether a request has a JSON body, or neither a body nor a content type."""
    kind = named.get(b"content-type")
    if kind is None:
        return not named.get(b"content-length", b"").strip(b"0") and b"transfer-encoding" not in named
    media = kind.partition(b";")[0].strip().lower()
    return media == b"application/json" or (media.startswith(b"application/") and media.endswith(b"+json"))
