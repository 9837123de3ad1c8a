"""One viewer's connection as a state machine: text goes in, and what to do about it comes out."""

import re
from dataclasses import dataclass
from typing import NamedTuple, assert_never

from server.core.ids import PacketId, RequestId, ViewerId
from server.core.packets.claim import Claim, ClaimStatus, Grab
from server.core.rooms import messages
from server.core.rooms.messages import BadMessage, Comment, GrabMessage, Like, Ping

INVALID_DATA = 1007  # RFC 6455, 7.4.1: a text that is no UTF-8
POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1: we have had enough


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one connection may ask of us: messages per period (real milliseconds), grabs in flight, mistakes."""

    messages_max: int = 120  # a person taps twice a second, for a minute
    chatter_max: int = 60  # of these, comments and likes: everybody in the room has to read them
    period_ms: int = 60_000  # over this long the messages above are counted
    excess_max: int = 120  # refusals of further messages that we answer before we close
    grabs_in_flight_max: int = 10  # a burst of impatient taps; the answers come within milliseconds
    malformed_max: int = 10  # the tenth closes: by then it is no slip


class Take(NamedTuple):
    """Ask the packet's allocator for a share; ``Session.answered`` is due once the receipt is written."""

    packet_id: PacketId
    grab: Grab


class TurnAway(NamedTuple):
    """Answer a grab without asking anybody."""

    claim: Claim


class Correct(NamedTuple):
    """Tell this viewer what was wrong with its message."""

    text: bytes


class TellTime(NamedTuple):
    """Answer a ping with the room's time."""

    client_ms: int


class Close(NamedTuple):
    """End the connection with a code and a reason, after a last message (or b"")."""

    code: int
    reason: str
    text: bytes = b""


SessionEffect = Take | TurnAway | Correct | TellTime | Comment | Like | Close
"""A ``Comment`` or ``Like`` is passed on to the room as it came."""

# What nearly every message of a stampede looks like, letter by letter: a match needs no JSON parser, and what does not
# match goes to messages.decode(), which knows the whole truth.
_PLAIN_GRAB = re.compile(
    rb'\{"type":"grab","packet_id":"([A-Za-z0-9][A-Za-z0-9_.~-]{0,35})","request_id":"([A-Za-z0-9][A-Za-z0-9_.~-]{0,35})"\}'
)


class Session:
    """
    What the house remembers of one connected viewer.

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
        Take one text message of the viewer and return what to do.

        *now_ms* is real, from any clock that does not go back.
        """
        allowed = self.spend(now_ms)
        plain = _PLAIN_GRAB.fullmatch(payload)
        if plain is not None:
            packet_id, request_id = plain.groups()
            return self._grab(PacketId(packet_id.decode()), RequestId(request_id.decode()), allowed)
        return self._receive_any(payload, allowed, now_ms)

    def spend(self, now_ms: int) -> bool:
        """Take one token from the bucket; False if there is none. Control frames cost one each as well."""
        full_at = _drawn(self._full_at, now_ms, self._limits.messages_max, self._limits.period_ms)
        self._full_at = full_at or self._full_at
        return full_at > 0

    def answered(self, receipts: int) -> None:
        """Note that so many of the grabs taken have had their receipts."""
        self._grabs_in_flight -= receipts
        assert self._grabs_in_flight >= 0

    @property
    def waiting(self) -> bool:
        """Tell whether a grab taken has not had its receipt yet."""
        return self._grabs_in_flight > 0

    def refuse(self, code: str, detail: str) -> SessionEffect:
        """Answer what was no message: an error, and at last the end."""
        self._malformed += 1
        text = messages.error(code, detail)
        if self._malformed >= self._limits.malformed_max:
            return Close(POLICY_VIOLATION, "too many malformed messages", text)
        return Correct(text)

    def _grab(self, packet_id: PacketId, request_id: RequestId, allowed: bool) -> SessionEffect:
        if allowed and self._grabs_in_flight < self._limits.grabs_in_flight_max:
            self._grabs_in_flight += 1
            return Take(packet_id, Grab(self.viewer_id, request_id))
        claim = Claim(packet_id, self.viewer_id, request_id, ClaimStatus.RATE_LIMITED, edition=0)
        return TurnAway(claim) if allowed else self._exceed(TurnAway(claim))

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
                return TellTime(client_ms)
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
        return self._exceed(Correct(messages.error("rate_limited", detail)))


def _drawn(full_at: int, now_ms: int, most: int, period_ms: int) -> int:
    """Return when a bucket of *most* tokens, full again at *full_at*, is so after one more; 0 if it has none."""
    now = now_ms * most
    full_at = max(full_at, now) + period_ms
    return full_at if full_at - now <= period_ms * most else 0
