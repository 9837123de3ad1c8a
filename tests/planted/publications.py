"""Facts that come late or never (A14)."""

import asyncio
from collections.abc import Callable
from typing import Any

from server.store.feed import Feed
from tests.planted.plant import Plant, of


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


PLANTS = [
    Plant("open is announced 400 ms late", of("A14"), late("open", 0.4)),
    Plant("closed is announced 1.5 s late", of("A14"), late("closed", 1.5)),
    Plant("sold_out is announced 1 s late", of("A14"), late("sold_out", 1.0)),
    Plant("closed never comes", of("A14"), late("closed", 3_600.0)),
]
