"""One viewer's connection as a state machine: text messages go in, effects come out."""

import re
from dataclasses import dataclass
from typing import NamedTuple, assert_never

from server.core.ids import PacketId, RequestId, ViewerId
from server.core.packets.claim import Claim, ClaimStatus, Grab
from server.core.rooms import messages
from server.core.rooms.messages import BadMessage, Comment, GrabMessage, Like, Ping

INVALID_DATA = 1007  # RFC 6455, 7.4.1: a text that is not UTF-8
POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1: the viewer broke our limits


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Limits of one connection: messages per period (real milliseconds), grabs in flight, malformed messages."""

    messages_max: int = 120  # a person taps twice a second, for a minute
    chatter_max: int = 60  # of these, comments and likes, which go to everybody in the room
    period_ms: int = 60_000  # the period of the two limits above
    excess_max: int = 120  # refused messages that we answer before we close
    grabs_in_flight_max: int = 10  # a burst of impatient taps; answers take milliseconds
    malformed_max: int = 10  # the tenth closes the connection


class Take(NamedTuple):
    """Ask the packet's allocator for a share; ``Session.answered`` is due once the receipt is written."""

    packet_id: PacketId
    grab: Grab


class RejectGrab(NamedTuple):
    """Refuse a grab without asking the allocator."""

    claim: Claim


class SendError(NamedTuple):
    """Send this viewer an error about its message."""

    text: bytes


class SendPong(NamedTuple):
    """Answer a ping with the room's time."""

    client_ms: int


class Close(NamedTuple):
    """Close the connection with a code and a reason, after a last message (or b"")."""

    code: int
    reason: str
    text: bytes = b""


SessionEffect = Take | RejectGrab | SendError | SendPong | Comment | Like | Close
"""A ``Comment`` or ``Like`` is passed on to the room unchanged."""

# The exact form of nearly every message of a stampede: a match needs no JSON parser, and everything else goes to
# messages.decode().
_PLAIN_GRAB = re.compile(
    rb'\{"type":"grab","packet_id":"([A-Za-z0-9][A-Za-z0-9_.~-]{0,35})","request_id":"([A-Za-z0-9][A-Za-z0-9_.~-]{0,35})"\}'
)


class Session:
    """
    The state of one connected viewer.

    A limit per period is a token bucket kept as one integer: the instant at which the bucket would be full again, in
    milliseconds times the limit, so that no rounding accumulates.
    """

    __slots__ = ("_chatter_full_at", "_excess", "_full_at", "_grabs_in_flight", "_limits", "_malformed", "viewer_id")

    def __init__(self, viewer_id: ViewerId, limits: SessionLimits) -> None:
        self.viewer_id = viewer_id
        self._limits = limits
        self._full_at = 0
        self._chatter_full_at = 0
        self._excess = 0
        self._malformed = 0
        self._grabs_in_flight = 0

    def receive(self, payload: bytes, now_ms: int) -> SessionEffect:
        """
        Take one text message of the viewer and return the effect.

        *now_ms* is real, from any clock that does not go back.
        """
        allowed = self.spend(now_ms)
        plain = _PLAIN_GRAB.fullmatch(payload)
        if plain is not None:
            packet_id, request_id = plain.groups()
            return self._grab(PacketId(packet_id.decode()), RequestId(request_id.decode()), allowed)
        return self._receive_any(payload, allowed, now_ms)

    def spend(self, now_ms: int) -> bool:
        """Take one token from the bucket; return False if there is none. Control frames cost one each as well."""
        full_at = _drawn(self._full_at, now_ms, self._limits.messages_max, self._limits.period_ms)
        self._full_at = full_at or self._full_at
        return full_at > 0

    def answered(self, receipts: int) -> None:
        """Note that this many grabs have received their receipts."""
        self._grabs_in_flight -= receipts
        assert self._grabs_in_flight >= 0

    @property
    def waiting(self) -> bool:
        """Return whether a grab still waits for its receipt."""
        return self._grabs_in_flight > 0

    def refuse(self, code: str, detail: str) -> SessionEffect:
        """Answer a malformed message with an error, and at the limit close the connection."""
        self._malformed += 1
        text = messages.error(code, detail)
        if self._malformed >= self._limits.malformed_max:
            return Close(POLICY_VIOLATION, "too many malformed messages", text)
        return SendError(text)

    def _grab(self, packet_id: PacketId, request_id: RequestId, allowed: bool) -> SessionEffect:
        if allowed and self._grabs_in_flight < self._limits.grabs_in_flight_max:
            self._grabs_in_flight += 1
            return Take(packet_id, Grab(self.viewer_id, request_id))
        claim = Claim(packet_id, self.viewer_id, request_id, ClaimStatus.RATE_LIMITED, edition=0)
        return RejectGrab(claim) if allowed else self._exceed(RejectGrab(claim))

    def _receive_any(self, payload: bytes, allowed: bool, now_ms: int) -> SessionEffect:
        try:
            payload.decode()
        except UnicodeDecodeError:
            return Close(INVALID_DATA, "a text message must be UTF-8")
        try:
            message = messages.decode(payload)
        except BadMessage as bad:
            return self.refuse(bad.code, bad.detail)
        if isinstance(message, GrabMessage):
            return self._grab(message.packet_id, message.request_id, allowed)
        if not allowed:
            return self._too_many(self._limits.messages_max, "messages")
        match message:
            case Ping(client_ms):
                return SendPong(client_ms)
            case Comment() | Like():
                if self._spend_on_chatter(now_ms):
                    return message
                return self._too_many(self._limits.chatter_max, "comments and likes")
        assert_never(message)

    def _spend_on_chatter(self, now_ms: int) -> bool:
        full_at = _drawn(self._chatter_full_at, now_ms, self._limits.chatter_max, self._limits.period_ms)
        self._chatter_full_at = full_at or self._chatter_full_at
        return full_at > 0

    def _exceed(self, answer: SessionEffect) -> SessionEffect:
        self._excess += 1
        return Close(POLICY_VIOLATION, "too many messages") if self._excess >= self._limits.excess_max else answer

    def _too_many(self, most: int, what: str) -> SessionEffect:
        detail = f"at most {most} {what} in {self._limits.period_ms} ms"
        return self._exceed(SendError(messages.error("rate_limited", detail)))


def _drawn(full_at: int, now_ms: int, most: int, period_ms: int) -> int:
    """Return when a bucket of *most* tokens is full again after taking one more; 0 if it has none left."""
    now = now_ms * most
    full_at = max(full_at, now) + period_ms
    return full_at if full_at - now <= period_ms * most else 0
