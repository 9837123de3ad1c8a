"""Facts that come late or never (A14)."""

import asyncio
from collections.abc import Callable
from typing import Any

from server.core.packets.lifecycle import PacketLifecycle
from server.store.feed import Feed
from tests.planted.plant import Plant, in_script, of


def late(kind: str, late_s: float) -> Callable[[], None]:
    """Return the planting of a fact that is proposed late."""

    def plant() -> None:
        announce = Feed.announce

        async def planted(self: Feed, room: Any, cue: Any) -> Any:
            if cue.kind == kind:
                await asyncio.sleep(late_s)
            return await announce(self, room, cue)

        Feed.announce = planted  # type: ignore[method-assign]

    return plant


def announce_early() -> None:
    """Take the opening for due 300 ms before it is."""
    due_at_ms = PacketLifecycle._due_at_ms

    def planted(self: PacketLifecycle) -> int:
        return due_at_ms(self) - 300 * (self._step == 1)

    PacketLifecycle._due_at_ms = planted  # type: ignore[method-assign]
    in_script("announce", (_EARLY, f"{_EARLY[:-5]} - 300 then"))()


_EARLY = "if now_ms < starts_ms[kind] then"
PLANTS = [
    Plant("open is announced 400 ms late", of("A14"), late("open", 0.4)),
    Plant("closed is announced 1.5 s late", of("A14"), late("closed", 1.5)),
    Plant("sold_out is announced 1 s late", of("A14"), late("sold_out", 1.0)),
    Plant("closed never comes", of("A14"), late("closed", 3_600.0)),
    Plant("sold_out never comes", of("A14"), late("sold_out", 3_600.0)),
    Plant("warmup is announced 2 s late", of("A14"), late("warmup", 2.0)),
    Plant("result is announced 4.7 s late", of("A14"), late("result", 4.7), "changes"),
    Plant("voided is announced 2.5 s late", of("A14"), late("voided", 2.5), "changes"),
    Plant("reopened never comes after an edit", of("A14"), late("reopened", 3_600.0), "changes"),
    Plant("open is announced 300 ms early", of("A14"), announce_early),
]
