"""Refusals that are not true (A13)."""

from collections.abc import Callable
from typing import Any

from server.core.packets.claim import Claim, ClaimStatus, Grab
from server.core.rooms.session import RejectGrab, Session
from server.store.allocators import default
from server.store.allocators.port import refusals
from tests.planted.plant import Plant, every, in_script, of

OPENS, ENDS = "if at_ms < whole(record[3], 'packet')", "if at_ms >= whole(record[4], 'packet')"


def refuse(status: ClaimStatus) -> Callable[[], None]:
    """Return the planting of a refusal that every twenty-fifth batch gets without a reason."""

    def plant() -> None:
        claim, now = default.DefaultAllocator.claim, every(25)

        async def planted(self: Any, packet_id: Any, room_id: Any, grabs: list[Grab]) -> list[Claim]:
            if next(now):
                return list(refusals(packet_id, grabs, status))
            return list(await claim(self, packet_id, room_id, grabs))

        default.DefaultAllocator.claim = planted  # type: ignore[method-assign, assignment]

    return plant


def limit_rates() -> None:
    """Refuse every thirtieth grab for a rate that nobody had."""
    grab, now = Session._grab, every(30)

    def planted(self: Session, packet_id: Any, request_id: Any, allowed: bool) -> Any:
        if next(now):
            return RejectGrab(Claim(packet_id, self.viewer_id, request_id, ClaimStatus.RATE_LIMITED, edition=0))
        return grab(self, packet_id, request_id, allowed)

    Session._grab = planted  # type: ignore[method-assign]


_SETTLED = "if state == 'settled' then return 'l' end"
PLANTS = [
    Plant("rate_limited without a rate", of("A13"), limit_rates),
    Plant("unavailable though the store is there", of("A13"), refuse(ClaimStatus.UNAVAILABLE)),
    Plant("too_late in the middle of the window", of("A13"), refuse(ClaimStatus.TOO_LATE)),
    Plant("not_found for a packet on air", of("A13"), refuse(ClaimStatus.NOT_FOUND)),
    Plant("voided though nobody did", of("A13"), refuse(ClaimStatus.VOIDED)),
    Plant("the window closes 300 ms early", of("A13"), in_script("claim", (ENDS, f"{ENDS} - 300"))),
    Plant("the window opens 150 ms late", of("A13"), in_script("claim", (OPENS, f"{OPENS} + 150"))),
    Plant(
        "a packet that was ended says that it was voided",
        of("A13"),
        in_script("claim", (_SETTLED, _SETTLED.replace("'l'", "'v'"))),
        "changes",
    ),
    Plant(
        "exhausted is said once in a while before any edition is full",
        of("A13"),
        refuse(ClaimStatus.EXHAUSTED),
        "changes",
    ),
    Plant("the window opens 400 ms late", of("A13"), in_script("claim", (OPENS, f"{OPENS} + 400"))),
]
