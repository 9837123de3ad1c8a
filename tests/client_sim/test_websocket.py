"""The session of a WebSocket without a socket: against the server side of websockets' Sans-I/O layer."""

from typing import Any

import pytest
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from client_sim.message_cache import CachedMessage
from client_sim.websocket import WebSocketSession


class Shouting(WebSocketSession):
    """A session whose messages are texts."""

    def read(self, payload: bytes) -> CachedMessage:
        if payload == b"nonsense":
            raise ValueError(payload)
        return CachedMessage(payload, {"type": "text"})


def a_session() -> tuple[Shouting, ServerProtocol]:
    session, server = Shouting("room.test:80", "/ws?x=1", {"X-Who": "ann"}), ServerProtocol()
    server.receive_data(session.start())
    return session, server


def accepted(server: ServerProtocol) -> bytes:
    (request,) = server.events_received()
    server.send_response(server.accept(request))  # type: ignore[arg-type]
    return b"".join(server.data_to_send())


def text(payload: bytes) -> bytes:
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


def test_the_handshake_carries_path_and_headers() -> None:
    """A library takes the request, and its answer lets the viewer in."""
    session, server = a_session()
    (request,) = events = server.events_received()
    asked: Any = request
    assert (asked.path, asked.headers["X-Who"], asked.headers["Host"]) == ("/ws?x=1", "ann", "room.test:80")
    assert len(events) == 1
    server.send_response(server.accept(asked))
    assert not session.entered
    assert session.feed(b"".join(server.data_to_send())) == []
    assert session.entered


@pytest.mark.parametrize("at_once", [True, False])
def test_messages_come_whole_with_the_handshake_or_after_it(at_once: bool) -> None:
    """However the bytes are cut, the messages are the same; one that cannot be read says so."""
    session, server = a_session()
    data = accepted(server) + text(b"one") + text(b"nonsense") + text(b"x" * 300)
    pieces = [data] if at_once else [bytes([byte]) for byte in data]
    heard = [message for piece in pieces for message in session.feed(piece)]
    assert [message.kind for message in heard] == ["text", "unreadable", "text"]
    session.replies()
    assert [message.payload for message in session.feed(text(b"plain"))] == [b"plain"]


def test_a_refusal_has_status_and_text() -> None:
    """The body is part of the text; nothing at all is another thing."""
    session, _ = a_session()
    assert session.rejection().text == "no answer to the handshake"
    session.feed(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 4\r\n\r\nnope")
    assert session.over
    assert (session.rejection().status, session.rejection().text) == (401, "401 Unauthorized nope")
    assert session.replies() == ()


def test_a_goodbye_is_said_once() -> None:
    """The close frame stands among the replies, and the code is remembered."""
    session, server = a_session()
    session.feed(accepted(server))
    session.close(1000)
    server.receive_data(b"".join(session.replies()))
    assert server.close_rcvd is not None
    assert server.close_rcvd.code == 1000
    assert session.ending()[0] == 1000
