"""
The transport against a real WebSocket server, which runs in a process of its own.

gevent works here without patching anything: the transport uses gevent's sockets by name.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
import pytest
from gevent import socket
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from client_sim.message_cache import CachedMessage
from client_sim.websocket import WebSocketSession
from loadtest.engines.locust_transport import Connection, ConnectionFailed, ConnectionOver, connect
from loadtest.targets.redrain import RedrainTarget
from server.core.rooms.messages import PROTOCOL

HEADERS = {"Sec-WebSocket-Protocol": PROTOCOL}


class PlainSession(WebSocketSession):
    """A session whose messages are bytes that mean nothing."""

    def read(self, payload: bytes) -> CachedMessage:
        return CachedMessage.unreadable(payload)


def open_at(host: str, path: str, **more: float) -> Connection:
    target = RedrainTarget([host])
    return connect(target.addresses[0], PlainSession(target.addresses[0].netloc, path, HEADERS), **more)


def payloads_of(messages: list[CachedMessage]) -> list[bytes]:
    return [message.payload for message in messages]


@contextmanager
def wire(host: str, what: str) -> Iterator[Connection]:
    connection = open_at(host, f"/wire/{what}")
    try:
        yield connection
    finally:
        connection.abandon()


def hear(connection: Connection, count: int) -> list[bytes]:
    heard: list[bytes] = []
    while len(heard) < count:
        heard += payloads_of(connection.recv(10.0))
    return heard


@pytest.mark.parametrize("size", [0, 1, 125, 126, 300, 65_535])
def test_text_comes_back_as_it_was_sent(fake_room: str, size: int) -> None:
    """Masking, both short headers and the way back are right for every size of frame that is sent."""
    payload = bytes(65 + number % 26 for number in range(size))
    with wire(fake_room, "echo") as connection:
        connection.send(payload)
        assert hear(connection, 1) == [payload]


def test_many_messages_in_one_read_come_one_by_one(fake_room: str) -> None:
    """Frames that arrive together are told apart."""
    payloads = [b'{"n":%d}' % number for number in range(500)]
    with wire(fake_room, "echo") as connection:
        for payload in payloads:
            connection.send(payload)
        assert hear(connection, 500) == payloads


@pytest.mark.parametrize(
    ("what", "messages"),
    [
        ("halves", [b'{"n":1}', b"x" * 300, b'{"n":2}']),
        ("fragments", [b"one and two"]),
        ("ping-between-fragments", [b"before after", b"done"]),
        ("large", [b"y" * 200_000]),
        ("ping", [b"pong came"]),
    ],
)
def test_messages_are_whole_however_they_travel(fake_room: str, what: str, messages: list[bytes]) -> None:
    """Frames in pieces, messages in fragments, 64-bit lengths and pings all end in the right messages."""
    with wire(fake_room, what) as connection:
        assert hear(connection, len(messages)) == messages


@pytest.mark.parametrize(("what", "code"), [("too-large", 1009), ("masked", 1002), ("break", 1006)])
def test_a_connection_that_goes_wrong_is_over(fake_room: str, what: str, code: int) -> None:
    """A protocol error and a lost peer each end the connection with a close code."""
    with wire(fake_room, what) as connection:
        with pytest.raises(ConnectionOver) as over:
            hear(connection, 1)
        assert over.value.code == code
        with pytest.raises(ConnectionOver):
            connection.send(b"anybody there?")


def test_the_servers_goodbye_has_its_code(fake_room: str) -> None:
    """Messages before the close are still received."""
    with wire(fake_room, "goodbye") as connection:
        assert hear(connection, 1) == [b"bye"]
        with pytest.raises(ConnectionOver, match="4008 too far behind"):
            connection.recv(10.0)


def test_closing_shakes_hands(fake_room: str) -> None:
    """Our own close is answered with the same code, and the server closes its side first."""
    with wire(fake_room, "echo") as connection:
        assert connection.close(1000) == 1000


def test_waiting_ends_after_the_timeout(fake_room: str) -> None:
    """Nothing heard is an empty list, and the connection stays good."""
    with wire(fake_room, "echo") as connection:
        assert connection.recv(0.01) == []
        connection.send(b"still here")
        assert hear(connection, 1) == [b"still here"]


def test_a_closed_port_is_refused() -> None:
    """The failure says why."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(ConnectionFailed, match="refused"):
        open_at(f"http://127.0.0.1:{port}", "/ws/rooms/r1?viewer=v0")


def answer_once(listener: socket.socket, response: bytes) -> None:
    peer, _ = listener.accept()
    with peer:
        peer.recv(65_536)
        peer.sendall(response)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n" + b'{"code":"room_full"}', "503 Service Unavailable.*room_full"),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n", "handshake is wrong"),
        (b"", "no answer"),
    ],
)
def test_an_answer_that_is_no_welcome_is_told(response: bytes, reason: str) -> None:
    """The HTTP status, its text, or what is wrong with the handshake stands in the failure."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        answering = gevent.spawn(answer_once, listener, response)
        with pytest.raises(ConnectionFailed, match=reason):
            open_at(f"http://127.0.0.1:{listener.getsockname()[1]}", "/")
        answering.join()


def test_a_server_that_never_answers_times_out() -> None:
    """The handshake has a deadline."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(ConnectionFailed, match="timed out"):
            open_at(f"http://127.0.0.1:{listener.getsockname()[1]}", "/", timeout_s=0.05)


def test_messages_behind_the_handshake_are_not_lost() -> None:
    """A server may send its welcome in the same packet as the 101."""

    def greet(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer:
            protocol = ServerProtocol(subprotocols=[])
            protocol.receive_data(peer.recv(65_536))
            (request,) = protocol.events_received()
            protocol.send_response(protocol.accept(request))  # type: ignore[arg-type]
            peer.sendall(b"".join(protocol.data_to_send()) + Frame(Opcode.TEXT, b"hello").serialize(mask=False))

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        greeting = gevent.spawn(greet, listener)
        connection = open_at(f"http://127.0.0.1:{listener.getsockname()[1]}", "/")
        assert payloads_of(connection.recv(10.0)) == [b"hello"]
        with pytest.raises(ConnectionOver):
            connection.recv(10.0)
        greeting.join()
        connection.abandon()


def test_a_slow_reader_gets_all_of_it(fake_room: str) -> None:
    """More than the socket takes at once is sent piece by piece while the other side catches up."""
    payload = b"z" * 60_000

    def send_often() -> None:
        for _ in range(100):
            connection.send(payload)

    with wire(fake_room, "echo") as connection:
        sending = gevent.spawn(send_often)
        assert all(message == payload for message in hear(connection, 100))
        sending.join()


def test_other_greenlets_run_while_one_waits(fake_room: str) -> None:
    """Waiting for a message blocks nobody else."""
    turns: list[float] = []

    def tick() -> None:
        for _ in range(5):
            turns.append(time.monotonic())
            gevent.sleep(0)

    with wire(fake_room, "echo") as connection:
        ticking = gevent.spawn(tick)
        connection.recv(0.05)
        assert len(turns) == 5
        ticking.join()
