"""The gateway of one process, used by connections, HTTP routers and the sweeper."""

import asyncio
import secrets
from collections.abc import Coroutine
from typing import Any

from server.core.ids import PacketId, RoomId, ViewerId
from server.core.orders.trail import ServiceMessage
from server.core.refusal import Refused
from server.gateway.assets import AssetDesk
from server.gateway.chatter import ChatterDesk
from server.gateway.door import Door
from server.gateway.grabs import GrabDesk
from server.gateway.handshake import (
    NAME_NEEDED,
    ROOM_FULL,
    TICKET_NEEDED,
    TOKEN_REFUSED,
    TOO_MANY_OF_ADDRESS,
    TOO_MANY_OF_VIEWER,
    JoinRequest,
    Rejection,
)
from server.gateway.identity import Identity
from server.gateway.keepalive import Keepalive
from server.gateway.limits import Limits, Quota
from server.gateway.live_room import LiveRoom
from server.gateway.metrics import Metrics
from server.gateway.open_files import FILES_KEPT, files_max
from server.gateway.packet_stats import StatsDesk
from server.gateway.proxies import TrustedProxies
from server.gateway.resume import RENEWED_MAX_MS, ResumeTokens
from server.gateway.rooms import LiveRooms
from server.gateway.tickets import Tickets
from server.gateway.trails import TrailDesk
from server.store.allocators.running import RunningAllocators
from server.store.assets import Assets
from server.store.chatter import ChatterChannel
from server.store.clock import StoreClock
from server.store.connection import Store, StoreUnavailable
from server.store.feed import Feed, FeedFollower
from server.store.packet_stats import StatsCounters
from server.store.packets import Packets
from server.store.revocations import Revocations
from server.store.rooms import RoomRecord, Rooms
from server.store.trail import TrailChannel
from server.store.used_tickets import UsedTickets
from server.watched_task import watched_task


class Gateway:
    """
    Built once per process; start() needs the running loop.

    *insecure* accepts any viewer name; otherwise a viewer needs a ticket or a resume token. *diagnostics* has an echo.
    """

    desk: GrabDesk
    chatter: ChatterDesk
    effects: StatsDesk
    keepalive: Keepalive

    def __init__(
        self,
        *,
        store: Store,
        clock: StoreClock,
        rooms: Rooms,
        feed: Feed,
        packets: Packets,
        follower: FeedFollower,
        allocators: RunningAllocators,
        limits: Limits,
        tokens: ResumeTokens,
        tickets: Tickets,
        proxies: TrustedProxies,
        door: Door,
        insecure: bool,
        diagnostics: bool = False,
    ) -> None:
        self.store = store
        self.clock = clock
        self.limits = limits
        self.metrics = Metrics(task_failures=store.supervisor.failures)
        self.proxies = proxies
        self.door = door
        self.diagnostics = diagnostics
        self.half_open = Quota(limits.half_open_per_address_max)
        self.http_connections = Quota(limits.http_connections_per_address_max)
        self.connections_max = files_max() - FILES_KEPT
        self.trails = TrailDesk(TrailChannel(store), self.metrics)
        self.assets = AssetDesk(Assets(store, clock), self.metrics)
        self.allocators = allocators
        self.used_tickets = UsedTickets(store)
        self.revocations = Revocations(store, clock, kept_ms=RENEWED_MAX_MS)
        self._follower = follower
        self._insecure = insecure
        self._tokens = tokens
        self._tickets = tickets
        self._of_address = Quota(limits.connections_per_address_max)
        self._packets = packets
        self._tasks: set[asyncio.Task[None]] = set()
        self._rooms = LiveRooms(
            clock=clock,
            rooms=rooms,
            feed=feed,
            packets=packets,
            follower=follower,
            limits=limits,
            metrics=self.metrics,
            allocators=allocators,
        )

    async def start(self) -> None:
        """Open the rooms and start to follow their feeds."""
        loop = asyncio.get_running_loop()
        self.desk = GrabDesk(loop, self.allocators.of, self.allocators.room_of, self.metrics)
        self.keepalive = Keepalive(loop, limits=self.limits, metrics=self.metrics)
        self.keepalive.start()
        await self.revocations.start()
        await self._rooms.start()
        await self._follower.start()
        channel = ChatterChannel(self.store, secrets.token_hex(8))
        self.chatter = ChatterDesk(loop, channel, self._rooms, self.metrics)
        self.chatter.start()
        self.effects = StatsDesk(
            StatsCounters(self.store),
            rooms=self._rooms,
            grabs=self.desk,
            clock=self.clock,
            metrics=self.metrics,
        )
        self.effects.start()
        self.trails.start()

    async def stop(self) -> None:
        """Answer the grabs received so far, then stop every part."""
        await self.desk.drain()
        self.keepalive.stop()
        await self.trails.stop()
        await self.assets.stop()
        await self.effects.stop()
        await self.chatter.stop()
        await self._follower.stop()
        await self._rooms.stop()
        await self.revocations.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def room(self, room_id: RoomId) -> LiveRoom | None:
        """Return the room if it is live already."""
        return self._rooms.get(room_id)

    async def find_room(self, room_id: RoomId) -> LiveRoom | None:
        """Return the room, from the store if need be; None if there is none. Raises StoreUnavailable."""
        return await self._rooms.find(room_id)

    async def open_room(self, record: RoomRecord) -> None:
        """Open a room that was just created. Raises StoreUnavailable."""
        await self._rooms.open(record)

    def audience(self, room_id: RoomId) -> int:
        """Return how many connections of this process are in a room."""
        live = self._rooms.get(room_id)
        return 0 if live is None else len(live.audience)

    async def look_at(self, packet_id: PacketId) -> None:
        """
        Look up a packet that was just edited, ended, voided or settled, so that its room publishes the change.

        Never raises: the step is committed, whatever becomes of announcing it.
        """
        await self._beside(self._look_at(packet_id))

    async def _look_at(self, packet_id: PacketId) -> None:
        try:
            room_id = (await self._packets.get(packet_id)).room_id
        except (StoreUnavailable, Refused):
            return  # the room will look by itself when the store turns its next proposal down
        live = None if room_id is None else self._rooms.get(room_id)
        if live is not None:
            await live.look_up(packet_id)

    async def trail_grew(self, message: ServiceMessage | None) -> None:
        """Count an event of an order's trail, and publish it to its buyer if there is a *message*."""
        self.metrics.trail_events += 1
        if message is not None:
            await self._beside(self.trails.publish(message))

    async def _beside(self, announcing: Coroutine[Any, Any, None]) -> None:
        """Wait for *announcing* something that is committed; an error of it is reported and fails nothing else."""
        await asyncio.wait({watched_task(announcing, "a change could not be announced", self._tasks)})

    async def trail_shown(self, message: ServiceMessage) -> None:
        """Publish a step of an order's trail to its buyer that is shown only now."""
        await self._beside(self.trails.publish(message))

    def identify(self, asked: JoinRequest) -> Identity | Rejection:
        """Return the viewer that the request names and proves, or the rejection."""
        now_ms = self.clock.real_ms()
        if asked.resume:
            back = self._tokens.read(asked.resume, asked.room_id, now_ms)
            return TOKEN_REFUSED if back is None or self.revocations.covers(back.viewer_id, back.since_ms) else back
        if asked.ticket:
            return self._tickets.read(asked.ticket, asked.room_id, now_ms)
        if not self._insecure:
            return TICKET_NEEDED
        return Identity(asked.viewer_id, now_ms) if asked.viewer_id else NAME_NEEDED

    async def revoke(self, viewer_id: ViewerId) -> int:
        """Revoke all resume tokens of a viewer, on every server of the store; return the instant in real ms."""
        now_ms = self.clock.real_ms()
        await self.revocations.revoke(viewer_id, now_ms)
        return now_ms

    def ticket(self, room_id: RoomId, viewer_id: ViewerId) -> str:
        """Return a ticket with which the viewer can join the room."""
        return self._tickets.mint(viewer_id, room_id, self.clock.real_ms())

    def resume_token(self, room: LiveRoom, whom: Identity) -> str:
        """Return a token with which the viewer can rejoin the room."""
        return self._tokens.mint(whom, room.record.room_id, self.clock.real_ms())

    def admit(self, room: LiveRoom, viewer_id: ViewerId, address: str) -> Rejection | None:
        """Count a newcomer against the limits, or return the rejection and count nothing."""
        if len(room.audience) >= self.limits.room_viewers_max:
            return ROOM_FULL
        if not self._of_address.take(address):
            return TOO_MANY_OF_ADDRESS
        if not room.viewers.take(viewer_id):
            self._of_address.give_back(address)
            return TOO_MANY_OF_VIEWER
        self.metrics.joined += 1
        self.metrics.connected += 1
        return None

    def release(self, room: LiveRoom, viewer_id: ViewerId, address: str) -> None:
        """Undo the counts of admit()."""
        self._of_address.give_back(address)
        room.viewers.give_back(viewer_id)
        self.metrics.connected -= 1

    def start_task(self, work: Coroutine[Any, Any, None]) -> None:
        """Run *work* beside everything else; stop() waits for it."""
        watched_task(work, "a newcomer's room could not be looked for", self._tasks)
