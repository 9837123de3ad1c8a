"""The codec: whatever way a stream of frames is cut, the same messages come out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode

from server.gateway.codec import Codec
from tests.gateway.house import masked

TEXTS = st.lists(st.binary(min_size=0, max_size=300), max_size=6)


def texts_of(codec: Codec, data: bytes) -> list[bytes]:
    return [whole[1] for frame in codec.feed(data) if (whole := codec.message(frame)) is not None]


@given(TEXTS, st.data())
def test_cuts_do_not_matter(texts: list[bytes], data: st.DataObject) -> None:
    """Cut anywhere, frames give the same texts, and nothing is left inside after the last byte and only then."""
    stream = b"".join(masked(text) for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    ends = {sum(len(masked(text)) for text in texts[:n]) for n in range(len(texts) + 1)}
    codec, received, fed = Codec(4_096), [], 0
    for cut in [*cuts, len(stream)]:
        received += texts_of(codec, stream[fed:cut])
        fed = cut
        assert codec.empty == (fed in ends)
    assert received == texts


@pytest.mark.parametrize("size", [0, 125, 126, 4_096])
def test_a_whole_frame_leaves_nothing_behind(size: int) -> None:
    """At every edge of the length's encoding a frame that has come out leaves the codec empty."""
    codec = Codec(4_096)
    assert texts_of(codec, masked(b"x" * size)) == [b"x" * size]
    assert codec.empty


@given(st.lists(st.binary(max_size=200), min_size=2, max_size=6))
def test_fragments_make_one_text(parts: list[bytes]) -> None:
    """A message in fragments is told once, whole, and the codec is not empty before it."""
    codec = Codec(4_096)
    for number, part in enumerate(parts):
        head = (0x01 if number == 0 else 0x00) | (0x80 if number == len(parts) - 1 else 0)
        received = texts_of(codec, masked(part, head=head))
        assert codec.empty == (number == len(parts) - 1)
    assert received == [b"".join(parts)]


def test_a_ping_is_answered_between_fragments() -> None:
    """Control frames are replied to and are no part of a message."""
    codec = Codec(4_096)
    assert texts_of(codec, masked(b"a", head=0x01) + masked(b"!", head=0x89)) == []
    assert b"".join(codec.replies()) == Frame(Opcode.PONG, b"!").serialize(mask=False)
    assert texts_of(codec, masked(b"b", head=0x80)) == [b"ab"]


@pytest.mark.parametrize(
    ("data", "failure", "code"),
    [
        (masked(b"x" * 11), "too_big", 1009),
        (masked(b"x" * 6, head=0x01) + masked(b"x" * 6, head=0x80), "too_big", 1009),
        (b"\x81\x01x", "bad_frame", 1002),
        (masked(b"\x03\xe8\xff", head=0x88), "bad_utf8", 1007),
        (masked(Close(1001, "bye").serialize(), head=0x88), "", 1001),
    ],
)
def test_an_end_is_an_end(data: bytes, failure: str, code: int) -> None:
    """After an error or a close the codec has failed, and its reply is the close frame."""
    codec = Codec(10)
    codec.feed(data)
    assert codec.failed
    assert not codec.empty
    assert codec.failure == failure
    reply = b"".join(codec.replies())
    assert reply[0] == 0x88
    assert int.from_bytes(reply[2:4], "big") == code


def test_a_length_longer_than_needed_keeps_the_codec() -> None:
    """A peer that writes small lengths in long form is understood; its codec is only not dropped."""
    codec = Codec(4_096)
    frame = b"\x81\xfe\x00\x02" + b"\0\0\0\0" + b"{}"
    assert texts_of(codec, frame) == [b"{}"]
    assert not codec.empty
    assert not codec.failed
