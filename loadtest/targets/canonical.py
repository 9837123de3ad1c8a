"""Messages of other services in the form of this one, which viewers, history and audit know."""

from collections.abc import Mapping
from typing import Any

from client_sim.message_cache import CachedMessage
from server.core.ids import PacketId, RequestId


def welcome() -> CachedMessage:
    """Return the message by which a viewer of another service is in."""
    nowhere: dict[str, Any] = {"epoch": None, "seq": 0, "resync": None, "resume": "", "packets": []}
    return CachedMessage(b"", {"type": "welcome", **nowhere})


def opening(packet_id: PacketId, payload: bytes) -> CachedMessage:
    """Return the message that a packet can be grabbed from now on."""
    return CachedMessage(payload, {"type": "open", "packet_id": packet_id})


def receipt(packet_id: PacketId, request_id: RequestId, payload: bytes, read: Mapping[str, Any]) -> CachedMessage:
    """Return a receipt; *read* has ``status``, and of ``amount_fen, index, claim_id`` what is known."""
    named = {"type": "receipt", "request_id": request_id, "packet_id": packet_id, "edition": None}
    return CachedMessage(payload, {**named, "amount_fen": None, "index": None, "claim_id": None, **read})


def no_receipt(request_id: RequestId, payload: bytes, reason: str, *, what: str = "", mend: str = "") -> CachedMessage:
    """
    Return the message that a grab's outcome is unknown: its reply says nothing that is understood.

    *what* was answered, in a word by which such replies are counted, and *mend* names where to explain it.
    """
    told = {"reason": reason, "what": what, "mend": mend}
    return CachedMessage(payload, {"type": "no_receipt", "request_id": request_id, **told})


def ignored(payload: bytes) -> CachedMessage:
    """Return a message that means nothing to a viewer."""
    return CachedMessage(payload, {"type": "other"})
