"""Push order events to connected buyers at once: the service message of LT-3."""

from typing import Protocol

from server.core.ids import ViewerId
from server.core.orders.trail import ServiceMessage
from server.core.rooms import messages
from server.gateway.fanout import Write
from server.gateway.frames import text_frame
from server.gateway.metrics import Metrics
from server.store.connection import StoreUnavailable
from server.store.trail import TrailChannel


class BuyerConnection(Protocol):
    """A connection of a viewer."""

    @property
    def write(self) -> Write:
        """Return the function that writes to it."""


def write_to(connection: BuyerConnection, frame: bytes, metrics: Metrics) -> bool:
    """Write a frame, or return False if the connection was aborted a moment ago and its connection_lost is due."""
    try:
        connection.write(frame)
    except RuntimeError:
        return False
    metrics.frames_out += 1
    metrics.bytes_out += len(frame)
    return True


class TrailDesk:
    """
    Knows the connections of each viewer of this process, in any room, and pushes the events of its orders to them.

    A message goes only to the buyer's few connections, so that no fact waits for it. It may be lost: the order's
    timeline is authoritative.
    """

    def __init__(self, channel: TrailChannel, metrics: Metrics) -> None:
        self._channel = channel
        self._metrics = metrics
        # One or two each: nothing holds them in less than a tuple.
        self._connections: dict[ViewerId, tuple[BuyerConnection, ...]] = {}

    def start(self) -> None:
        """Subscribe to all processes."""
        self._channel.start(self._on_message)

    async def stop(self) -> None:
        """Unsubscribe."""
        await self._channel.stop()

    def join(self, viewer_id: ViewerId, connection: BuyerConnection) -> None:
        """Add a connection of a viewer."""
        self._connections[viewer_id] = (*self._connections.get(viewer_id, ()), connection)

    def leave(self, viewer_id: ViewerId, connection: BuyerConnection) -> None:
        """Remove a connection that join() added."""
        left = tuple(each for each in self._connections[viewer_id] if each is not connection)
        if left:
            self._connections[viewer_id] = left
        else:
            del self._connections[viewer_id]

    async def publish(self, message: ServiceMessage) -> None:
        """Publish a message to a buyer, wherever it is connected. Never raises: if the store fails, it is lost."""
        try:
            await self._channel.publish(message)
        except StoreUnavailable:
            self._metrics.store_unavailable += 1

    def _on_message(self, message: ServiceMessage) -> None:
        connections = self._connections.get(message.viewer_id)
        if connections is None:
            return
        frame = text_frame(messages.trail(message.order_id, message.step, message.occurred_at_ms))
        for connection in connections:
            self._metrics.trail_messages += write_to(connection, frame, self._metrics)
