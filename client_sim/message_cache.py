"""A cache of server messages: equal bytes are parsed once for all viewers of a process."""

from hashlib import sha256
from typing import Any

import orjson

from server.core.ids import PacketId
from server.core.rooms.feed import NUMBERED

UNREADABLE = "unreadable"  # the type of a payload that is no message
CACHED_MAX = 4_096  # distinct payloads remembered; more than a room says while its slowest viewer catches up
TOLD = frozenset({"progress", "countdown", "comments", "popup", "asset_widget"})
"""The messages without a number whose truth the audit judges (A14)."""

# Sent to one viewer only: not worth caching.
_OWN = (b'{"type":"receipt"', b'{"type":"pong"', b'{"type":"welcome"', b'{"type":"trail"')


def digest(payload: bytes) -> str:
    """Return the first 16 hex digits of the SHA-256 of a message."""
    return sha256(payload).hexdigest()[:16]


class CachedMessage:
    """
    One message, parsed. Raises ValueError if *payload* is no message.

    ``seq`` is 0 unless it is a room fact; ``is_told`` says that it has no number, and that its truth is judged.

    *body* is given if an adapter has translated it from *payload*, the bytes of another service.
    """

    __slots__ = ("_hash", "body", "is_told", "kind", "packet_id", "payload", "seq")

    def __init__(self, payload: bytes, body: Any = None) -> None:
        translated = body is not None
        body = body if translated else orjson.loads(payload)
        if not isinstance(body, dict) or not isinstance(body.get("type"), str):
            raise ValueError("a message is a JSON object with a type")
        self.payload = payload
        self.body: dict[str, Any] = body
        self.kind: str = body["type"]
        self.seq: int = body["seq"] if self.kind in NUMBERED and not translated else 0
        self.is_told = self.kind in TOLD and not translated
        packet = body.get("packet")
        packet_id = packet["packet_id"] if isinstance(packet, dict) else body.get("packet_id")
        self.packet_id = None if packet_id is None else PacketId(packet_id)
        self._hash = ""

    @classmethod
    def unreadable(cls, payload: bytes) -> "CachedMessage":
        """Return a message of type ``unreadable`` for bytes that are no message."""
        return cls(payload, {"type": UNREADABLE})

    @property
    def hash(self) -> str:
        """Return the digest that the history holds instead of the message."""
        if not self._hash:
            self._hash = digest(self.payload)
        return self._hash


class MessageCache:
    """The bounded cache of a process for broadcast messages."""

    def __init__(self, cached_max: int = CACHED_MAX) -> None:
        self._known: dict[bytes, CachedMessage] = {}
        self._max = cached_max

    def parse(self, payload: bytes) -> CachedMessage:
        """Return *payload* parsed, the same object for equal bytes. Raises ValueError if it is no message."""
        known = self._known.get(payload)
        if known is not None:
            return known
        try:
            message = CachedMessage(payload)
        except (KeyError, TypeError) as error:
            raise ValueError(f"a message lacks {error}") from None
        if not payload.startswith(_OWN):
            if len(self._known) >= self._max:
                del self._known[next(iter(self._known))]
            self._known[payload] = message
        return message
