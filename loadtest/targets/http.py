"""The HTTP target: any service whose grab is a request, described in the scenario alone (docs/targets.md)."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import h11
import orjson

from client_sim.frames import ABNORMAL, NORMAL
from client_sim.message_cache import CachedMessage
from client_sim.session import PlainSession, Refusal
from client_sim.viewer import Viewer
from loadtest.scenarios.target_scenario import DeclaredPacket
from loadtest.scenarios.target_spec import HttpTargetSpec
from loadtest.targets import canonical
from loadtest.targets.described_service import GRAB_PLACES, DescribedService, taken_by_login
from loadtest.targets.http_request import FilledRequest, RequestTemplate
from loadtest.targets.port import Address
from loadtest.targets.reply import JsonPath, NotUnderstood, ReplyReader
from server.core.ids import PacketId, RequestId, ViewerId

BODY_BYTES_MAX = 1_048_576  # of a reply
_NS_PER_MS = 1_000_000


class HttpTarget(DescribedService):
    """
    An HTTP service. A subclass may override ``grab_request`` and ``read_reply`` for what no template can say.
    """

    def __init__(self, spec: HttpTargetSpec, *, packets: Sequence[DeclaredPacket], base_url: str, folder: Path) -> None:
        super().__init__(spec, packets=packets, base_url=base_url, folder=folder)
        self.reuse = spec.reuse
        self.patience_ns = spec.grab.timeout_ms * _NS_PER_MS
        self.taken = {
            name: JsonPath(path, field=f"target.login.take.{name}") for name, path in taken_by_login(spec).items()
        }
        self._login = None
        if spec.login is not None:
            self._login = RequestTemplate(spec.login, self, field="target.login", known=self.viewer_places)
        grab_places = self.viewer_places | GRAB_PLACES | set(self.taken)
        self._grab = RequestTemplate(spec.grab, self, field="target.grab", known=grab_places)
        self._logged_in: dict[ViewerId, Mapping[str, object]] = {}
        self._reader = ReplyReader(spec.receipt)

    def session(self, viewer: Viewer, address: Address) -> "HttpSession":
        """Return the session of a connection that is about to be opened."""
        return HttpSession(self, address.netloc, viewer.seat.viewer_id)

    def login_request(self, name: ViewerId) -> FilledRequest | None:
        """Return the request by which a viewer logs in, or None if it need not: without a login, or the second time."""
        return None if self._login is None or name in self._logged_in else self._login.filled(self.values_of(name))

    def logged_in(self, name: ViewerId, taken: Mapping[str, object]) -> None:
        """Remember what a viewer's login was answered."""
        self._logged_in[name] = taken

    def log_out(self, name: ViewerId) -> bool:
        """Forget a viewer's login, which the service does not take any more; return whether there was one."""
        return self._logged_in.pop(name, None) is not None

    def values_of(self, name: ViewerId) -> dict[str, object]:
        """Return the values of templates for a viewer, with those of its login."""
        return {**super().values_of(name), **self._logged_in.get(name, {})}

    def grab_request(self, values: Mapping[str, object], packet_id: PacketId, request_id: RequestId) -> FilledRequest:
        """Return the request that asks for a share."""
        return self._grab.filled({**values, "packet": packet_id, "request_id": request_id})

    def read_reply(self, http_status: int, body: bytes) -> Mapping[str, Any] | NotUnderstood:
        """Return ``status, amount_fen, index, claim_id`` of a reply."""
        return self._reader.read(_json(body), http_status)


@dataclass(frozen=True, slots=True)
class _SentRequest:
    """A request of a session; ``request_id`` is None for the login."""

    request: FilledRequest
    packet_id: PacketId
    request_id: RequestId | None


class HttpSession(PlainSession):
    """One kept-alive connection of one viewer, with one request in flight at a time: who taps again meanwhile waits."""

    __slots__ = (
        "_body", "_in_flight", "_left", "_name", "_netloc", "_prepared", "_protocol", "_refused", "_status",
        "_target", "_waiting", "_welcome",
    )  # fmt: skip

    def __init__(self, target: HttpTarget, netloc: str, name: ViewerId) -> None:
        self.patience_ns = target.patience_ns
        self.entered = False
        self.over = False
        self._target = target
        self._netloc = netloc
        self._name = name
        self._protocol = h11.Connection(h11.CLIENT)
        self._in_flight: _SentRequest | None = None
        self._waiting: deque[_SentRequest] = deque()
        self._prepared: dict[bytes, _SentRequest] = {}
        self._status = 0
        self._body = b""
        self._refused: Refusal | None = None
        self._welcome = False
        self._left = False

    def start(self) -> bytes:
        """Return the login, if there is one."""
        login = self._target.login_request(self._name)
        if login is None:
            self.entered = self._welcome = True
            return b""
        return self._sent(_SentRequest(login, PacketId(""), None))

    def feed(self, data: bytes) -> Sequence[CachedMessage]:
        """Take what was read and return the replies that end in it."""
        messages: list[CachedMessage] = []
        if data:
            self._read(data, messages)
        if self._welcome:
            self._welcome = False
            messages.insert(0, canonical.welcome())
        return messages

    def finish(self) -> Sequence[CachedMessage]:
        """Return the reply that ends with the connection, if its length was not stated."""
        messages: list[CachedMessage] = []
        if not self.over:
            self._read(b"", messages)
            self.over = True
        return messages

    def _read(self, data: bytes, messages: list[CachedMessage]) -> None:
        try:
            self._protocol.receive_data(data)
            while not self.over and self._in_flight is not None:
                event = self._protocol.next_event()
                if event in (h11.NEED_DATA, h11.PAUSED):
                    break
                self._take(event, messages)
        except h11.RemoteProtocolError as error:
            self._break(f"no HTTP: {error}", messages)

    def replies(self) -> Sequence[bytes]:
        """Return the request of who has waited for its turn."""
        if self._in_flight is None and self._waiting and self.entered and not self.over:
            return (self._sent(self._waiting.popleft()),)
        return ()

    def grab(self, packet_id: PacketId, request_id: RequestId) -> bytes:
        """Return what ``frame`` knows the request by."""
        request = self._target.grab_request(self._target.values_of(self._name), packet_id, request_id)
        asked = _SentRequest(request, packet_id, request_id)
        key = request_id.encode()
        self._prepared[key] = asked
        return key

    def frame(self, message: bytes) -> bytes:
        """Return the request as it goes onto the wire, or nothing if another one is in flight."""
        asked = self._prepared.pop(message)
        if self._in_flight is not None or self.over:
            self._waiting.append(asked)
            return b""
        return self._sent(asked)

    def close(self, code: int) -> bool:
        """An HTTP client just goes."""
        self._left = code == NORMAL
        return False

    def ending(self) -> tuple[int, str]:
        """Return 1000 if nothing was left unanswered, else 1006."""
        if self._left or (self._in_flight is None and not self._waiting):
            return NORMAL, ""
        return ABNORMAL, "closed before the reply"

    def rejection(self) -> Refusal:
        """Return why the login failed."""
        return self._refused or Refusal(None, "closed before the login was answered")

    def _sent(self, asked: _SentRequest) -> bytes:
        self._in_flight = asked
        request = asked.request
        headers = {"host": self._netloc, "content-length": str(len(request.body)), **request.headers}
        if not self._target.reuse and asked.request_id is not None:
            headers["connection"] = "close"
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        head = h11.Request(method=request.method, target=request.path, headers=fields)
        data = self._protocol.send(head) or b""
        if request.body:
            data += self._protocol.send(h11.Data(data=request.body)) or b""
        return data + (self._protocol.send(h11.EndOfMessage()) or b"")

    def _take(self, event: Any, messages: list[CachedMessage]) -> None:
        match event:
            case h11.Response():
                self._status, self._body = event.status_code, b""
            case h11.Data():
                self._body += bytes(event.data)
                if len(self._body) > BODY_BYTES_MAX:
                    self._break(f"a reply of more than {BODY_BYTES_MAX} bytes", messages)
            case h11.EndOfMessage():
                asked, self._in_flight = self._in_flight, None
                assert asked is not None
                if self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE:
                    self._protocol.start_next_cycle()
                else:
                    self.over = True
                self._answered(asked, messages)
            case h11.ConnectionClosed():
                self.over = True

    def _answered(self, asked: _SentRequest, messages: list[CachedMessage]) -> None:
        if asked.request_id is None:
            self._log_in()
            return
        if self._status == HTTPStatus.UNAUTHORIZED and self._target.log_out(self._name):
            self.over = True  # the next connection logs in again
        read = self._target.read_reply(self._status, self._body)
        if isinstance(read, NotUnderstood):
            told = canonical.no_receipt(asked.request_id, self._body, read.reason, what=read.what, mend=read.mend)
            messages.append(told)
        else:
            messages.append(canonical.receipt(asked.packet_id, asked.request_id, self._body, read))

    def _log_in(self) -> None:
        text = f"{self._status} {HTTPStatus(self._status).phrase if self._status in set(HTTPStatus) else ''}".strip()
        if not 200 <= self._status < 300:
            self._refuse(f"{text} (login) {self._body[:200].decode('utf-8', 'replace')}".strip())
            return
        document = _json(self._body)
        taken = {name: path.search(document) for name, path in self._target.taken.items()}
        for name, value in taken.items():
            if value is None or not str(value).isprintable():
                self._refuse(f"{text} (login) holds no {name}")
                return
        self._target.logged_in(self._name, taken)
        self.entered = self._welcome = True

    def _refuse(self, text: str) -> None:
        self._refused = Refusal(self._status, text)
        self.over = True

    def _break(self, reason: str, messages: list[CachedMessage]) -> None:
        """End a connection that cannot be understood any more."""
        self.over = True
        if self._in_flight is not None and self._in_flight.request_id is not None:
            messages.append(canonical.no_receipt(self._in_flight.request_id, self._body, reason))
        elif not self.entered:
            self._refused = Refusal(None, reason)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
