"""Frames by hand against the library's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode

from server.gateway.frames import close_frame, is_small_pong, small_text, text_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_text_frame_is_the_librarys(size: int) -> None:
    """At every edge of the length's encoding our frame is byte for byte what the library writes."""
    text = b"x" * size
    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)


def test_a_close_frame_is_the_librarys() -> None:
    """Code and reason are laid out as in the library's; a long reason is cut at a whole character."""
    assert close_frame(1008, "enough") == Frame(Opcode.CLOSE, Close(1008, "enough").serialize()).serialize(mask=False)
    cut = close_frame(4008, "雨" * 100)
    assert len(cut) <= 2 + 125
    assert set(cut[4:].decode()) == {"雨"}


@given(st.binary(max_size=125))
def test_a_small_text_frame_is_read(text: bytes) -> None:
    """Every frame that the library masks is unmasked."""
    assert small_text(Frame(Opcode.TEXT, text).serialize(mask=True)) == text


@given(st.binary(max_size=140), st.sampled_from(list(Opcode)), st.booleans(), st.booleans(), st.binary(max_size=3))
def test_nothing_else_is_taken_for_one(data: bytes, opcode: Opcode, fin: bool, mask: bool, more: bytes) -> None:
    """Of all frames, whole or followed by more, only a final masked text frame under 126 bytes is read here."""
    if opcode >= Opcode.CLOSE and (not fin or len(data) > 125):
        return  # the library writes no such control frame
    frame = Frame(opcode, data, fin=fin).serialize(mask=mask) + more
    plain = opcode is Opcode.TEXT and fin and mask and len(data) < 126 and not more
    assert (small_text(frame) is not None) == plain


@given(st.binary(max_size=200))
def test_garbage_is_never_read(data: bytes) -> None:
    """Bytes that are no whole small frame are left to the parser."""
    payload = small_text(data)
    assert payload is None or len(payload) == len(data) - 6 == data[1] & 0x7F


def test_a_part_of_a_frame_is_not_read() -> None:
    """Every beginning of a frame is left to the parser."""
    frame = Frame(Opcode.TEXT, b"x" * 125).serialize(mask=True)
    assert [size for size in range(len(frame)) if small_text(frame[:size]) is not None] == []


def test_a_pong_is_known() -> None:
    """A masked pong is distinguished from every other frame of its size."""
    assert is_small_pong(Frame(Opcode.PONG, b"").serialize(mask=True))
    assert is_small_pong(Frame(Opcode.PONG, b"x" * 125).serialize(mask=True))
    assert not is_small_pong(Frame(Opcode.PING, b"").serialize(mask=True))
    assert not is_small_pong(Frame(Opcode.PONG, b"").serialize(mask=True) * 2)
    assert not is_small_pong(Frame(Opcode.PONG, b"abcd").serialize(mask=False))
