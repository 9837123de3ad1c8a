"""The WebSocket target: any service that speaks JSON over a WebSocket, described in the scenario alone."""

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from client_sim.message_cache import CachedMessage
from client_sim.unread_answers import WHAT_MAX, shortened
from client_sim.viewer import Viewer
from client_sim.websocket import WebSocketSession
from loadtest.scenarios.target_scenario import DeclaredPacket
from loadtest.scenarios.target_spec import WebSocketTargetSpec
from loadtest.targets import canonical
from loadtest.targets.described_service import GRAB_PLACES, DescribedService
from loadtest.targets.http_request import HeaderTemplates
from loadtest.targets.port import Address
from loadtest.targets.reply import SECTION, JsonPath, Matcher, NotUnderstood, ReplyReader
from loadtest.targets.template import Document, Template
from server.core.ids import PacketId, RequestId

NEXT = "next"
CHATTER_MAX = 1_000  # kinds of messages that are known to answer nobody
_NS_PER_MS = 1_000_000


class WebSocketTarget(DescribedService):
    """
    A JSON WebSocket service. A subclass may override ``grab_message`` and ``read_reply``.

    ``chatter`` has the kinds of messages that no grab was waiting for.
    """

    def __init__(
        self, spec: WebSocketTargetSpec, *, packets: Sequence[DeclaredPacket], base_url: str, folder: Path
    ) -> None:
        super().__init__(spec, packets=packets, base_url=base_url, folder=folder)
        self.patience_ns = spec.grab.timeout_ms * _NS_PER_MS
        connect, receipt, opening = spec.connect, spec.receipt, spec.opening
        known = self.viewer_places | {"packet"}
        self._path = Template(self.base_path + connect.path, field="target.connect.path", known=known)
        headers = dict(connect.headers)
        if connect.subprotocol is not None:
            headers["Sec-WebSocket-Protocol"] = connect.subprotocol
        self._headers = HeaderTemplates(headers, field="target.connect.headers", known=known)
        self._hello = [Document(each, field="target.connect.hello", known=known) for each in connect.hello]
        self._grab = Document(spec.grab.send, field="target.grab.send", known=known | GRAB_PLACES)
        self._reader = ReplyReader(receipt)
        self.chatter: set[str] = set()
        self.ready = None if connect.ready is None else Matcher(connect.ready, field="target.connect.ready")
        self.receipt = None if receipt.where is None else Matcher(receipt.where, field="target.receipt.where")
        self.request = None if receipt.match == NEXT else JsonPath(receipt.match, field="target.receipt.match")
        self.opening = None if opening is None else Matcher(opening.where, field="target.opening.where")
        packet = None if opening is None else opening.packet
        self._packet = None if packet is None else JsonPath(packet, field="target.opening.packet")

    def session(self, viewer: Viewer, address: Address) -> "JsonSocketSession":
        """Return the session of a connection that is about to be opened."""
        values = self.values_of(viewer.seat.viewer_id)
        now = {**values, **self.moment(), "packet": self.packet_ids[0]}
        now["signature"] = self.signature(now)
        headers = self._headers.filled(now)
        hello = [orjson.dumps(document.value(now)) for document in self._hello]
        return JsonSocketSession(self, address.netloc, self._path.url(now), headers, hello=hello, values=values)

    def grab_message(self, values: Mapping[str, object], packet_id: PacketId, request_id: RequestId) -> bytes:
        """Return the message that asks for a share."""
        now = {**values, **self.moment(), "packet": packet_id, "request_id": request_id}
        now["signature"] = self.signature(now)
        return orjson.dumps(self._grab.value(now))

    def read_reply(self, document: Any) -> Mapping[str, Any] | NotUnderstood:
        """Return ``status, amount_fen, index, claim_id`` of a receipt."""
        return self._reader.read(document)

    def packet_of(self, document: Any) -> PacketId:
        """Return which packet an opening message opens."""
        return self.packet_ids[0] if self._packet is None else PacketId(str(self._packet.search(document)))


class JsonSocketSession(WebSocketSession):
    """One connection of one viewer."""

    __slots__ = ("_asked", "_hello", "_target", "_values", "_welcomed", "announces", "patience_ns", "unmapped")

    def __init__(
        self, target: WebSocketTarget, netloc: str, path: str, headers: Mapping[str, str], *, hello: list[bytes],
        values: Mapping[str, object],
    ) -> None:  # fmt: skip
        super().__init__(netloc, path, headers)
        self.patience_ns = target.patience_ns
        self.announces = target.opening is not None
        self.unmapped: CachedMessage | None = None
        self._target = target
        self._hello = hello
        self._values = values
        self._welcomed = False
        self._asked: deque[tuple[RequestId, PacketId]] = deque()  # the grabs without a receipt, in their order

    def feed(self, data: bytes) -> Sequence[CachedMessage]:
        """Take what was read; without a message that says so, the viewer is in when the handshake is done."""
        messages = super().feed(data)
        if self.entered and not self._welcomed and self._target.ready is None:
            self._welcomed = True
            return [canonical.welcome(), *messages]
        return messages

    def replies(self) -> Sequence[bytes]:
        """Return the greeting when the handshake is done, and what the frames have to answer."""
        replies = list(super().replies())
        if self.entered and self._hello:
            replies += [self.frame(message) for message in self._hello]
            self._hello = []
        return replies

    def read(self, payload: bytes) -> CachedMessage:
        """Return what a message of the service means. Raises ValueError if it is no JSON."""
        document, target = orjson.loads(payload), self._target
        if not self._welcomed and target.ready is not None and target.ready.fits(document):
            self._welcomed = True
            return canonical.welcome()
        if target.opening is not None and target.opening.fits(document):
            return canonical.opening(target.packet_of(document), payload)
        if target.receipt is None or target.receipt.fits(document):
            return self._receipt(document, payload)
        return self._unfit(document, payload)

    def grab(self, packet_id: PacketId, request_id: RequestId) -> bytes:
        """Return the message that asks for a share."""
        if not self._asked:
            self.unmapped = None
        self._asked.append((request_id, packet_id))
        return self._target.grab_message(self._values, packet_id, request_id)

    def _receipt(self, document: Any, payload: bytes) -> CachedMessage:
        asked = self._answered_by(document)
        if asked is None:
            return canonical.ignored(payload) if self._target.request is None else self._unfit(document, payload)
        request_id, packet_id = asked
        read = self._target.read_reply(document)
        if isinstance(read, NotUnderstood):
            return canonical.no_receipt(request_id, payload, read.reason, what=read.what, mend=read.mend)
        if self.unmapped is not None and not self._asked:  # it answered nobody
            self._note_chatter(self.unmapped.body["what"])
            self.unmapped = None
        return canonical.receipt(packet_id, request_id, payload, read)

    def _unfit(self, document: Any, payload: bytes) -> CachedMessage:
        """Handle a message that fits nothing in the scenario: it may be the answer to a grab that waits."""
        where, request = self._target.receipt, self._target.request
        fits = where is None or where.fits(document)
        told = "without the request's id" if where is None or fits else where.told(document)
        what = shortened(f"a message {told}", WHAT_MAX)
        mend = f"{SECTION}.{'match' if fits else 'where'}"
        reason = f"{what} is no receipt by target.receipt"
        if request is not None and request.search(document) is not None:
            asked = self._answered_by(document)
            if asked is not None and asked[1]:
                return canonical.no_receipt(asked[0], payload, reason, what=what, mend=mend)
        if not self._asked:
            self._note_chatter(what)
        elif what not in self._target.chatter:
            self.unmapped = canonical.no_receipt(self._asked[0][0], payload, reason, what=what, mend=mend)
        return canonical.ignored(payload)

    def _note_chatter(self, what: str) -> None:
        if len(self._target.chatter) < CHATTER_MAX:
            self._target.chatter.add(what)

    def _answered_by(self, document: Any) -> tuple[RequestId, PacketId] | None:
        """Return which grab a receipt answers: the oldest one, or that of the id that it names; None without any."""
        if self._target.request is None:
            return self._asked.popleft() if self._asked else None
        named = self._target.request.search(document)
        if named is None:
            return None
        request_id = RequestId(str(named))
        for asked in self._asked:
            if asked[0] == request_id:
                self._asked.remove(asked)
                return asked
        return request_id, PacketId("")  # nobody waits for it: the viewer knows whether it is the second one
