"""Read a WebSocket handshake: room, viewer and where to resume, or an HTTP error that says what to do."""

import http
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import orjson
from starlette.types import Receive, Scope, Send
from websockets.exceptions import RequestLineTooLong, SecurityError
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from server.core.ids import RoomId, ViewerId, checked_id
from server.core.refusal import Refused
from server.core.rooms.messages import PROTOCOL
from server.gateway.codec import SILENT
from server.gateway.limits import HEAD_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX, REQUEST_LINE_BYTES_MAX

_PREFIX: Final = "/ws/rooms/"
_ECHO: Final = "/ws/echo"
_VERSION: Final = "13"
_QUERY_FIELDS_MAX: Final = 8
_TICKET: Final = "ticket."  # before a ticket among the subprotocols: a browser can send it there, and no URL holds it
_SEQ_DIGITS_MAX: Final = 15  # more facts than a room will ever have


_MORE: Final = {  # headers that belong to a status
    503: (("retry-after", "1"),),
    426: (("upgrade", "websocket"), ("sec-websocket-version", "13")),  # RFC 6455, 4.2.2 and 4.4
}


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """
    A request to join a room, under a viewer's name, or with a ``resume`` token or a ``ticket`` instead; and from a
    viewer that reconnects, the last fact it received.
    """

    room_id: RoomId
    viewer_id: ViewerId
    epoch: str = ""
    seq: int = 0
    resume: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class EchoRequest:
    """A request for an echo, which a server gives with ``--diagnostics`` to clients of its own machine."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A refused handshake: an HTTP status, a stable code, and a sentence that says what to do."""

    status: int
    code: str
    detail: str

    def response(self) -> bytes:
        """Return the whole HTTP response to a handshake."""
        body = orjson.dumps({"code": self.code, "detail": self.detail})
        more = "".join(f"{name}: {value}\r\n" for name, value in _MORE.get(self.status, ()))
        return (
            f"HTTP/1.1 {self.status} {http.HTTPStatus(self.status).phrase}\r\n{more}"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        ).encode() + body

    async def answer(self, _: Scope, __: Receive, send: Send) -> None:
        """Answer an HTTP request with it, as an ASGI application, in the form of the API's errors."""
        body = orjson.dumps({"code": self.code, "detail": self.detail, "rule": ""})
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if self.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append((b"connection", b"close"))
        if self.status == http.HTTPStatus.UPGRADE_REQUIRED:
            headers += [(name.encode(), value.encode()) for name, value in _MORE[self.status]]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


NO_SUCH_PATH = Rejection(404, "not_found", f"WebSockets are served under {_PREFIX}ROOM?viewer=NAME")
ROOM_FULL = Rejection(503, "room_full", "the room has reached its viewer limit; try again later")
TOO_MANY_OF_VIEWER = Rejection(429, "too_many_connections", "viewer: connection limit of this room reached; close one")
TOO_MANY_OF_ADDRESS = Rejection(429, "too_many_connections", "connection limit of this address reached; close one")
URL_TOO_LONG = Rejection(414, "too_long", f"the request line may have at most {REQUEST_LINE_BYTES_MAX} bytes")
HEADERS_TOO_LARGE = Rejection(
    431,
    "too_large",
    f"a request may have {HEADERS_MAX} headers of at most {HEADER_BYTES_MAX} bytes each and {HEAD_BYTES_MAX} in all; "
    "if it is the cookies of other pages of this host, delete them or use another host name",
)
UPGRADE_NEEDED = Rejection(
    426,
    "upgrade_needed",
    "this is for WebSockets: GET over HTTP/1.1 with Upgrade: websocket and Sec-WebSocket-Version: 13",
)
TICKET_NEEDED = Rejection(
    401, "ticket_needed", f"offer {PROTOCOL} and {_TICKET}TICKET; POST /api/rooms/ROOM/tickets gives one"
)
NAME_NEEDED = Rejection(400, "bad_id", "viewer: missing; add ?viewer=NAME to the URL")
TOKEN_REFUSED = Rejection(
    401, "bad_token", "resume: is for another room, invalid or expired; join as you did the first time"
)
STORE_UNAVAILABLE = Rejection(503, "unavailable", "the store does not answer; try again")
SHUTTING_DOWN = Rejection(503, "unavailable", "the server is shutting down; try again")


def no_such_room(room_id: RoomId) -> Rejection:
    """Return the rejection for a room that does not exist."""
    return Rejection(404, "not_found", f"there is no room {room_id}; open it with POST /api/rooms")


class Handshake:
    """One WebSocket handshake: read a request, then accept it. It is dropped once the viewer has joined."""

    __slots__ = ("_protocol", "_request")

    def __init__(self) -> None:
        self._protocol = ServerProtocol(select_subprotocol=_ours_if_offered, logger=SILENT)
        self._request: Request | None = None

    def read(self, data: bytes) -> JoinRequest | EchoRequest | Rejection:
        """Read a whole request and return what it asks for."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._request = event
                if event.headers.get_all("Sec-WebSocket-Version") != [_VERSION]:
                    return UPGRADE_NEEDED
                return _asked(event)
        match self._protocol.handshake_exc:
            case RequestLineTooLong():
                return URL_TOO_LONG
            case SecurityError():
                return HEADERS_TOO_LARGE
        return Rejection(400, "bad_request", "the request is not a valid WebSocket handshake")

    @property
    def headers(self) -> Iterator[tuple[bytes, bytes]]:
        """The headers of the request, with names in lower case."""
        assert self._request is not None
        return ((name.lower().encode(), value.encode()) for name, value in self._request.headers.raw_items())

    def accept(self) -> bytes | Rejection:
        """Return the 101 response, or the rejection."""
        assert self._request is not None
        response = self._protocol.accept(self._request)
        if response.status_code != http.HTTPStatus.SWITCHING_PROTOCOLS:
            detail = " ".join(bytes(response.body).decode(errors="replace").split())
            return Rejection(response.status_code, "bad_handshake", detail)
        return response.serialize()


def _asked(request: Request) -> JoinRequest | EchoRequest | Rejection:
    if urlsplit(request.path).path == _ECHO:
        return EchoRequest()
    offered = [name.strip() for value in request.headers.get_all("Sec-WebSocket-Protocol") for name in value.split(",")]
    if offered and PROTOCOL not in offered:
        return Rejection(400, "wrong_subprotocol", f"Sec-WebSocket-Protocol: offer {PROTOCOL}, or leave the header out")
    target = urlsplit(request.path)
    room = unquote(target.path.removeprefix(_PREFIX))
    if not target.path.startswith(_PREFIX):
        return NO_SUCH_PATH
    try:
        query = parse_qs(target.query, keep_blank_values=True, max_num_fields=_QUERY_FIELDS_MAX)
        room_id = RoomId(checked_id("room_id", room))
        resume, name = query.get("resume", [""])[-1], query.get("viewer", [""])[-1]
        ticket = next((each.removeprefix(_TICKET) for each in offered if each.startswith(_TICKET)), "")
        ticket = ticket or query.get("ticket", [""])[-1]
        nameless = resume or ticket or "viewer" not in query
        viewer_id = ViewerId("" if nameless else checked_id("viewer", name))
    except Refused as refused:
        return Rejection(400, refused.code, str(refused))
    except ValueError:
        return Rejection(400, "bad_query", f"the query may hold at most {_QUERY_FIELDS_MAX} fields")
    epoch, seq = query.get("epoch", [""])[-1], query.get("seq", ["0"])[-1]
    if not seq.isascii() or not seq.isdigit() or len(seq) > _SEQ_DIGITS_MAX:
        return Rejection(400, "bad_seq", "seq: must be the number of the last fact received")
    return JoinRequest(room_id, viewer_id, epoch, int(seq), resume, ticket)


def _ours_if_offered(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return Subprotocol(PROTOCOL) if PROTOCOL in offered else None
