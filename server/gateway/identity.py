"""The identity of a newcomer, as its ticket, token or name proves it."""

from dataclasses import dataclass

from server.core.ids import ViewerId


@dataclass(frozen=True, slots=True)
class Identity:
    """
    A viewer and since when it has been in: the real ms of its ticket's or name's arrival, whichever tokens followed.

    ``ticket_id`` is of a ticket that may be used once, within ``ticket_lasts_ms``; "" of all else.
    """

    viewer_id: ViewerId
    since_ms: int
    ticket_id: str = ""
    ticket_lasts_ms: int = 0
