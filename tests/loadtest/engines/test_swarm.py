"""A swarm on a real loop, with real sockets, before a small room."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from itertools import count
from typing import Any

import orjson
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from client_sim.behaviour import Behaviour
from client_sim.recorder import Recorder
from client_sim.viewer import Viewer
from loadtest.engines import swarm as swarm_module
from loadtest.engines.swarm import Swarm
from loadtest.engines.swarm_transport import ViewerConnection
from loadtest.record.history_writer import HistoryWriter
from loadtest.targets.redrain import RedrainTarget
from server.core.packets.claim import ClaimStatus
from server.core.rooms import messages
from tests.client_sim.room_talk import on_screen, receipt, seat, welcome
from tests.waiting import until_so


class Room:
    """Welcomes everybody, has one packet open, and is sold out."""

    def __init__(self) -> None:
        self.peers: set[str] = set()
        self.paths: list[str] = []

    async def attend(self, ws: ServerConnection) -> None:
        self.peers.add(ws.remote_address[0])
        assert ws.request is not None
        self.paths.append(ws.request.path)
        await ws.send(welcome(on_screen(grab_in_ms=0, window_ms=60_000, phase="grabbing")), text=True)
        try:
            async for raw in ws:
                assert isinstance(raw, str)
                match messages.decode(raw.encode()):
                    case messages.GrabMessage(_, request_id):
                        await ws.send(receipt(request_id, ClaimStatus.EXHAUSTED), text=True)
        except ConnectionClosed:
            pass


@asynccontextmanager
async def open_room() -> AsyncIterator[tuple[Room, str]]:
    room = Room()
    async with serve(room.attend, "127.0.0.1", 0, subprotocols=[messages.PROTOCOL], compression=None) as server:  # type: ignore[list-item]
        yield room, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def a_swarm(host: str, behaviour: Behaviour = Behaviour.EAGER) -> tuple[Swarm, Recorder, BytesIO]:
    history, numbers = BytesIO(), count()
    recorder = Recorder(HistoryWriter(history))
    return (
        Swarm(RedrainTarget(host.split(",")), lambda: Viewer(seat(behaviour, next(numbers)), 1, 5, recorder), recorder),
        recorder,
        history,
    )


def lines(recorder: Recorder, history: BytesIO, kind: str) -> list[dict[str, Any]]:
    recorder.finish()
    found = [orjson.loads(line) for line in history.getvalue().splitlines()]
    return [line for line in found if line["kind"] == kind]


async def test_a_crowd_comes_grabs_and_leaves_in_order() -> None:
    """Everybody is welcomed, taps once, gets its receipt, and closes with 1000."""
    async with open_room() as (_, host):
        swarm, recorder, history = a_swarm(host)
        await swarm.arrive(40, 1_000)
        await until_so(lambda: recorder.figures.answered == 40)
        assert recorder.connected == 40
        await swarm.leave()
    assert recorder.failed == 0
    grabs = lines(recorder, history, "grab")
    assert {grab["viewer"] for grab in grabs} == {f"v{number}" for number in range(40)}
    assert all(grab["t_intended"] <= grab["t_sent"] <= grab["t_reply"] for grab in grabs)
    assert {conn["code"] for conn in lines(recorder, history, "conn")} == {1000}


async def test_who_drops_its_line_comes_back_and_resumes() -> None:
    """A flaky viewer's second connection says where it stopped, and its tap is answered under the same id."""
    async with open_room() as (room, host):
        swarm, recorder, history = a_swarm(host, Behaviour.FLAKY)
        await swarm.arrive(3, 1_000)
        await until_so(lambda: recorder.figures.answered == 3)
        await swarm.leave()
    assert recorder.failed == 0
    assert sum("&epoch=e1&seq=0" in path for path in room.paths) == 3
    grabs = lines(recorder, history, "grab")
    assert len(grabs) == 6
    assert len({(grab["viewer"], grab["request_id"]) for grab in grabs}) == 3


async def test_only_so_many_knock_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a server that lets nobody in, the others wait outside."""
    monkeypatch.setattr(swarm_module, "HANDSHAKES_IN_FLIGHT_MAX", 3)
    came: list[asyncio.StreamWriter] = []

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    swarm, recorder, _ = a_swarm(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    await swarm.arrive(10, 10_000)
    await until_so(lambda: len(came) == 3)
    await asyncio.sleep(0.05)  # in which more would come
    assert len(came) == 3
    await swarm.leave()
    for writer in came:
        writer.close()
    server.close()
    await server.wait_closed()
    assert recorder.connected == 0


async def test_a_closed_door_is_a_failure_and_is_tried_again() -> None:
    """Nobody listens: the failure says refused, and there is more than one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    swarm, recorder, _ = a_swarm(f"http://127.0.0.1:{port}")
    await swarm.arrive(1, 100)
    await until_so(lambda: recorder.failed >= 2)
    await swarm.leave()
    _, failures = recorder.take_series()
    assert all(name == "connect" and "refused" in reason.lower() for _, name, reason in failures)


async def test_a_crowd_beyond_one_address_uses_several(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seats beyond what one pair of addresses has ports for come from this machine's other addresses."""
    monkeypatch.setattr(swarm_module, "SEATS_PER_ADDRESS", 2)
    async with open_room() as (room, host):
        swarm, recorder, _ = a_swarm(host, Behaviour.WATCHER)
        await swarm.arrive(5, 1_000)
        await until_so(lambda: recorder.connected == 5)
        await swarm.leave()
    assert room.peers == {"127.0.0.1", "127.0.0.2", "127.0.0.3"}


async def test_one_timer_wakes_everybody_in_their_turn() -> None:
    """The earliest comes first; who was armed anew is woken once, at the earlier time."""
    swarm, _, _ = a_swarm("http://127.0.0.1:1")
    woken: list[int] = []

    class Sleeper(ViewerConnection):
        connected = True

        def wake(self, _: int) -> None:
            woken.append(self.viewer.seat.number)

    recorder = Recorder()
    sleepers = [Sleeper(Viewer(seat(number=number), 1, 5, recorder), swarm) for number in range(500)]
    now_ns = time.monotonic_ns()
    for number, sleeper in reversed(list(enumerate(sleepers))):
        swarm.arm(sleeper, now_ns + 60_000_000 + number)
    swarm.arm(sleepers[7], now_ns + 1_000_000)
    await until_so(lambda: len(woken) == 500)
    await asyncio.sleep(0.05)  # in which one would be woken twice
    assert woken == [7, *(number for number in range(500) if number != 7)]
    await swarm.leave()
