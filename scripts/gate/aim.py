"""Aims: running servers as the generator of a gate sees them, and the connections that fire at them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from scripts.bench.volleys import Battery, Volley
from scripts.gate.target_volleys import TargetBattery


class Aim(NamedTuple):
    """
    A running server: its URL, its processes if they are known, and so many connections to fire with.

    One of ours has open packets, each for one volley; a service has a scenario, *source*, and maybe an adapter.
    """

    url: str
    pids: Sequence[int]
    connections: int
    packet_ids: Sequence[str] = ()
    source: str = ""
    adapter: str = ""

    def battery(self) -> "Fires":
        """Return the connections, which have to enter yet."""
        if self.source:
            return TargetBattery(self.source, self.url, self.adapter, self.connections)
        return Battery(self.url, self.connections, self.packet_ids)


class Fires(Protocol):
    """All connections to one server."""

    volley: Volley

    async def enter(self) -> None:
        """Connect all, and wait until they are let in."""

    def write(self) -> None:
        """Write the next volley."""

    async def landed(self) -> None:
        """Wait until all of the volley is answered."""
