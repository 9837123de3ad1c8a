"""One viewer's connection to a room: the class that uvicorn is given as ``Config(ws=...)``."""

import asyncio
import sys
import time
from typing import Any, assert_never, cast

from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from server.core.ids import PacketId
from server.core.rooms import messages
from server.core.rooms.messages import Comment, Like
from server.core.rooms.session import Close, RejectGrab, SendError, SendPong, Session, SessionEffect, Take
from server.core.web_address import is_loopback
from server.gateway import frames
from server.gateway.chatter import TOO_MUCH_SAID
from server.gateway.codec import Codec
from server.gateway.echo import EchoConnection
from server.gateway.frame_connection import ConnectionState, FrameConnection
from server.gateway.handshake import (
    NO_SUCH_PATH,
    SHUTTING_DOWN,
    STORE_UNAVAILABLE,
    EchoRequest,
    Handshake,
    JoinRequest,
    Rejection,
    no_such_room,
)
from server.gateway.identity import Identity
from server.gateway.live_room import Frames, LiveRoom
from server.gateway.tickets import USED
from server.store.connection import StoreUnavailable


class RoomConnection(FrameConnection):
    """The protocol that uvicorn hands a WebSocket connection to: it joins a room, and its messages are a viewer's."""

    __slots__ = ("_address", "_room", "_session", "position")

    position: int

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(app_state["gateway"], cast("set[Any]", server_state.connections))
        self._room: LiveRoom | None = None
        self._session: Session | None = None
        self._address = ""
        self.position = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection of an upgrade request."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if isinstance(peer, tuple) else ""

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

    def shutdown(self) -> None:
        """Close because the server shuts down (uvicorn calls this), after the pending receipts."""
        match self._state:
            case ConnectionState.NEW | ConnectionState.ENTERING:
                self._reject(SHUTTING_DOWN)
            case ConnectionState.OPEN:
                self._state = ConnectionState.DRAINING
                self._plain = False
                self._drain()

    def answer(self, receipts_joined: bytes, receipts: int) -> None:
        """Write receipts to the viewer, if it is still connected."""
        assert self._session is not None
        self._session.answered(receipts)
        self.write(receipts_joined)
        if self._state is ConnectionState.DRAINING:
            self._drain()

    def won(self, packet_id: PacketId) -> None:
        """Report to the room that shares were granted."""
        if self._room is not None:
            self._room.grabbed(packet_id)

    def missed_out(self, packet_id: PacketId) -> None:
        """Report to the room that no share was left."""
        if self._room is not None:
            self._room.missed_out(packet_id)

    def _read_handshake(self, data: bytes) -> None:
        self._state = ConnectionState.ENTERING
        handshake = Handshake()
        asked = handshake.read(data)
        if isinstance(asked, Rejection):
            self._reject(asked)
            return
        if isinstance(asked, EchoRequest):
            self._hand_over(handshake)
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

    def _hand_over(self, handshake: Handshake) -> None:
        """Let a load lab's own client have an echo."""
        accepted = handshake.accept()
        if not self._gateway.diagnostics or not is_loopback(self._address):
            self._reject(NO_SUCH_PATH)
        elif isinstance(accepted, Rejection):
            self._reject(accepted)
        else:
            # Only when this object has the transport for good: uvicorn gives it after the request.
            asyncio.get_running_loop().call_soon(self._become_echo, accepted)

    def _become_echo(self, accepted: bytes) -> None:
        if self._state is ConnectionState.ENTERING and not self._transport.is_closing():
            self._state = ConnectionState.LOST
            self._registry.discard(self)
            EchoConnection(self._gateway, self._registry).take_over(self._transport, accepted)

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
        if self._state is not ConnectionState.ENTERING:
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
        self._state = ConnectionState.OPEN
        self._plain = True
        self.write(accepted + greeting)
        gateway.assets.join(self, viewer_id, room.record.creator_id)

    def _reject(self, rejection: Rejection) -> None:
        if self._state in (ConnectionState.NEW, ConnectionState.ENTERING):
            self._gateway.metrics.refused += 1
            self._transport.write(rejection.response())
            self._state = ConnectionState.CLOSING
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

    def _take_frame(self, codec: Codec, frame: Frame) -> None:
        assert self._session is not None
        if frame.opcode is Opcode.BINARY:
            self.close(frames.UNSUPPORTED_DATA, "messages are JSON in text frames")
            return
        whole = codec.message(frame)
        if whole is not None:
            self._receive_text(whole[1])
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
        if self._state is ConnectionState.OPEN:
            self._gateway.metrics.too_slow += 1
            self.close(frames.TOO_FAR_BEHIND, "too far behind; reconnect and resume")

    def _drain(self) -> None:
        assert self._session is not None
        if not self._session.waiting:
            self.close(frames.SERVICE_RESTART, "the server is shutting down; reconnect and resume")

    def _leave(self) -> None:
        if self._room is None or self._session is None:
            return
        self._room.leaves(self._session.viewer_id, by_server=self._state is ConnectionState.DRAINING)
        self._room.audience.leave(self)
        self._gateway.trails.leave(self._session.viewer_id, self)
        self._gateway.assets.leave(self, self._room.record.creator_id)
        self._gateway.keepalive.remove(self)
        self._gateway.release(self._room, self._session.viewer_id, self._address)
        self._room = None
