"""
One seat's connection on an event loop: a protocol around the pure viewer, without a task and without a timer.

A read that is exactly one text frame, which nearly all are, is handed over by slicing; everything else goes
through client_sim/frames.py, which is made for it and dropped when it holds nothing any more.
"""

import asyncio
import base64
import secrets
import time
from collections.abc import Sequence
from typing import Protocol, cast

from websockets.utils import accept_key

from client_sim.frames import ABNORMAL, NORMAL, Frames, text_frame, whole_text
from client_sim.viewer import Drop, Effect, Rest, Send, Viewer
from server.core.rooms.messages import PROTOCOL

NEVER_NS = 2**63 - 1
HANDSHAKE_TIMEOUT_NS = 10_000_000_000
CLOSE_TIMEOUT_NS = 2_000_000_000  # how long to wait for the server's side of the close
HEAD_BYTES_MAX = 16_384  # of the answer to the handshake
LEFT_IN_ORDER = frozenset({1000, 1001})  # the server said goodbye: no failure
_NS_PER_MS = 1_000_000


class House(Protocol):
    """Who holds the connections: it wakes them, and hears when they come and go."""

    netlocs: Sequence[str]

    def arm(self, connection: "ViewerConnection", wake_ns: int) -> None:
        """Wake *connection* at *wake_ns* at the latest."""

    def opened(self, connection: "ViewerConnection", now_ns: int) -> None:
        """Take note that the handshake is done."""

    def welcomed(self, connection: "ViewerConnection") -> None:
        """Take note that its viewer is in the room."""

    def lost(self, connection: "ViewerConnection", *, failure: str) -> None:
        """Take note that it is gone; with a *failure* it was nobody's wish."""


class ViewerConnection(asyncio.Protocol):
    """
    One seat over all its connections: the same object is opened again and again.

    ``armed_ns`` is when the house will wake it; the house sets it.
    """

    __slots__ = (
        "_accept",
        "_deadline_ns",
        "_dropped",
        "_frames",
        "_head",
        "_house",
        "_opened",
        "_rests_until_ns",
        "_transport",
        "armed_ns",
        "asked_ns",
        "connecting",
        "door",
        "viewer",
    )  # fmt: skip

    def __init__(self, viewer: Viewer, house: House) -> None:
        self.viewer = viewer
        self.armed_ns = NEVER_NS
        self.asked_ns = 0  # when it began to connect, or was to
        self.door = 0  # at which of the servers it asks
        self.connecting = False  # on the way in: counted among the house's handshakes
        self._house = house
        self._transport: asyncio.Transport | None = None
        self._accept: bytes | None = None  # what the answer to the handshake must hold, until it has come
        self._head = b""  # of that answer, as far as it has come
        self._frames: Frames | None = None
        self._deadline_ns = NEVER_NS
        self._rests_until_ns = NEVER_NS
        self._opened = False
        self._dropped = False

    @property
    def connected(self) -> bool:
        """Whether there is a socket."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to be let in."""
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is one, but does not say so
        self._opened = self._dropped = False
        self._rests_until_ns = NEVER_NS
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self._accept = accept_key(key).encode()
        self._frames = Frames()
        self._deadline_ns = time.monotonic_ns() + HANDSHAKE_TIMEOUT_NS
        transport.write(
            f"GET {self.viewer.path} HTTP/1.1\r\nHost: {self._house.netlocs[self.door]}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n".encode()
        )
        self._rearm()

    def data_received(self, data: bytes) -> None:
        """Hand messages to the viewer, and do what it wants."""
        if self._frames is None:
            payload = whole_text(data)
            if payload is not None:
                self._hear(payload)
                return
            self._frames = Frames()
        self._read(data)

    def eof_received(self) -> None:
        """Let the transport close: nobody speaks any more."""

    def connection_lost(self, _: Exception | None) -> None:
        """Tell the viewer and the house."""
        code, reason = (ABNORMAL, "") if self._frames is None else self._frames.ending()
        failure = ""
        if not self._opened:
            failure = self._why_not_in()
            if failure.startswith("401"):
                self.viewer.admission.turned_away()
        elif code not in LEFT_IN_ORDER and not self._dropped:
            failure = f"lost: {code} {reason}".rstrip()
        self._transport = self._accept = self._frames = None
        self._head = b""
        self._deadline_ns = NEVER_NS
        self.viewer.closed(time.monotonic_ns(), code)
        self._house.lost(self, failure=failure)

    def wake(self, now_ns: int) -> None:
        """Do what is due at *now_ns*."""
        if self._transport is None:
            return
        if now_ns >= self._deadline_ns:
            self._deadline_ns = NEVER_NS
            self._transport.abort()
            return
        if now_ns >= self._rests_until_ns:
            self._rests_until_ns = NEVER_NS
            self._transport.resume_reading()
        wake_ns = self.viewer.next_wakeup_ns()
        if wake_ns is not None and wake_ns <= now_ns:
            self._carry_out(self.viewer.wake(now_ns))
        self._rearm()

    def leave(self) -> None:
        """Close as people do, with a word; whoever is not in the room yet just goes."""
        self.viewer.closed(time.monotonic_ns(), NORMAL)
        transport = self._transport
        if transport is None:
            return
        if not self._opened:
            transport.abort()
            return
        if self._rests_until_ns != NEVER_NS:
            self._rests_until_ns = NEVER_NS
            transport.resume_reading()
        self._frames = self._frames or Frames()
        self._frames.close(NORMAL)
        self._reply(self._frames)

    def abandon(self) -> None:
        """Close the socket without a word."""
        if self._transport is not None:
            self._dropped = True
            self._transport.abort()

    def _read(self, data: bytes) -> None:
        frames = self._frames
        assert frames is not None
        if self._accept is not None:
            data = self._shake_hands(self._accept, data)
            if self._accept is not None:
                return
        messages = frames.feed(data)
        self._reply(frames)
        if frames.idle:
            self._frames = None
        for message in messages:
            self._hear(message)

    def _reply(self, frames: Frames) -> None:
        if self._transport is not None:
            for data in frames.replies():
                self._transport.write(data)
        if frames.over and self._deadline_ns == NEVER_NS:
            # Who closes first keeps the port busy for a minute: that is the server's part.
            self._deadline_ns = time.monotonic_ns() + CLOSE_TIMEOUT_NS
            self._rearm()

    def _hear(self, payload: bytes) -> None:
        viewer = self.viewer
        if self._dropped or not viewer.connected:
            return  # it has left already
        effects = viewer.receive(payload, time.monotonic_ns())
        if effects:
            self._carry_out(effects)
        if self.connecting and viewer.welcomed:
            self._deadline_ns = NEVER_NS
            self._house.welcomed(self)
        wake_ns = viewer.next_wakeup_ns()
        if wake_ns is not None and wake_ns < self.armed_ns:
            self._house.arm(self, wake_ns)

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if self._transport is None or self._dropped:
                return
            match effect:
                case Send(payload):
                    self._transport.write(text_frame(payload))
                case Drop():
                    self.abandon()
                case Rest(until_ns):
                    self._rests_until_ns = until_ns
                    self._transport.pause_reading()
                    self._house.arm(self, until_ns)

    def _shake_hands(self, accept: bytes, data: bytes) -> bytes:
        """Read the answer to the handshake and return what came behind it; the door is open when it was right."""
        assert self._transport is not None
        head = self._head = self._head + data
        end = head.find(b"\r\n\r\n")
        if end < 0 and len(head) <= HEAD_BYTES_MAX:
            return b""
        status, *fields = head[: max(end, 0)].split(b"\r\n")
        named = {name.strip().lower(): value.strip() for name, _, value in (field.partition(b":") for field in fields)}
        if not status.startswith(b"HTTP/1.1 101") or named.get(b"sec-websocket-accept") != accept:
            self._transport.abort()
            return b""
        self._accept, self._head = None, b""
        self._opened = True
        now_ns = time.monotonic_ns()
        self.viewer.opened(now_ns)
        self._house.opened(self, now_ns)
        return head[end + 4 :]

    def _why_not_in(self) -> str:
        status, _, rest = self._head.partition(b"\r\n")
        if not status:
            return "no answer to the handshake"
        if status.startswith(b"HTTP/1.1 101"):
            return "the answer to the handshake is wrong"
        text = b" ".join((status.removeprefix(b"HTTP/1.1 "), rest.partition(b"\r\n\r\n")[2]))
        return text.decode("utf-8", "replace").strip()

    def _rearm(self) -> None:
        wake_ns = self.viewer.next_wakeup_ns()
        due_ns = min(self._deadline_ns, self._rests_until_ns, NEVER_NS if wake_ns is None else wake_ns)
        if due_ns < self.armed_ns:
            self._house.arm(self, due_ns)
