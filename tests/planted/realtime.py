"""Shares given outside the window, and an order that is not that of the taps (A7)."""

from collections.abc import Callable

from server.core.packets.claim import ClaimStatus
from server.store.allocators.memory import Recollection
from tests.planted.plant import Plant, in_script, of
from tests.planted.refusals import ENDS, OPENS


def open_early() -> None:
    """Open the window 40 ms early, in the script and in what a process remembers of the packet."""
    in_script("claim", (OPENS, f"{OPENS} - 40"))()
    refusal_at = Recollection.refusal_at

    def planted(self: Recollection, now_ms: int, error_ms: int) -> ClaimStatus | None:
        return refusal_at(self, now_ms, error_ms + 40)

    Recollection.refusal_at = planted  # type: ignore[method-assign]


def close_late(late_ms: int, *more: tuple[str, str]) -> Callable[[], None]:
    """Return the planting of a window that closes, and is swept, so much later."""

    def plant() -> None:
        in_script("claim", (ENDS, f"{ENDS} + {late_ms}"), *more)()
        in_script("sweep", (_DUE, f"{_DUE} + {late_ms}"))()

    return plant


_DUE = "now_ms < whole(record[2], 'packet')"
INDEX = "text_of(given + n - 1)"
_IN_TIME = "math.min(at_ms, whole(record[4], 'packet') - 1)"
_DATED = "'amount_fen', text_of(sum_fen), 'at_ms', text_of(at_ms)"
PLANTS = [
    Plant("the window opens 40 ms early", of("A7"), open_early),
    Plant("the window closes 40 ms late", of("A7"), close_late(40)),
    Plant(
        "the first ten shares are numbered backwards",
        of("A7"),
        in_script("claim", (INDEX, "text_of(given + n - 1 < 10 and 10 - given - n or given + n - 1)")),
    ),
    Plant(
        "one share in six is dated 400 ms after it was given",
        of("A7"),
        in_script("claim", (_DATED, _DATED.replace("at_ms)", "at_ms + (given % 6 == 5 and 400 or 0))"))),
    ),
    Plant(
        "late shares are dated into the window",
        of("A7"),
        close_late(500, (_DATED, _DATED.replace("at_ms)", f"{_IN_TIME})"))),
    ),
]
