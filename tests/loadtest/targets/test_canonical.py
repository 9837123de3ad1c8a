"""A viewer reads messages of other services like those of this server."""

from client_sim.message_cache import MessageCache
from loadtest.targets import canonical
from server.core.ids import PacketId, RequestId

SHARE = {"status": "granted", "amount_fen": 5, "index": 0, "claim_id": "c1"}


def test_a_receipt_has_the_fields_of_ours() -> None:
    receipt = canonical.receipt(PacketId("p1"), RequestId("r1"), b"{}", SHARE)
    assert receipt.kind == "receipt"
    assert receipt.body == {"type": "receipt", "request_id": "r1", "packet_id": "p1", "edition": None, **SHARE}


def test_no_message_is_a_numbered_fact() -> None:
    """Facts have numbers, whose gaps would be violations; no other service promises them."""
    numbered = MessageCache().parse(b'{"type":"open","seq":3,"packet_id":"p1"}')
    messages = [
        canonical.welcome(), canonical.opening(PacketId("p1"), b"{}"), canonical.ignored(b"{}"),
        canonical.no_receipt(RequestId("r1"), b"{}", "why"),
        canonical.receipt(PacketId("p1"), RequestId("r1"), b"{}", SHARE),
    ]  # fmt: skip
    assert numbered.seq == 3
    assert [(message.kind, message.seq) for message in messages] == [
        ("welcome", 0), ("open", 0), ("other", 0), ("no_receipt", 0), ("receipt", 0),
    ]  # fmt: skip
