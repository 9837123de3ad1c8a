"""A viewer's WebSocket to another service: greeting, readiness, openings, and receipts found by id or by order."""

from typing import Any

import orjson
import pytest
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from client_sim.message_cache import CachedMessage
from loadtest.targets.port import BadTarget
from loadtest.targets.websocket import JsonSocketSession
from server.core.ids import PacketId, RequestId
from tests.loadtest.targets.described import SOCKET, socket_session, socket_target, told

RECEIPT = {"type": "result", "code": "OK", "cents": 5}


class Line:
    """A session with a server at the other end of it."""

    def __init__(self, **fields: Any) -> None:
        self.session: JsonSocketSession = socket_session(socket_target(**fields))
        self.server = ServerProtocol()
        self.server.receive_data(self.session.start())
        (request,) = self.server.events_received()
        assert isinstance(request, Request)
        self.request = request
        self.server.send_response(self.server.accept(request))
        self.told = told(self.session.feed(b"".join(self.server.data_to_send())))

    def says(self, *documents: Any) -> list[tuple[str, Any]]:
        for document in documents:
            self.server.send_text(document if isinstance(document, bytes) else orjson.dumps(document))
        return told(self.session.feed(b"".join(self.server.data_to_send())))

    def hears(self, data: bytes) -> list[Any]:
        self.server.receive_data(data)
        frames = [event for event in self.server.events_received() if isinstance(event, Frame)]
        return [orjson.loads(frame.data) for frame in frames if frame.opcode is Opcode.TEXT]

    def grab(self, request_id: str, packet: str = "p1") -> Any:
        (sent,) = self.hears(self.session.frame(self.session.grab(PacketId(packet), RequestId(request_id))))
        return sent


def test_the_greeting_follows_the_handshake_once() -> None:
    line = Line()
    assert line.request.path == "/room/v0"
    assert line.hears(b"".join(line.session.replies())) == [{"user": "v0"}]
    assert list(line.session.replies()) == []


def test_a_viewer_is_in_when_the_service_says_so() -> None:
    line = Line()
    assert (line.session.entered, line.told) == (True, [])
    assert line.says({"type": "hello"}) == [("other", None)]
    assert line.says({"type": "joined"}) == [("welcome", None)]
    assert line.says({"type": "joined"}) == [("other", None)], "it comes in once"


def test_without_such_a_message_the_handshake_is_enough() -> None:
    line = Line(connect={"path": "/{viewer}"})
    assert line.told == [("welcome", None)]
    assert line.says({"type": "joined"}) == [("other", None)]


def test_headers_and_subprotocol_are_templates_of_one_line() -> None:
    connect = {"path": "/", "headers": {"X-User": "{viewer}"}, "subprotocol": "rain.v1"}
    request = Line(connect=connect).request
    assert (request.headers["X-User"], request.headers["Sec-WebSocket-Protocol"]) == ("v0", "rain.v1")
    with pytest.raises(BadTarget, match=r"target\.connect\.headers\.x-user: has a line break"):
        socket_session(socket_target(connect={"headers": {"X-User": "{viewer}\r\nX-Admin: 1"}}))


def test_an_opening_names_its_packet() -> None:
    line = Line()
    line.says({"type": "joined"})
    assert line.session.announces
    assert line.says({"type": "go", "packet": "p1"}) == [("open", "p1")]
    only = {**SOCKET["opening"], "packet": None}
    assert Line(opening=only).says({"type": "joined"}, {"type": "go"}) == [("welcome", None), ("open", "p1")]
    assert not Line(opening=None).session.announces


def test_receipts_are_found_by_their_id_in_any_order() -> None:
    line = Line()
    assert line.grab("r1") == {"action": "grab", "id": "r1", "of": "p1"}
    line.grab("r2", "p2")
    line.says({"type": "joined"})
    line.server.send_text(orjson.dumps({**RECEIPT, "id": "r2"}))
    line.server.send_text(orjson.dumps({**RECEIPT, "id": "r1", "code": "SOLD_OUT"}))
    messages = line.session.feed(b"".join(line.server.data_to_send()))
    named = [(each.body["request_id"], each.body["packet_id"], each.body["status"]) for each in messages]
    assert named == [("r2", "p2", "granted"), ("r1", "p1", "exhausted")]
    assert line.says({**RECEIPT, "id": "r1"}) == [("receipt", "granted")], "a second one is the viewer's to judge"


def test_receipts_without_ids_come_in_the_order_of_the_grabs() -> None:
    """A tap that is made again with its id waits for two of them."""
    line = Line(receipt={**SOCKET["receipt"], "match": "next"})
    line.says({"type": "joined"})
    for request_id in ("r1", "r2", "r1"):
        line.grab(request_id)
    for wanted in ("r1", "r2", "r1"):
        line.server.send_text(orjson.dumps(RECEIPT))
        (message,) = line.session.feed(b"".join(line.server.data_to_send()))
        assert message.body["request_id"] == wanted
    assert line.says(RECEIPT) == [("other", None)], "nobody has asked"


@pytest.mark.parametrize("document", [{"type": "chat"}, [], 7, None, RECEIPT, {"type": ["go"]}])
def test_messages_that_mean_nothing_change_nothing(document: Any) -> None:
    line = Line()
    line.says({"type": "joined"})
    line.grab("r1")
    assert line.says(document) == [("other", None)]
    assert line.says({**RECEIPT, "id": "r1"}) == [("receipt", "granted")]


def test_what_is_no_json_is_unreadable_and_an_unknown_word_is_no_receipt() -> None:
    line = Line()
    line.says({"type": "joined"})
    line.grab("r1")
    ((kind, _),) = line.says(b"not json")
    assert kind not in ("receipt", "other", "welcome")
    assert line.says({**RECEIPT, "id": "r1", "code": "?"}) == [("no_receipt", "r1")]


def test_a_grab_may_be_signed() -> None:
    grab = {"send": {"sign": "{signature}", "id": "{request_id}"}}
    assert len(Line(grab=grab, sign={"key": "k", "text": "{request_id}"}).grab("r1")["sign"]) == 64


def test_a_declared_timeout_is_the_viewers_patience() -> None:
    assert Line(grab={"send": {}, "timeout_ms": 250}).session.patience_ns == 250_000_000


def unmapped_of(line: Line) -> CachedMessage | None:
    return line.session.unmapped


SOLD = {"type": "error", "error": "sold_out"}


def test_a_message_that_nothing_maps_but_that_names_the_request_is_an_answer() -> None:
    """It fits no where: whether it is a refusal is not known, but the tap is not without an answer."""
    line = Line()
    line.says({"type": "joined"})
    line.grab("r1")
    assert line.says({**SOLD, "id": "r1"}) == [("no_receipt", "r1")]
    assert line.says({**SOLD, "id": "r1"}, {**SOLD, "id": "r7"}) == [("other", None), ("other", None)]


@pytest.mark.parametrize("match", ["id", "next"])
def test_a_message_that_nothing_maps_may_be_the_answer_of_a_tap_that_got_none(match: str) -> None:
    line = Line(receipt={**SOCKET["receipt"], "match": match})
    line.says({"type": "joined"})
    line.says({"type": "tick"})
    line.grab("r1")
    line.says({"type": "tick"})
    assert unmapped_of(line) is None, "such a message came also when nobody waited"
    line.says(SOLD)
    unmapped = unmapped_of(line)
    assert unmapped is not None
    assert (unmapped.kind, unmapped.body["what"]) == ("no_receipt", 'a message with type "error"')
    assert (unmapped.body["mend"], unmapped.payload) == ("[target.receipt].where", orjson.dumps(SOLD))


def test_a_message_beside_a_receipt_is_not_the_answer() -> None:
    """From then on it is known as chatter, on every connection."""
    line = Line()
    line.says({"type": "joined"})
    line.grab("r1")
    line.says({"type": "news"})
    line.says({**RECEIPT, "id": "r1"})
    line.grab("r2")
    line.says({"type": "news"})
    assert line.session.unmapped is None


def test_a_receipt_without_the_id_of_its_request_may_be_the_answer() -> None:
    line = Line()
    line.says({"type": "joined"})
    line.grab("r1")
    line.says(RECEIPT)
    unmapped = line.session.unmapped
    assert unmapped is not None
    assert (unmapped.body["what"], unmapped.body["mend"]) == (
        "a message without the request's id", "[target.receipt].match",
    )  # fmt: skip
