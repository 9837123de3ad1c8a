"""Messages without a number as one process heard them: each distinct one is kept once, with its arrivals."""

from collections.abc import Callable
from typing import Any

from client_sim.message_cache import CachedMessage
from client_sim.observations import Conn, Greeting, Heard, Shown
from server.core.ids import PacketId, RoomId

KEPT_MAX = 4_096  # of each kind; more than a room says while anybody still hears the oldest one


class Hearsay:
    """
    The messages without a number, and the packets of welcomes, of one process.

    Equal bytes are one parsed message (client_sim/message_cache.py), so that most arrivals cost one look-up. *note* is
    called with what has been kept for long, and by ``finish`` with the rest.
    """

    def __init__(self, note: Callable[[Heard | Greeting], None]) -> None:
        self._note = note
        self._heard: dict[tuple[RoomId, CachedMessage], Heard] = {}
        self._greetings: dict[tuple[RoomId, str, int, tuple[Shown, ...]], Greeting] = {}

    def hear(self, conn: Conn, message: CachedMessage, now_ns: int) -> None:
        """Count a message of a connection; a slow reader's says nothing of when it was sent."""
        if conn.slow:
            return
        key = (conn.room, message)
        heard = self._heard.get(key)
        if heard is None:
            _make_room(self._heard, self._note)
            self._heard[key] = Heard(conn.room, message, conn.viewer, now_ns, now_ns, 1)
            return
        heard.t_last = now_ns
        heard.count += 1
        if heard.other is None and conn.viewer != heard.viewer:
            heard.other = conn.viewer

    def greet(self, conn: Conn, welcome: dict[str, Any], now_ns: int) -> None:
        """Count the welcome of a connection."""
        packets = tuple(
            (PacketId(each["packet_id"]), each["phase"], _whole(each.get("remaining")), bool(each.get("sold_out")))
            for each in welcome["packets"]
        )
        key = (conn.room, welcome["epoch"], welcome["seq"], packets)
        greeting = self._greetings.get(key)
        if greeting is None:
            _make_room(self._greetings, self._note)
            self._greetings[key] = Greeting(*key, now_ns, now_ns, 1)
            return
        greeting.t_last = now_ns
        greeting.count += 1

    def finish(self) -> None:
        """Note everything that is kept."""
        kept: list[Heard | Greeting] = [*self._greetings.values(), *self._heard.values()]
        for each in kept:
            self._note(each)
        self._greetings.clear()
        self._heard.clear()


def _make_room(kept: dict[Any, Any], note: Callable[[Heard | Greeting], None]) -> None:
    """Note and forget the oldest if there are too many."""
    if len(kept) >= KEPT_MAX:
        note(kept.pop(next(iter(kept))))


def _whole(given: Any) -> int | None:
    return given if type(given) is int else None
