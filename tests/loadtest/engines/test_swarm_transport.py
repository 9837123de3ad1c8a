"""A seat's connection, against a transport that only writes down what it is told."""

import asyncio
import time
from typing import cast

import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from client_sim.behaviour import Behaviour
from client_sim.recorder import Recorder
from client_sim.session import Session
from client_sim.viewer import Viewer
from loadtest.engines.swarm_transport import HANDSHAKE_TIMEOUT_NS, NEVER_NS, ViewerConnection
from server.core.rooms.messages import PROTOCOL
from tests.client_sim.room_talk import MS, TARGET, fact, on_screen, seat, welcome


class Wire:
    """Stands where uvloop's transport would."""

    def __init__(self) -> None:
        self.written = b""
        self.aborts = 0
        self.reading = True

    def write(self, data: bytes) -> None:
        self.written += data

    def abort(self) -> None:
        self.aborts += 1

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Doorbook:
    """A house that writes down who came and went."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    def session(self, connection: ViewerConnection) -> Session:
        return TARGET.session(connection.viewer, TARGET.addresses[0])

    def arm(self, connection: ViewerConnection, wake_ns: int) -> None:
        connection.armed_ns = wake_ns

    def opened(self, _: ViewerConnection, __: int) -> None:
        self.noted.append("opened")

    def welcomed(self, connection: ViewerConnection) -> None:
        connection.connecting = False
        self.noted.append("welcomed")

    def lost(self, _: ViewerConnection, *, failure: str) -> None:
        self.noted.append(f"lost {failure}".strip())


class Door:
    """One connection with its wire; ``shake_hands`` answers as a server does."""

    def __init__(self, behaviour: Behaviour = Behaviour.EAGER) -> None:
        self.house = Doorbook()
        self.recorder = Recorder()
        self.connection = ViewerConnection(Viewer(seat(behaviour), 1, 50, self.recorder), self.house)
        self.wire = Wire()
        self.connection.connecting = True
        self.connection.connection_made(cast(asyncio.Transport, self.wire))

    def response(self) -> bytes:
        server = ServerProtocol(subprotocols=[PROTOCOL])  # type: ignore[list-item]
        server.receive_data(self.wire.written)
        (request,) = server.events_received()
        server.send_response(server.accept(request))  # type: ignore[arg-type]
        return b"".join(server.data_to_send())

    def connect(self, *packets: dict[str, object]) -> None:
        self.connection.data_received(self.response() + text(welcome(*packets)))
        self.wire.written = b""

    def heard(self) -> list[bytes]:
        """Return what the server would have understood since, and forget it."""
        server = ServerProtocol(state=State.OPEN)
        server.receive_data(self.wire.written)
        self.wire.written = b""
        return [bytes(frame.data) for frame in server.events_received() if isinstance(frame, Frame)]


def text(payload: bytes) -> bytes:
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


def test_the_request_is_one_that_a_library_accepts() -> None:
    """The hand-made upgrade names room, viewer and protocol, and websockets' server side takes it."""
    door = Door()
    head = door.wire.written
    assert head.startswith(b"GET /ws/rooms/r1?viewer=v0 HTTP/1.1\r\nHost: room.test:80\r\n")
    assert b"101 Switching Protocols" in door.response()


def test_a_welcome_may_ride_behind_the_handshake() -> None:
    """Response and welcome in one read: the viewer is in, and its first ping is on its way."""
    door = Door()
    door.connect()
    assert door.house.noted == ["opened", "welcomed"]
    assert door.recorder.connected == 1


def test_the_answer_may_come_in_pieces() -> None:
    """Byte by byte is the same handshake."""
    door = Door()
    for byte in door.response() + text(welcome()):
        door.connection.data_received(bytes([byte]))
    assert door.house.noted == ["opened", "welcomed"]


def test_an_accept_key_that_is_not_ours_is_refused() -> None:
    """An answer to somebody else's handshake is no door."""
    door = Door()
    door.connection.data_received(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: bm90IG91cnM=\r\n\r\n")
    assert door.wire.aborts == 1
    door.connection.connection_lost(None)
    assert door.house.noted == ["lost the answer to the handshake is wrong"]


def test_a_refusal_is_told() -> None:
    """The status and what the server said with it stand in the failure."""
    door = Door()
    door.connection.data_received(b'HTTP/1.1 503 Service Unavailable\r\nx: y\r\n\r\n{"code":"room_full"}')
    door.connection.connection_lost(None)
    assert door.house.noted == ['lost 503 Service Unavailable {"code":"room_full"}']


def test_nobody_waits_for_ever_at_the_door() -> None:
    """Without a welcome in time the socket is closed."""
    door = Door()
    assert door.connection.armed_ns < time.monotonic_ns() + HANDSHAKE_TIMEOUT_NS
    door.connection.wake(time.monotonic_ns() + HANDSHAKE_TIMEOUT_NS)
    assert door.wire.aborts == 1
    door.connection.connection_lost(None)
    assert door.house.noted == ["lost no answer to the handshake"]


def test_a_tap_goes_out_masked_and_whole() -> None:
    """When the opening has come the grab stands on the wire as a frame that a server reads."""
    door = Door()
    door.connect(on_screen(grab_in_ms=0, phase="grabbing"))
    door.connection.wake(time.monotonic_ns() + 1_000 * MS)
    assert any(b'"grab"' in message for message in door.heard())


def test_a_ping_of_the_server_is_answered() -> None:
    """A control frame goes through the Sans-I/O layer, and what follows it is heard."""
    door = Door()
    door.connect()
    door.connection.data_received(Frame(Opcode.PING, b"there?").serialize(mask=False) + text(fact("open", 1)))
    assert b"there?" in door.heard()
    door.connection.connection_lost(None)
    assert door.house.noted[-1] == "lost lost: 1006"


@pytest.mark.parametrize(("code", "noted"), [(1001, "lost"), (4008, "lost lost: 4008 too slow")])
def test_a_close_is_answered_and_its_code_told(code: int, noted: str) -> None:
    """Going away is no failure; being cut off is one. The server closes the socket, or we do after a while."""
    door = Door()
    door.connect()
    reason = "too slow" if code == 4008 else ""
    door.connection.data_received(Frame(Opcode.CLOSE, Close(code, reason).serialize()).serialize(mask=False))
    assert door.heard()[0][:2] == code.to_bytes(2, "big")
    assert door.wire.aborts == 0
    door.connection.wake(time.monotonic_ns() + HANDSHAKE_TIMEOUT_NS)
    assert door.wire.aborts == 1
    door.connection.connection_lost(None)
    assert door.house.noted[-1] == noted


def test_a_flaky_viewer_drops_its_line_after_the_tap() -> None:
    """The grab is on the wire, then the socket is gone without a word, and nobody calls it a failure."""
    door = Door(Behaviour.FLAKY)
    door.connect(on_screen(grab_in_ms=0, phase="grabbing"))
    door.connection.wake(time.monotonic_ns() + 1_000 * MS)
    assert door.wire.aborts == 1
    assert b'"grab"' in door.heard()[-1]
    door.connection.connection_lost(None)
    assert door.house.noted[-1] == "lost"
    assert door.recorder.failed == 0


def test_a_slow_reader_stops_reading_and_goes_on() -> None:
    """Reading pauses when it wants to, and resumes at the time it said."""
    door = Door(Behaviour.SLOW_READER)
    door.connect(on_screen(grab_in_ms=0, phase="grabbing"))
    resting_ns = time.monotonic_ns() + 1_100 * MS
    door.connection.wake(resting_ns)
    assert not door.wire.reading
    door.connection.wake(resting_ns + 500 * MS)
    assert not door.wire.reading
    door.connection.wake(resting_ns + 3_100 * MS)
    assert door.wire.reading


def test_who_leaves_says_goodbye_and_hears_no_more() -> None:
    """A close frame goes out; messages that still come are nobody's, and the history says 1000."""
    door = Door()
    door.connect()
    door.connection.leave()
    assert door.heard()[-1] == (1000).to_bytes(2, "big")
    door.connection.data_received(text(fact("open", 1)))
    door.connection.connection_lost(None)
    assert door.recorder.connected == 0
    assert not door.connection.connected


def test_a_connection_is_opened_again() -> None:
    """The same object comes back, and asks to go on where it stopped."""
    door = Door()
    door.connect()
    door.connection.data_received(text(fact("open", 1)))
    door.connection.connection_lost(None)
    door.connection.armed_ns = NEVER_NS
    again = Wire()
    door.connection.connection_made(cast(asyncio.Transport, again))
    assert b"GET /ws/rooms/r1?viewer=v0&epoch=e1&seq=1 " in again.written
