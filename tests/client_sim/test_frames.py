"""Frames of a viewer's side, against those that websockets' own Sans-I/O layer writes."""

from random import Random

import pytest
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from client_sim.frames import MESSAGE_BYTES_MAX, Frames, text_frame, whole_text


def said(opcode: Opcode, payload: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=False)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 4_096, 65_535])
def test_a_text_frame_is_what_a_server_reads(size: int) -> None:
    """The library's server takes every size we write, unmasks it and finds the payload."""
    server = ServerProtocol(state=State.OPEN)
    server.receive_data(text_frame(b"x" * size))
    (frame,) = server.events_received()
    assert isinstance(frame, Frame)
    assert (frame.opcode, bytes(frame.data), frame.fin) == (Opcode.TEXT, b"x" * size, True)


def test_frames_are_masked_anew() -> None:
    """The mask of a frame is not that of the one before."""
    assert len({text_frame(b"x") for _ in range(20)}) > 10


@pytest.mark.parametrize("size", [0, 1, 125, 126, 300, 65_535])
def test_one_whole_text_is_taken_at_once(size: int) -> None:
    """Exactly one final text frame gives its payload; a byte less or more of it gives none."""
    frame = said(Opcode.TEXT, b"y" * size)
    assert whole_text(frame) == b"y" * size
    assert whole_text(frame[:-1]) is None
    assert whole_text(frame + b"\x81") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81",
        said(Opcode.PING, b"p"),
        said(Opcode.BINARY, b"b"),
        said(Opcode.TEXT, b"t", fin=False),
        b"\x81\x81mmmmt",
    ],
)
def test_everything_else_is_not_taken_at_once(data: bytes) -> None:
    """Control frames, fragments, masked frames and halves go the long way."""
    assert whole_text(data) is None


def test_messages_come_whole_however_the_bytes_are_cut() -> None:
    """Texts of all sizes, fragments with a ping between them: any cutting gives the same messages in order."""
    parts = [
        said(Opcode.TEXT, b"small"), said(Opcode.TEXT, b"m" * 300), said(Opcode.TEXT, b"one ", fin=False),
        said(Opcode.PING, b"?"), said(Opcode.CONT, b"message"), said(Opcode.TEXT, b"l" * 70_000),
        said(Opcode.TEXT, b""),
    ]  # fmt: skip
    whole = b"".join(parts)
    for seed in range(50):
        rng, frames, messages, answered, at = Random(seed), Frames(), [], b"", 0
        while at < len(whole):
            end = at + rng.choice((1, 2, 7, 300, 50_000))
            messages += frames.feed(whole[at:end])
            answered += b"".join(frames.replies())
            at = end
        assert messages == [b"small", b"m" * 300, b"one message", b"l" * 70_000, b""]
        assert answered[0] & 0x0F == Opcode.PONG
        assert frames.idle


def test_a_close_is_answered_and_told() -> None:
    """The other side's code and reason are the connection's end; the answer is ready to be written."""
    frames = Frames()
    assert frames.feed(said(Opcode.TEXT, b"last") + said(Opcode.CLOSE, Close(4008, "too far behind").serialize())) == [
        b"last"
    ]
    assert frames.over
    (reply,) = frames.replies()
    assert reply[0] & 0x0F == Opcode.CLOSE
    assert frames.ending() == (4008, "too far behind")
    assert frames.answered_code() == 4008


def test_a_goodbye_is_said_once() -> None:
    """A second close sends no second close frame, and the first awaits its answer."""
    frames = Frames()
    frames.close(1000)
    frames.close(1000)
    assert len(frames.replies()) == 1
    assert frames.ending() == (1000, "")
    assert frames.answered_code() == 1006


@pytest.mark.parametrize(
    ("nonsense", "code"),
    [
        (b"\x81\x81mmmmt", 1002),
        (b"\x83\x00", 1002),
        (b"\x81\x7f" + (MESSAGE_BYTES_MAX + 1).to_bytes(8, "big"), 1009),
    ],
)
def test_what_no_server_may_say_ends_the_connection(nonsense: bytes, code: int) -> None:
    """A masked frame, an unknown opcode and a message that is too big are answered with the right close code."""
    frames = Frames()
    assert frames.feed(nonsense) == []
    assert frames.over
    assert frames.replies()
    assert frames.ending()[0] == code
