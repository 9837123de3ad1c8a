"""Shares given outside the window, and an order that is not that of the taps (A7)."""

from server.core.packets.claim import ClaimStatus
from server.store.allocators.memory import Recollection
from tests.planted.plant import Plant, in_script, of
from tests.planted.refusals import OPENS


def open_early() -> None:
    """Open the window 40 ms early, in the script and in what a process remembers of the packet."""
    in_script("claim", (OPENS, f"{OPENS} - 40"))()
    refusal_at = Recollection.refusal_at

    def planted(self: Recollection, now_ms: int, error_ms: int) -> ClaimStatus | None:
        return refusal_at(self, now_ms, error_ms + 40)

    Recollection.refusal_at = planted  # type: ignore[method-assign]


PLANTS = [
    Plant("the window opens 40 ms early", of("A7"), open_early),
]
