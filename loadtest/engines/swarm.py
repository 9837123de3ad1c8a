"""
A swarm: thousands of seats on one event loop (uvloop), with one timer for all of them.

A heap holds the wake-up times; a stale entry is skipped when its time comes. Only connecting uses tasks, of which a
limited number run at once.
"""

import asyncio
import gc
import heapq
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from client_sim.recorder import Recorder
from client_sim.session import TargetSession
from client_sim.viewer import Viewer
from loadtest.engines.swarm_transport import NEVER_NS, ViewerConnection
from loadtest.targets.port import NotAdmitted, Target

HANDSHAKES_IN_FLIGHT_MAX = 128  # below a server's listen backlog; more would not be faster
SEATS_PER_ADDRESS = 25_000  # a pair of addresses has 28,000 ephemeral ports, of which some are taken
WAKES_PER_TURN = 200  # some milliseconds of work; then the loop reads its sockets
ARRIVALS_EVERY_S = 0.005
LAST_RECEIPTS_S = 6.0  # how long a leaving viewer waits for pending receipts: more than its usual patience
CLOSE_TIMEOUT_S = 3.0
LOOK_EVERY_S = 0.02
YOUNG_OBJECTS = 50_000  # allocations between collections: receipts come and go by the ten thousand
_IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: choose the port when connecting, so that pairs may share it
_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000


class Swarm:
    """
    The connections of one process's seats at a *target*. *take_seat* returns the next viewer.

    Call ``arrive``, again for more, then ``leave`` once; in between it runs on its own.
    """

    def __init__(self, target: Target, take_seat: Callable[[], Viewer], recorder: Recorder) -> None:
        self._target = target
        self._addresses: list[tuple[socket.AddressFamily, Any]] = []
        self._take_seat = take_seat
        self._recorder = recorder
        self._loop = asyncio.get_running_loop()
        self._connections: list[ViewerConnection] = []
        self._ending = False
        self._gone: set[ViewerConnection] = set()  # they do not come back
        self._outside: deque[ViewerConnection] = deque()
        self._connecting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._wheel: list[tuple[int, int, ViewerConnection]] = []
        self._entries = 0
        self._timer: asyncio.Handle | None = None
        self._timer_ns = NEVER_NS

    async def arrive(
        self, seats: int, arrivals_per_second: float, next_s: Callable[[], float | None] = lambda: None
    ) -> None:
        """
        Start to connect *seats* viewers at that rate, or each when *next_s* says so.

        Returns when the last one has started, not yet connected.
        """
        for address in self._target.addresses[len(self._addresses) :]:
            found = await self._loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
            family, *_, where = min(found, key=lambda each: each[0] != socket.AF_INET)  # localhost is both
            self._addresses.append((family, where))
        started = time.monotonic()
        while not self._ending and len(self._connections) < seats and (wait_s := next_s()) is not None:
            if wait_s:
                await asyncio.sleep(wait_s)
            self._bring()
        while not self._ending and (here := len(self._connections)) < seats:
            due = min(seats, int((time.monotonic() - started) * arrivals_per_second) + 1)
            for _ in range(here, due):
                self._bring()
            await asyncio.sleep(ARRIVALS_EVERY_S)

    def _bring(self) -> None:
        """Let the viewer of the next seat begin to connect."""
        connection = ViewerConnection(self._take_seat(), self)
        self._connections.append(connection)
        self._come(connection)

    async def send_home(self, seats: int) -> None:
        """Let the viewers who came last leave, until *seats* are left."""
        leaving, self._connections = self._connections[seats:], self._connections[:seats]
        await self._leave(leaving)

    def settle(self) -> None:
        """Freeze all objects of connected viewers in the garbage collector, to keep its pauses out of latencies."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS, 20, 100)

    async def leave(self) -> None:
        """Wait briefly for the last receipts, and close all connections."""
        self._ending = True
        self._outside.clear()
        await self._leave(self._connections)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()

    async def _leave(self, leaving: Sequence[ViewerConnection]) -> None:
        self._gone.update(leaving)
        for connection in leaving:
            connection.viewer.leave(time.monotonic_ns())
        await self._wait_while(lambda: any(one.viewer.waiting for one in leaving), LAST_RECEIPTS_S)
        for number, connection in enumerate(leaving, 1):
            connection.leave()
            if number % WAKES_PER_TURN == 0:
                await asyncio.sleep(0)
        await self._wait_while(lambda: any(one.connected for one in leaving), CLOSE_TIMEOUT_S)
        for connection in leaving:
            connection.abandon()

    def announce(self, packets: Sequence[dict[str, Any]]) -> None:
        """Announce packets to every viewer."""
        now_ns = time.monotonic_ns()
        for connection in self._connections:
            connection.viewer.announce(packets, now_ns)
            wake_ns = connection.viewer.next_wakeup_ns()
            if wake_ns is not None and wake_ns < connection.armed_ns:
                self.arm(connection, wake_ns)

    def session(self, connection: ViewerConnection) -> TargetSession:
        """Return the session of a connection whose socket is open."""
        return self._target.session(connection.viewer, self._target.addresses[connection.host])

    def arm(self, connection: ViewerConnection, wake_ns: int) -> None:
        """Wake *connection* at *wake_ns* at the latest."""
        connection.armed_ns = wake_ns
        self._entries += 1
        heapq.heappush(self._wheel, (wake_ns, self._entries, connection))
        if wake_ns < self._timer_ns:
            self._set_timer(wake_ns)

    def opened(self, connection: ViewerConnection, now_ns: int) -> None:
        """Record how long connecting took."""
        self._recorder.sample("WS", "connect", (now_ns - connection.asked_ns) / _NS_PER_MS)

    def welcomed(self, connection: ViewerConnection) -> None:
        """Handle a viewer's welcome: the next one may connect."""
        self._inside_or_gone(connection)

    def lost(self, connection: ViewerConnection, *, failure: str) -> None:
        """Schedule a reconnect."""
        self._inside_or_gone(connection)
        if self._ending or connection in self._gone:
            return
        now_ns = time.monotonic_ns()
        if failure:
            waited_ms = None if failure.startswith("lost") else (now_ns - connection.asked_ns) / _NS_PER_MS
            self._recorder.failure("WS", "connect", failure, waited_ms)
        self._come_back(connection, now_ns)

    def _come_back(self, connection: ViewerConnection, now_ns: int) -> None:
        self.arm(connection, now_ns + round(connection.reconnect.next_pause_s() * _NS_PER_S))

    def _come(self, connection: ViewerConnection) -> None:
        connection.asked_ns = time.monotonic_ns()
        self._outside.append(connection)
        self._admit()

    def _admit(self) -> None:
        while self._outside and self._connecting < HANDSHAKES_IN_FLIGHT_MAX and not self._ending:
            connection = self._outside.popleft()
            self._connecting += 1
            connection.connecting = True
            connection.asked_ns = time.monotonic_ns()
            task = self._loop.create_task(self._connect(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, connection: ViewerConnection) -> None:
        connection.host = connection.reconnect.next_host(len(self._addresses))
        family, address = self._addresses[connection.host]
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            if self._target.needs_admission:
                await asyncio.to_thread(self._target.admit, connection.viewer)
            sock.setblocking(False)
            self._bind(sock, address[0], connection.viewer.seat.number)
            await self._loop.sock_connect(sock, address)
            where = self._target.addresses[connection.host]
            name = where.host if where.tls is not None else None
            await self._loop.create_connection(lambda: connection, sock=sock, ssl=where.tls, server_hostname=name)
        except OSError as error:
            sock.close()
            if isinstance(error, NotAdmitted):
                connection.viewer.rejected(error.status)
            self.lost(connection, failure=_problem(error))
        except asyncio.CancelledError:
            sock.close()
            raise

    def _bind(self, sock: socket.socket, address: str, seat: int) -> None:
        """Spread a crowd too large for one address's ports over several loopback addresses."""
        nth = seat // SEATS_PER_ADDRESS
        if nth and address.startswith("127."):
            sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((f"127.0.0.{1 + nth}", 0))

    def _inside_or_gone(self, connection: ViewerConnection) -> None:
        if connection.connecting:
            connection.connecting = False
            self._connecting -= 1
            self._admit()

    def _set_timer(self, wake_ns: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_ns = wake_ns
        # The loop counts in milliseconds: rounding up is at most one late, rounding down would spin.
        left_ms = -(-(wake_ns - time.monotonic_ns()) // _NS_PER_MS)
        self._timer = self._loop.call_later(max(0, left_ms) / 1000, self._turn)

    def _turn(self) -> None:
        """Wake the due connections, a limited number at a time."""
        self._timer, self._timer_ns = None, 0  # connections armed meanwhile need no timer yet
        wheel, woken = self._wheel, 0
        while wheel and wheel[0][0] <= time.monotonic_ns():
            if woken >= WAKES_PER_TURN:
                self._timer = self._loop.call_soon(self._turn)
                return
            wake_ns, _, connection = heapq.heappop(wheel)
            if wake_ns == connection.armed_ns:
                woken += 1
                connection.armed_ns = NEVER_NS
                self._wake(connection)
        self._timer_ns = NEVER_NS
        if wheel:
            self._set_timer(wheel[0][0])

    def _wake(self, connection: ViewerConnection) -> None:
        if connection.connected:
            connection.wake(time.monotonic_ns())
        elif not connection.connecting and not self._ending and connection not in self._gone:
            self._come(connection)

    async def _wait_while(self, going_on: Callable[[], bool], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while going_on() and time.monotonic() < deadline:  # noqa: ASYNC110 - thousands are waited for, at the very end
            await asyncio.sleep(LOOK_EVERY_S)


def _problem(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
