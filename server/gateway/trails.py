"""Buyers that are connected hear at once what happens to their orders: the service message of LT-3."""

from typing import Protocol

from server.core.ids import ViewerId
from server.core.orders.trail import ServiceMessage
from server.core.rooms import messages
from server.gateway.fanout import Write
from server.gateway.frames import text_frame
from server.gateway.metrics import Metrics
from server.store.connection import StoreUnavailable
from server.store.trail import TrailChannel


class Reached(Protocol):
    """A connection of a viewer."""

    @property
    def write(self) -> Write:
        """How to write to it."""


def write_to(connection: Reached, frame: bytes, metrics: Metrics) -> bool:
    """Write a frame, or return False if the connection was cut off a moment ago: its connection_lost will be told."""
    try:
        connection.write(frame)
    except RuntimeError:
        return False
    metrics.frames_out += 1
    metrics.bytes_out += len(frame)
    return True


class TrailDesk:
    """
    Knows where each viewer of this process is connected, in whichever room, and passes on what is news of its orders.

    Written to a buyer's few connections and to nobody else, so that no fact waits for it. It may be lost: the timeline
    is the truth.
    """

    def __init__(self, channel: TrailChannel, metrics: Metrics) -> None:
        self._channel = channel
        self._metrics = metrics
        self._connections: dict[ViewerId, tuple[Reached, ...]] = {}  # one or two each: nothing holds them in less

    def start(self) -> None:
        """Begin to hear all processes."""
        self._channel.start(self._hear)

    async def stop(self) -> None:
        """Hear no more."""
        await self._channel.stop()

    def join(self, viewer_id: ViewerId, connection: Reached) -> None:
        """Note where a viewer is connected."""
        self._connections[viewer_id] = (*self._connections.get(viewer_id, ()), connection)

    def leave(self, viewer_id: ViewerId, connection: Reached) -> None:
        """Forget a connection that join() noted."""
        left = tuple(each for each in self._connections[viewer_id] if each is not connection)
        if left:
            self._connections[viewer_id] = left
        else:
            del self._connections[viewer_id]

    async def tell(self, message: ServiceMessage) -> None:
        """Have a buyer told, wherever it is connected. Never raises: what the store does not take is lost."""
        try:
            await self._channel.publish(message)
        except StoreUnavailable:
            self._metrics.store_unavailable += 1

    def _hear(self, message: ServiceMessage) -> None:
        connections = self._connections.get(message.viewer_id)
        if connections is None:
            return
        frame = text_frame(messages.trail(message.order_id, message.step, message.occurred_at_ms))
        for connection in connections:
            self._metrics.trail_messages += write_to(connection, frame, self._metrics)
