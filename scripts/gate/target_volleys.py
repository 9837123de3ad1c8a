"""
Volleys at another service, through the target port: every connection taps once, all replies are awaited, and again.

Replies are counted, whatever they say. Packets are tapped in turn.
"""

import asyncio
from typing import cast

from client_sim.behaviour import Behaviour, Seat
from client_sim.recorder import Recorder
from client_sim.session import TargetSession
from client_sim.viewer import Viewer
from loadtest.scenarios.target_scenario import ROOM, TargetScenario, folder_of, read_scenario
from loadtest.targets.registry import target_of
from scripts.bench.volleys import Volley, VolleyFailed
from server.core.ids import PacketId, RequestId, ViewerId

ENTER_WITHIN_S = 60.0
VOLLEY_WITHIN_S = 60.0


class Tapper(asyncio.Protocol):
    """One viewer's connection."""

    def __init__(self, session: TargetSession, volley: Volley) -> None:
        self._session = session
        self._volley = volley
        self.entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to enter."""
        self._transport = cast(asyncio.Transport, transport)
        self._write(self._session.start())
        self.data_received(b"")

    def data_received(self, data: bytes) -> None:
        """Count receipts, and answer what the protocol wants answered."""
        self._take([message.kind for message in self._session.feed(data)])

    def eof_received(self) -> None:
        """Count the receipts that the end completes."""
        self._take([message.kind for message in self._session.finish()])

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail: a lost connection invalidates the measurement."""
        del exc
        reason = f"the service has closed a connection: {self._session.rejection().text}"
        if not self.entered.done():
            self.entered.set_exception(VolleyFailed(reason))
        self._volley.fail(reason)

    def tap(self, packet_id: PacketId, request_id: RequestId) -> None:
        """Ask for a share."""
        self._write(self._session.frame(self._session.grab(packet_id, request_id)))
        self._flush()

    def _take(self, kinds: list[str]) -> None:
        if self._session.entered:
            self._flush()
            if not self.entered.done():
                self.entered.set_result(None)
        self._volley.got(kinds.count("receipt"))

    def _flush(self) -> None:
        for data in self._session.replies():
            self._write(data)

    def _write(self, data: bytes) -> None:
        if data:
            self._transport.write(data)


class TargetBattery:
    """All connections to a service, and the volleys that they fire."""

    def __init__(self, source: str, url: str, adapter: str, connections: int) -> None:
        scenario = read_scenario(source)
        assert isinstance(scenario, TargetScenario)
        self._scenario = scenario
        self._target = target_of(scenario, host=url, adapter=adapter, folder=folder_of(source))
        self._packets = [PacketId(packet.packet_id) for packet in scenario.packets]
        self._connections = connections
        self._fired = 0
        self._tappers: list[Tapper] = []
        self.volley = Volley(connections)

    async def enter(self) -> None:
        """Connect all, and wait until the service has let them in."""
        self._tappers = [await self._connected(number) for number in range(self._connections)]
        async with asyncio.timeout(ENTER_WITHIN_S):
            await asyncio.gather(*(tapper.entered for tapper in self._tappers))

    def write(self) -> None:
        """Write the next volley."""
        packet = self._packets[self._fired % len(self._packets)]
        for tapper in self._tappers:
            tapper.tap(packet, RequestId(f"volley-{self._fired}"))
        self._fired += 1

    async def landed(self) -> None:
        """Wait until all of the volley is answered."""
        async with asyncio.timeout(VOLLEY_WITHIN_S):
            await self.volley.landed

    async def _connected(self, number: int) -> Tapper:
        scenario, target = self._scenario, self._target
        seat = Seat(number, target.name_of(ViewerId(f"v{number}")), 0, ROOM, Behaviour.EAGER)
        viewer = Viewer(seat, scenario.seed, scenario.audience.reaction_median_ms, Recorder())
        loop = asyncio.get_running_loop()
        if target.needs_admission:
            await loop.run_in_executor(None, target.admit, viewer)
        address = target.addresses[number % len(target.addresses)]
        tapper = Tapper(target.session(viewer, address), self.volley)
        await loop.create_connection(lambda: tapper, address.host, address.port, ssl=address.tls)
        return tapper
