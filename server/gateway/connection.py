"""One viewer's connection: a plain asyncio protocol without a task, given to uvicorn as ``Config(ws=...)``."""

import asyncio
import sys
import time
from enum import IntEnum
from typing import Any, assert_never, cast

from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from server.core.ids import PacketId
from server.core.rooms import messages
from server.core.rooms.messages import Comment, Like
from server.core.rooms.session import Close, RejectGrab, SendError, SendPong, Session, SessionEffect, Take
from server.gateway import frames
from server.gateway.chatter import TOO_MUCH_SAID
from server.gateway.codec import Codec
from server.gateway.fanout import Write
from server.gateway.gateway import Gateway
from server.gateway.handshake import (
    SHUTTING_DOWN,
    STORE_UNAVAILABLE,
    Handshake,
    JoinRequest,
    Rejection,
    no_such_room,
)
from server.gateway.identity import Identity
from server.gateway.live_room import Frames, LiveRoom
from server.gateway.tickets import USED
from server.store.connection import StoreUnavailable


class _State(IntEnum):
    NEW = 0  # the request has not arrived yet
    ENTERING = 1  # the room is being looked up; data that arrives before our 101 is lost
    OPEN = 2
    DRAINING = 3  # the server is shutting down: receipts still go out, no input is read
    CLOSING = 4  # our last byte is written; the peer has a moment to answer
    LOST = 5


class RoomConnection(asyncio.Protocol):
    """
    The protocol that uvicorn hands a WebSocket connection to.

    A read that is exactly one small text frame is parsed by hand (``_plain``: open, nothing buffered, no message
    begun); for everything else a Codec is made, and dropped when it is empty again.
    """

    __slots__ = (
        "_address",
        "_codec",
        "_gateway",
        "_plain",
        "_registry",
        "_room",
        "_session",
        "_state",
        "_transport",
        "position",
        "quiet",
        "write",
    )  # fmt: skip

    quiet: int
    position: int
    write: Write

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._gateway: Gateway = app_state["gateway"]
        self._registry = cast("set[Any]", server_state.connections)
        self._state = _State.NEW
        self._plain = False
        self._codec: Codec | None = None
        self._room: LiveRoom | None = None
        self._session: Session | None = None
        self._address = ""
        self.quiet = 0
        self.position = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection of an upgrade request."""
        self._transport = cast(asyncio.Transport, transport)
        self.write = self._transport.write
        self._registry.add(self)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if isinstance(peer, tuple) else ""

    def data_received(self, data: bytes) -> None:
        """Parse received bytes; this is the hot path of a stampede."""
        self.quiet = 0
        if self._plain:
            payload = frames.small_text(data)
            if payload is not None:
                self._receive_text(payload)
            elif frames.is_small_pong(data):
                self._spend_on_control_frame()
            else:
                self._read(data)
        elif self._state is _State.OPEN:
            self._read(data)
        elif self._state is _State.NEW:
            self._read_handshake(data)

    def pause_writing(self) -> None:
        """Treat the viewer as a slow consumer: skip optional messages, and check the buffer after every write."""
        if self._room is not None:
            self.write = self._write_and_check
            self._room.audience.fall_behind(self)
            self._check_outbox()

    def resume_writing(self) -> None:
        """Treat a viewer that has caught up like any other again."""
        if self._room is not None:
            self.write = self._transport.write
            self._room.audience.catch_up(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything that belongs to the connection."""
        self._leave()
        self._gateway.keepalive.closings.met(self)
        self._registry.discard(self)
        self._state = _State.LOST
        self._plain = False
        self._codec = None
        self.write = _discard

    def shutdown(self) -> None:
        """Close because the server shuts down (uvicorn calls this), after the pending receipts."""
        match self._state:
            case _State.NEW | _State.ENTERING:
                self._reject(SHUTTING_DOWN)
            case _State.OPEN:
                self._state = _State.DRAINING
                self._plain = False
                self._drain()

    @property
    def parsing(self) -> bool:
        """Return whether a codec is held because something was read that is not one plain frame."""
        return self._codec is not None

    def answer(self, receipts_joined: bytes, receipts: int) -> None:
        """Write receipts to the viewer, if it is still connected."""
        assert self._session is not None
        self._session.answered(receipts)
        self.write(receipts_joined)
        if self._state is _State.DRAINING:
            self._drain()

    def won(self, packet_id: PacketId) -> None:
        """Report to the room that shares were granted."""
        if self._room is not None:
            self._room.grabbed(packet_id)

    def missed_out(self, packet_id: PacketId) -> None:
        """Report to the room that no share was left."""
        if self._room is not None:
            self._room.missed_out(packet_id)

    def ping(self) -> None:
        """Ping a silent viewer."""
        self.write(frames.PING)

    def abort(self) -> None:
        """Abort the connection."""
        self._transport.abort()

    def close(self, code: int, reason: str) -> None:
        """Send a close frame with the reason, and close."""
        if self._state in (_State.OPEN, _State.DRAINING):
            self._finish(frames.close_frame(code, reason))

    def _read_handshake(self, data: bytes) -> None:
        self._state = _State.ENTERING
        handshake = Handshake()
        asked = handshake.read(data)
        if isinstance(asked, Rejection):
            self._reject(asked)
            return
        self._address = sys.intern(self._gateway.proxies.client(self._address, handshake.headers))
        whom = self._gateway.identify(asked)
        if isinstance(whom, Rejection):
            self._reject(whom)  # before the store is asked on behalf of an unknown viewer
            return
        room = self._gateway.room(asked.room_id)
        if room is not None and room.remembers(asked.epoch, asked.seq) and not whom.ticket_id:
            self._enter(room, handshake, asked, whom)
        else:
            self._gateway.start_task(self._look_for_room(handshake, asked, whom))

    async def _look_for_room(self, handshake: Handshake, asked: JoinRequest, whom: Identity) -> None:
        recalled: Frames = []
        is_good = True
        try:
            room = await self._gateway.find_room(asked.room_id)
            if room is not None:
                recalled = await room.recall(asked.epoch, asked.seq)
                if whom.ticket_id:
                    is_good = await self._gateway.used_tickets.use(whom.ticket_id, whom.ticket_lasts_ms)
        except StoreUnavailable:
            self._reject(STORE_UNAVAILABLE)
            return
        if room is None:
            self._reject(no_such_room(asked.room_id))
        elif not is_good:
            self._reject(USED)
        else:
            self._enter(room, handshake, asked, whom, recalled)

    def _enter(
        self,
        room: LiveRoom,
        handshake: Handshake,
        asked: JoinRequest,
        whom: Identity,
        recalled: Frames | None = None,
    ) -> None:
        if self._state is not _State.ENTERING:
            return  # the viewer left, or the server began to shut down, while the room was looked up
        gateway, viewer_id = self._gateway, whom.viewer_id
        accepted = handshake.accept()
        if isinstance(accepted, Rejection):
            self._reject(accepted)
            return
        if rejection := gateway.admit(room, viewer_id, self._address):
            self._reject(rejection)
            return
        self._room = room
        self._session = Session(viewer_id, gateway.limits.session)
        self._transport.set_write_buffer_limits(high=gateway.limits.outbox_soft_bytes)
        room.enters(viewer_id)
        room.audience.join(self)
        gateway.trails.join(viewer_id, self)
        greeting = room.welcome(
            viewer_id,
            epoch=asked.epoch,
            seq=asked.seq,
            resume=gateway.resume_token(room, whom),
            recalled=recalled,
        )
        gateway.metrics.resumed += bool(asked.epoch)
        gateway.metrics.frames_out += 1
        gateway.metrics.bytes_out += len(greeting)
        gateway.keepalive.add(self)
        self._state = _State.OPEN
        self._plain = True
        self.write(accepted + greeting)
        gateway.assets.join(self, viewer_id, room.record.creator_id)

    def _reject(self, rejection: Rejection) -> None:
        if self._state in (_State.NEW, _State.ENTERING):
            self._gateway.metrics.refused += 1
            self._transport.write(rejection.response())
            self._state = _State.CLOSING
            self._transport.close()

    def _receive_text(self, payload: bytes) -> None:
        assert self._session is not None
        self._gateway.metrics.frames_in += 1
        effect = self._session.receive(payload, time.monotonic_ns() // 1_000_000)
        if type(effect) is Take:
            assert self._room is not None
            self._gateway.desk.take(self, effect.packet_id, self._room.record.room_id, effect.grab)
        else:
            self._carry_out(effect)

    def _carry_out(self, effect: SessionEffect) -> None:
        assert self._session is not None
        assert self._room is not None
        gateway = self._gateway
        match effect:
            case Take(packet_id, grab):
                gateway.desk.take(self, packet_id, self._room.record.room_id, grab)
            case RejectGrab(claim):
                gateway.metrics.grabs[claim.status] += 1
                self._send(messages.receipt(claim))
            case SendError(error):
                gateway.metrics.malformed += 1
                self._send(error)
            case SendPong(client_ms):
                self._send(messages.pong(client_ms, gateway.clock.room_ms()))
            case Comment(text):
                if not gateway.chatter.say(self._room, self._session.viewer_id, text):
                    self._send(messages.error("rate_limited", TOO_MUCH_SAID))
            case Like(count):
                gateway.chatter.like(self._room, count)
            case Close(code, reason, error):
                if error:
                    gateway.metrics.malformed += 1
                    self._send(error)
                self.close(code, reason)
            case _:
                assert_never(effect)

    def _send(self, text: bytes) -> None:
        frame = frames.text_frame(text)
        self._gateway.metrics.frames_out += 1
        self._gateway.metrics.bytes_out += len(frame)
        self.write(frame)

    def _read(self, data: bytes) -> None:
        """Parse input that is not one plain frame."""
        codec = self._codec or Codec(self._gateway.limits.frame_bytes_max)
        self._codec = codec
        self._plain = False
        received = codec.feed(data)
        replies = codec.replies()
        for frame in received:
            if self._state is _State.OPEN:
                if frame.opcode is Opcode.PING and replies:
                    self.write(replies.pop(0))  # in the order of arrival
                self._take_frame(codec, frame)
        if self._state is not _State.OPEN:
            return
        if codec.failed:
            self._gateway.metrics.malformed += bool(codec.failure)
            self._finish(b"".join(replies))
            return
        if codec.empty:
            self._codec = None
            self._plain = True

    def _take_frame(self, codec: Codec, frame: Frame) -> None:
        assert self._session is not None
        if frame.opcode is Opcode.BINARY:
            self.close(frames.UNSUPPORTED_DATA, "messages are JSON in text frames")
            return
        text = codec.text(frame)
        if text is not None:
            self._receive_text(text)
        else:
            self._spend_on_control_frame()

    def _spend_on_control_frame(self) -> None:
        assert self._session is not None
        if not self._session.spend(time.monotonic_ns() // 1_000_000):
            self.close(frames.POLICY_VIOLATION, "too many frames")

    def _write_and_check(self, data: bytes) -> None:
        """Write to a slow consumer, then check its buffer."""
        self._transport.write(data)
        self._check_outbox()

    def _check_outbox(self) -> None:
        """Disconnect a viewer that is too far behind; it can reconnect and resume."""
        if self._transport.get_write_buffer_size() > self._gateway.limits.outbox_bytes_max:
            # Not from inside the write that filled the buffer.
            asyncio.get_running_loop().call_soon(self._close_slow_consumer)

    def _close_slow_consumer(self) -> None:
        if self._state is _State.OPEN:
            self._gateway.metrics.too_slow += 1
            self.close(frames.TOO_FAR_BEHIND, "too far behind; reconnect and resume")

    def _drain(self) -> None:
        assert self._session is not None
        if not self._session.waiting:
            self.close(frames.SERVICE_RESTART, "the server is shutting down; reconnect and resume")

    def _finish(self, last_bytes: bytes) -> None:
        """Write the last bytes and half-close, so that they arrive even if the peer is still sending."""
        self._leave()
        self._state = _State.CLOSING
        self._plain = False
        self._codec = None
        self.write = _discard
        self._transport.write(last_bytes)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()
        self._gateway.keepalive.closings.set(self)

    def _leave(self) -> None:
        if self._room is None or self._session is None:
            return
        self._room.leaves(self._session.viewer_id, by_server=self._state is _State.DRAINING)
        self._room.audience.leave(self)
        self._gateway.trails.leave(self._session.viewer_id, self)
        self._gateway.assets.leave(self, self._room.record.creator_id)
        self._gateway.keepalive.remove(self)
        self._gateway.release(self._room, self._session.viewer_id, self._address)
        self._room = None


def _discard(_: bytes) -> None:
    """Replace a closed connection's write: receipts for it may still be pending."""
