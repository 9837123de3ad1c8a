"""The message cache parses equal bytes once and is bounded."""

from hashlib import sha256

import pytest

from client_sim.message_cache import MessageCache, digest
from server.core.ids import OrderId, PacketId
from server.core.orders.trail import TrailStep
from server.core.rooms import messages
from server.core.rooms.feed import FactKind

OPEN = messages.fact(FactKind.OPEN, 7, 1_000, {"packet_id": "anna.1"})


def test_equal_bytes_are_parsed_once() -> None:
    """Ten thousand viewers share one parsed message."""
    hearing = MessageCache()
    first = hearing.parse(OPEN)
    assert hearing.parse(bytes(bytearray(OPEN))) is first
    assert (first.kind, first.seq, first.packet_id) == ("open", 7, "anna.1")
    assert first.hash == digest(OPEN) == sha256(OPEN).hexdigest()[:16]


def test_a_warmup_is_about_the_packet_it_carries() -> None:
    """The packet's id is found inside the packet too."""
    heard = MessageCache().parse(messages.fact(FactKind.WARMUP, 1, 0, {"packet": {"packet_id": "anna.2"}}))
    assert heard.packet_id == "anna.2"


def test_the_memory_is_bounded() -> None:
    """The oldest message is forgotten, and parsed anew if it comes again."""
    hearing = MessageCache(cached_max=2)
    first = hearing.parse(OPEN)
    for left in (5, 4):
        hearing.parse(messages.progress(PacketId("anna.1"), left))
    assert hearing.parse(OPEN) is not first


def test_what_is_told_to_one_is_not_remembered() -> None:
    """Receipts, pongs and trails come once; they must not push out what many hear."""
    hearing = MessageCache(cached_max=1)
    first = hearing.parse(OPEN)
    for client_ms in range(10):
        hearing.parse(messages.pong(client_ms, 0))
        hearing.parse(messages.trail(OrderId("o1"), TrailStep.PAID, client_ms))
    assert hearing.parse(OPEN) is first


@pytest.mark.parametrize(
    "payload", [b"", b"[1]", b'{"seq":1}', b'{"type":"open"}', b'{"type":"warmup","seq":1,"packet":{}}']
)
def test_nonsense_is_refused(payload: bytes) -> None:
    """Whatever is no message is a ValueError, whatever is wrong with it."""
    with pytest.raises(ValueError, match=r"."):
        MessageCache().parse(payload)
